"""The forward pass over a paged cache: decoding rows and chunks of prompts in one call.

Architecture: RMS norms, rotary embedding in halves (Su et al. 2021), grouped-query attention, SwiGLU; the Llama,
Qwen2 (biases) and Qwen3 (normed heads) families. The arithmetic is that of `operators`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch

from llmnet.engine.cache import Batch, KVCache
from llmnet.engine.graphs import DecodeGraphs
from llmnet.engine.model_config import ModelConfig
from llmnet.engine.operators import PRECISIONS, Operators, Plan, Precision, Streams
from llmnet.engine.rope import RopeTables
from llmnet.engine.weights import ModelFiles
from llmnet.proof import NumericsClass


@dataclass(frozen=True)
class LayerWeights:
    """One decoder layer; matrices are [out, in]. What a family does not have is None."""

    attn_norm: torch.Tensor
    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    o: torch.Tensor
    mlp_norm: torch.Tensor
    gate: torch.Tensor
    up: torch.Tensor
    down: torch.Tensor
    q_bias: torch.Tensor | None = None
    k_bias: torch.Tensor | None = None
    v_bias: torch.Tensor | None = None
    o_bias: torch.Tensor | None = None
    q_norm: torch.Tensor | None = None
    k_norm: torch.Tensor | None = None


_FIELDS = {
    "attn_norm": "input_layernorm.weight",
    "q": "self_attn.q_proj.weight",
    "k": "self_attn.k_proj.weight",
    "v": "self_attn.v_proj.weight",
    "o": "self_attn.o_proj.weight",
    "mlp_norm": "post_attention_layernorm.weight",
    "gate": "mlp.gate_proj.weight",
    "up": "mlp.up_proj.weight",
    "down": "mlp.down_proj.weight",
    "q_bias": "self_attn.q_proj.bias",
    "k_bias": "self_attn.k_proj.bias",
    "v_bias": "self_attn.v_proj.bias",
    "o_bias": "self_attn.o_proj.bias",
    "q_norm": "self_attn.q_norm.weight",
    "k_norm": "self_attn.k_norm.weight",
}
LINEARS = ("q", "k", "v", "o", "gate", "up", "down")


class LlamaModel:
    """Weights and forward pass. Immutable: variants are made with `replace_layers`."""

    def __init__(
        self,
        config: ModelConfig,
        embedding: torch.Tensor,
        layers: tuple[LayerWeights, ...],
        norm: torch.Tensor,
        operators: Operators,
        head: torch.Tensor | None = None,
    ) -> None:
        self.config = config
        self.embedding = embedding  # [V, D]
        self.head = embedding if head is None else head  # [V, D], the output matrix
        self.layers = layers
        self.norm = norm
        self.operators = operators
        self.device = embedding.device

    @classmethod
    def from_files(
        cls,
        files: ModelFiles,
        numerics: NumericsClass = NumericsClass.FP32,
        device: str | torch.device = "cpu",
        *,
        invariant: bool = True,
    ) -> LlamaModel:
        """Wrap the memory-mapped tensors; only another type or another device needs a copy.

        Without `invariant`, torch's libraries compute: bits then depend on the batch. Raises
        `UnsupportedModelError` for shapes that the operators cannot do.
        """
        precision, config = PRECISIONS[numerics], files.config

        def load(name: str) -> torch.Tensor:
            vector = name.endswith("bias") or "norm" in name
            return files.tensor(name).to(device=device, dtype=torch.float32 if vector else precision.weights)

        def layer(index: int) -> LayerWeights:
            names = {field: f"model.layers.{index}.{name}" for field, name in _FIELDS.items()}
            return LayerWeights(
                **{field: load(name) for field, name in names.items() if name in files.tensors}
            )

        return cls(
            config,
            load("model.embed_tokens.weight"),
            tuple(layer(index) for index in range(config.num_layers)),
            load("model.norm.weight"),
            make_operators(config, precision, torch.device(device), invariant=invariant),
            None if config.tied else load("lm_head.weight"),
        )

    def replace_layers(
        self, change: Callable[[tuple[LayerWeights, ...]], tuple[LayerWeights, ...]]
    ) -> LlamaModel:
        """The same model with other layers; what is not changed is shared."""
        layers = change(self.layers)
        config = dataclasses.replace(self.config, num_layers=len(layers))
        return LlamaModel(config, self.embedding, layers, self.norm, self.operators, self.head)

    def new_cache(self, num_pages: int) -> KVCache:
        """An empty cache that fits this model."""
        config = self.config
        return KVCache(
            config.num_layers,
            num_pages,
            config.num_kv_heads,
            config.head_dim,
            self.operators.cache_dtype,
            self.device,
            self.operators.page_size,
        )

    @torch.inference_mode()
    def outputs(
        self, batch: Batch, cache: KVCache, graphs: DecodeGraphs | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Run one step. Returns final normed hidden states [S, D] and logits [S, V] of the rows to sample, both fp32; no
        logits where the operators make leaves of hidden states alone.

        Steps that `graphs` knows are replayed: what they return is overwritten by the next one.
        """
        if graphs is not None and graphs.takes(batch):
            return graphs.run(self, batch, cache)
        ops, rows = self.operators, batch.sample_rows
        x = ops.embed(batch.token_ids, self.embedding)
        x, added = self.run_layers(ops, x, batch, ops.plan(batch), cache)
        return self.finish(ops, x[rows], added[rows])

    @torch.inference_mode()
    def forward(self, batch: Batch, cache: KVCache) -> tuple[torch.Tensor, torch.Tensor]:
        """As `outputs`, always with logits."""
        hidden, logits = self.outputs(batch, cache)
        return hidden, self.operators.logits(hidden, self.head) if logits is None else logits

    def finish(
        self, ops: Operators, x: torch.Tensor, added: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """What follows the layers: `outputs` of the rows of a stream x [S, D] and of what is still to be added to it."""
        hidden = ops.final_norm(x, self.norm, added)
        return hidden, None if ops.reads_output else ops.logits(hidden, self.head)

    def run_layers(
        self, ops: Operators, x: torch.Tensor, batch: Batch, plan: Plan, cache: KVCache
    ) -> Streams:
        """All layers on the stream x [T, D]; returns the stream and what the last layer adds to it."""
        added: torch.Tensor | None = None
        for layer, keys, values in zip(self.layers, cache.k, cache.v, strict=True):
            normed, x = ops.norm(x, layer.attn_norm, added)
            added = self._attention(ops, layer, normed, batch, plan, keys, values)
            normed, x = ops.norm(x, layer.mlp_norm, added)
            gate, up = ops.linear(normed, layer.gate), ops.linear(normed, layer.up)
            added = ops.linear(ops.swiglu(gate, up), layer.down)
        return x, torch.zeros_like(x) if added is None else added

    def _attention(
        self,
        ops: Operators,
        layer: LayerWeights,
        x: torch.Tensor,
        batch: Batch,
        plan: Plan,
        keys: torch.Tensor,
        values: torch.Tensor,
    ) -> torch.Tensor:
        q = ops.linear(x, layer.q, layer.q_bias)
        k = ops.linear(x, layer.k, layer.k_bias)
        v = ops.linear(x, layer.v, layer.v_bias)
        if layer.q_norm is not None and layer.k_norm is not None:
            q, k = ops.norm_heads(q, layer.q_norm), ops.norm_heads(k, layer.k_norm)
        q = ops.rotate_and_store(q, k, v, batch, keys, values)
        return ops.linear(ops.attend(q, batch, plan, keys, values), layer.o, layer.o_bias)


def make_operators(
    config: ModelConfig, precision: Precision, device: torch.device, *, invariant: bool
) -> Operators:
    """The operators for a device."""
    rope = RopeTables(config, device)
    if invariant and device.type == "cpu":
        from llmnet.engine.cpu.operators import CpuOperators

        return CpuOperators(config, precision, rope)
    if invariant and precision.weights != torch.float32:  # our kernels compute in 16 bits
        from llmnet.engine.kernel_operators import KernelOperators

        return KernelOperators(config, precision, rope)
    from llmnet.engine.torch_operators import TorchOperators

    return TorchOperators(config, precision, rope)
