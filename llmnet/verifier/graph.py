"""The ONNX reference graph of a model of the Llama, Qwen2 or Qwen3 family, built by hand.

One prefill of `input_ids` int64 [T]; at the rows `positions` int64 [K] it yields what a leaf needs and nothing else, about 1 kB a
position instead of V floats:

    ids int64 [K, m], logprobs float32 [K, m]    the m best tokens and their log-probabilities
    logit_lanes float32 [K, 8]                   V^-1/2 * sum_v s(j, v) * (z_v - mean z)
    hidden_lanes float32 [K, 8]                  D^-1/2 * sum_v s(j, v) * h_v over the final normed hidden state

`logit_signs` int8 [8, V] and `hidden_signs` int8 [8, D] are inputs. Weights are external data that point into the
safetensors files: there is no second copy on disk; what is stored in 16 bits is widened when the graph is loaded. The
graph's own bytes (rope tables for the most part: 4 MB for 8,192 positions) follow from the model's shapes and file
layout alone and are the same on every machine, so that their hash can be registered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from llmnet import proof
from llmnet.engine.model_config import ModelConfig
from llmnet.engine.weights import ModelFiles

from .rope import rope_tables

OPSET = 18
IR_VERSION = 9
# Candidates that tie after quantisation are ordered by id, so a few more than top_k have to be seen.
EXTRA_CANDIDATES = 32
_STORED = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16, "BF16": TensorProto.BFLOAT16}


class GraphBuilder:
    """Collects nodes and initialisers; every name follows from the order of calls, nothing else."""

    def __init__(self, files: ModelFiles) -> None:
        self.files = files
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: dict[str, TensorProto] = {}

    def op(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Append a node with one output; returns the output's name."""
        return self.ops(kind, inputs, 1, **attributes)[0]

    def ops(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """Append a node; returns its outputs' names."""
        name = f"{kind}_{len(self.nodes)}"
        names = [f"{name}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        return names

    def const(self, name: str, value: npt.ArrayLike, dtype: npt.DTypeLike) -> str:
        """A constant kept in the graph itself."""
        self.initialisers[name] = numpy_helper.from_array(np.asarray(value, dtype=dtype), name)
        return name

    def stored(self, name: str) -> str:
        """A tensor of the model as it is stored, by reference into its file."""
        info = self.files.tensors[name]
        tensor = TensorProto(name=name, data_type=_STORED[info.dtype], data_location=TensorProto.EXTERNAL)
        tensor.dims.extend(info.shape)
        for key, value in (("location", info.file), ("offset", info.offset), ("length", info.length)):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(value)
        self.initialisers[name] = tensor
        return name

    def widened(self, x: str, name: str) -> str:
        """`x`, which has the type that tensor `name` is stored in, as float32."""
        plain = self.files.tensors[name].dtype == "F32"
        return x if plain else self.op("Cast", [x], to=TensorProto.FLOAT)

    def weight(self, name: str) -> str:
        """A tensor of the model as float32."""
        return self.widened(self.stored(name), name)


class _Llama:
    """The layers; shapes: T tokens, D width, G query heads a KV head, HK KV heads, d head width."""

    def __init__(self, graph: GraphBuilder, config: ModelConfig) -> None:
        self.graph, self.config = graph, config
        c = graph.const
        groups = config.num_heads // config.num_kv_heads
        self.zero, self.one, self.last = (
            c("zero", [0], np.int64),
            c("one", [1], np.int64),
            c("last", [-1], np.int64),
        )
        self.eps = c("eps", config.rms_norm_eps, np.float32)
        self.scale = c("scale", config.head_dim**-0.5, np.float32)
        self.query_shape = c("query_shape", [0, config.num_kv_heads, groups, config.head_dim], np.int64)
        self.key_shape = c("key_shape", [0, config.num_kv_heads, 1, config.head_dim], np.int64)
        self.out_shape = c("out_shape", [0, config.num_heads * config.head_dim], np.int64)
        self.half = c("half", [config.head_dim // 2] * 2, np.int64)
        length = graph.op("Shape", ["input_ids"])
        self._rope_tables(length)
        self.mask = self._causal_mask(length)

    def _rope_tables(self, length: str) -> None:
        """float32 [T, d] each."""
        config, slices = self.config, []
        tables = rope_tables(config.head_dim, config.rope_theta, config.context_length, config.rope_scaling)
        for name, table in zip(("cos", "sin"), tables, strict=True):
            whole = self.graph.const(name, table, np.float32)
            slices.append(self.graph.op("Slice", [whole, self.zero, length, self.zero]))
        self.cos, self.sin = slices

    def _causal_mask(self, length: str) -> str:
        """float32 [T, T]: 0 where row i may look at column j <= i, else -inf."""
        op, const = self.graph.op, self.graph.const
        start, step = const("range_start", 0, np.int64), const("range_step", 1, np.int64)
        index = op("Range", [start, op("Squeeze", [length]), step])
        later = op("Less", [op("Unsqueeze", [index, self.one]), op("Unsqueeze", [index, self.zero])])
        return op(
            "Where", [later, const("minus_inf", -np.inf, np.float32), const("nothing", 0.0, np.float32)]
        )

    def rms_norm(self, x: str, weight: str) -> str:
        """x / sqrt(mean(x^2) + eps) * weight."""
        op = self.graph.op
        mean = op("ReduceMean", [op("Mul", [x, x]), self.last], keepdims=1)
        return op(
            "Mul", [op("Div", [x, op("Sqrt", [op("Add", [mean, self.eps])])]), self.graph.weight(weight)]
        )

    def embed(self, ids: str) -> str:
        """float32 [T, D]."""
        name = "model.embed_tokens.weight"
        return self.graph.widened(self.graph.op("Gather", [self.graph.stored(name), ids], axis=0), name)

    def linear(self, x: str, weight: str, bias: str | None = None) -> str:
        """x [T, in] with weight [out, in], plus bias [out]."""
        inputs = [x, self.graph.weight(weight)] + ([] if bias is None else [self.graph.weight(bias)])
        return self.graph.op("Gemm", inputs, transB=1)

    def rope(self, x: str) -> str:
        """Rotate [.., T, d] by position, halves paired as in Llama checkpoints."""
        op = self.graph.op
        first, second = self.graph.ops("Split", [x, self.half], 2, axis=-1)
        turned = op("Concat", [op("Neg", [second]), first], axis=-1)
        return op("Add", [op("Mul", [x, self.cos]), op("Mul", [turned, self.sin])])

    def attention(self, x: str, prefix: str) -> str:
        """Causal grouped-query attention over the whole prompt."""
        op = self.graph.op
        q, k, v = (self._heads(x, prefix, name) for name in "qkv")
        q, k = self.rope(q), self.rope(k)
        scores = op("MatMul", [op("Mul", [q, self.scale]), op("Transpose", [k], perm=[0, 1, 3, 2])])
        weights = op("Softmax", [op("Add", [scores, self.mask])], axis=-1)
        mixed = op("Transpose", [op("MatMul", [weights, v])], perm=[2, 0, 1, 3])
        out = f"{prefix}o_proj"
        bias = f"{out}.bias" if self.config.o_bias else None
        return self.linear(op("Reshape", [mixed, self.out_shape]), f"{out}.weight", bias)

    def _heads(self, x: str, prefix: str, name: str) -> str:
        """One of q, k, v, before its rotation: [HK, G, T, d]. Keys and values broadcast over G."""
        op, projection = self.graph.op, f"{prefix}{name}_proj"
        bias = f"{projection}.bias" if self.config.qkv_bias else None
        shape = self.query_shape if name == "q" else self.key_shape
        heads = op("Reshape", [self.linear(x, f"{projection}.weight", bias), shape])  # [T, HK, G, d]
        if self.config.head_norm and name != "v":
            heads = self.rms_norm(heads, f"{prefix}{name}_norm.weight")
        return op("Transpose", [heads], perm=[1, 2, 0, 3])

    def mlp(self, x: str, prefix: str) -> str:
        """silu(gate) * up, projected down."""
        op = self.graph.op
        gate = self.linear(x, f"{prefix}gate_proj.weight")
        gate = op("Mul", [gate, op("Sigmoid", [gate])])
        return self.linear(
            op("Mul", [gate, self.linear(x, f"{prefix}up_proj.weight")]), f"{prefix}down_proj.weight"
        )

    def layer(self, x: str, index: int) -> str:
        """One decoder layer on the residual stream [T, D]."""
        prefix = f"model.layers.{index}."
        x = self.graph.op(
            "Add",
            [x, self.attention(self.rms_norm(x, prefix + "input_layernorm.weight"), prefix + "self_attn.")],
        )
        return self.graph.op(
            "Add",
            [x, self.mlp(self.rms_norm(x, prefix + "post_attention_layernorm.weight"), prefix + "mlp.")],
        )


def _lanes(graph: GraphBuilder, x: str, signs: str, width: int, name: str) -> None:
    """width^-1/2 * x @ signs^T, as the graph output `name`."""
    turned = graph.op("Transpose", [graph.op("Cast", [signs], to=TensorProto.FLOAT)], perm=[1, 0])
    scale = graph.const(f"{name}_scale", width**-0.5, np.float32)
    graph.nodes.append(helper.make_node("Mul", [graph.op("MatMul", [x, turned]), scale], [name], name=name))


def _leaf_outputs(graph: GraphBuilder, llama: _Llama, hidden: str, candidates: int) -> None:
    op, config = graph.op, llama.config
    logits = llama.linear(hidden, "model.embed_tokens.weight" if config.tied else "lm_head.weight")
    values, ids = graph.ops("TopK", [logits, graph.const("candidates", [candidates], np.int64)], 2, axis=-1)
    normaliser = op("ReduceLogSumExp", [logits, llama.last], keepdims=1)
    graph.nodes.append(helper.make_node("Identity", [ids], ["ids"], name="ids"))
    graph.nodes.append(helper.make_node("Sub", [values, normaliser], ["logprobs"], name="logprobs"))
    centred = op("Sub", [logits, op("ReduceMean", [logits, llama.last], keepdims=1)])
    _lanes(graph, centred, "logit_signs", config.vocab_size, "logit_lanes")
    _lanes(graph, hidden, "hidden_signs", config.hidden_size, "hidden_lanes")


def build_graph(files: ModelFiles, top_k: int) -> bytes:
    """The serialised graph. Equal model shapes, file layout and `top_k` give equal bytes."""
    config = files.config
    candidates = min(top_k + EXTRA_CANDIDATES, config.vocab_size)
    graph = GraphBuilder(files)
    llama = _Llama(graph, config)
    x = llama.embed("input_ids")
    for index in range(config.num_layers):
        x = llama.layer(x, index)
    hidden = llama.rms_norm(graph.op("Gather", [x, "positions"], axis=0), "model.norm.weight")
    _leaf_outputs(graph, llama, hidden, candidates)
    info = helper.make_tensor_value_info
    inputs = [
        info("input_ids", TensorProto.INT64, ["T"]),
        info("positions", TensorProto.INT64, ["K"]),
        info("logit_signs", TensorProto.INT8, [proof.LANES, config.vocab_size]),
        info("hidden_signs", TensorProto.INT8, [proof.LANES, config.hidden_size]),
    ]
    outputs = [
        info("ids", TensorProto.INT64, ["K", candidates]),
        info("logprobs", TensorProto.FLOAT, ["K", candidates]),
        info("logit_lanes", TensorProto.FLOAT, ["K", proof.LANES]),
        info("hidden_lanes", TensorProto.FLOAT, ["K", proof.LANES]),
    ]
    body = helper.make_graph(
        graph.nodes, "llmnet-reference", inputs, outputs, list(graph.initialisers.values())
    )
    model = helper.make_model(
        body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="llmnet"
    )
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def graph_hash(files: ModelFiles, top_k: int) -> bytes:
    """What a spec registers: `H("graph", graph bytes)`."""
    return proof.graph_hash(build_graph(files, top_k))
