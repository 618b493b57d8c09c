"""Final hidden states of both sides: the worker's by its own engine's model, the verifier's by its ONNX graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from llmnet import proof
from llmnet.engine import LlamaModel, ModelFiles
from llmnet.engine.errors import NumericsError
from llmnet.engine.leaves import LeafBuilder, Wanted
from llmnet.engine.scoring import score
from llmnet.proof import Leaf, ServiceSpec
from llmnet.redteam.rivals.errors import RivalError
from llmnet.verifier.graph import build_graph
from llmnet.verifier.reference import FOLDER_KEY


class _Catcher(LeafBuilder):
    """Stands where leaves are built, and keeps the states instead."""

    def __init__(self) -> None:
        self.caught: list[torch.Tensor] = []

    def build(  # only the states matter here
        self,
        hidden: torch.Tensor,
        logits: torch.Tensor | None,  # noqa: ARG002
        wanted: Sequence[Wanted],  # noqa: ARG002
    ) -> list[Leaf | NumericsError]:
        self.caught.append(hidden.float().cpu())
        return []


def worker_states(model: LlamaModel, prompt_ids: Sequence[int], tokens: Sequence[int]) -> NDArray[np.float32]:
    """What the model's decoding had in its last layer at each output position [n, D], by one prefill.

    The engine gives a token the same bits however it is batched, so this is what a worker saw while it decoded.
    """
    catcher = _Catcher()
    score(model, catcher, prompt_ids, tokens, bytes(32))
    states: NDArray[np.float32] = torch.cat(catcher.caught).numpy()
    return states


class ReferenceStates:
    """The verifier's graph with one more output: the states that its sketches are made of."""

    def __init__(self, files: ModelFiles, spec: ServiceSpec) -> None:
        self.spec = spec
        model = onnx.load_from_string(build_graph(files, spec.top_k))
        self._name = _sketched(model.graph)
        model.graph.output.append(
            onnx.helper.make_tensor_value_info(
                self._name, onnx.TensorProto.FLOAT, ["K", files.config.hidden_size]
            )
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry(FOLDER_KEY, str(files.path))
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._signs = {
            name: proof.sign_matrix(bytes(32), label, width)
            for name, label, width in (
                ("logit_signs", "LOGI", spec.vocab_size),
                ("hidden_signs", "HIDN", files.config.hidden_size),
            )
        }

    def states(self, prompt_ids: Sequence[int], tokens: Sequence[int]) -> NDArray[np.float32]:
        """[n, D], one prefill."""
        rows = np.arange(len(tokens), dtype=np.int64) + len(prompt_ids) - 1
        feeds = {
            "input_ids": np.array([*prompt_ids, *tokens[:-1]], np.int64),
            "positions": rows,
            **self._signs,
        }
        found: NDArray[np.float32] = self._session.run([self._name], feeds)[0]
        return found


def _sketched(graph: onnx.GraphProto) -> str:
    """The tensor that the hidden sketch is a projection of: lanes = (states @ signs) * scale."""
    makers = {output: node for node in graph.node for output in node.output}
    product = makers[makers["hidden_lanes"].input[0]]
    if product.op_type != "MatMul":
        raise RivalError("the reference graph does not make its hidden sketch from a product any more")
    return str(product.input[0])
