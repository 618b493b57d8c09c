"""The reference run: what an honest worker's leaves would have been, by ONNX Runtime on this machine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import onnxruntime

from llmnet import proof
from llmnet.engine.tokenizer import Tokenizer
from llmnet.engine.weights import ModelFiles, service_spec
from llmnet.proof import Leaf, NonFiniteError, NumericsClass, ServiceSpec

from .errors import ModelMismatch, ReferenceFailed
from .graph import build_graph, graph_hash

FOLDER_KEY = "session.model_external_initializers_file_folder_path"


def spec_of(
    files: ModelFiles, top_k: int = 20, *, numerics: NumericsClass = NumericsClass.FP32
) -> ServiceSpec:
    """The spec under which this model directory is served with its reference graph, in a numerics class."""
    return service_spec(files, graph_hash(files, top_k), numerics, top_k=top_k)


def check_spec(files: ModelFiles, registered: ServiceSpec, graph: bytes | None = None) -> None:
    """Raise ModelMismatch, naming every part of `registered` that these files do not have.

    `graph` is the graph of these files, if it has been built already.
    """
    if graph is None:
        graph = build_graph(files, registered.top_k)
    own = service_spec(files, proof.graph_hash(graph), top_k=registered.top_k)
    # Numerics, name, limits and units are the worker's promise; the rest follows from the files.
    derived = ("weights_root", "tokenizer_hash", "template_hash", "graph_hash", "vocab_size")
    wrong = [
        field.name
        for field in fields(own)
        if field.name in derived and getattr(own, field.name) != getattr(registered, field.name)
    ]
    if wrong:
        raise ModelMismatch(
            f"{files.path} is not the registered model {registered.name.decode(errors='replace')!r}: {', '.join(wrong)} differ; "
            "fetch the registered model, or pass its directory"
        )


class Reference:
    """One registered model as this machine has it: `spec`, `tokenizer`, and the reference graph, ready to run.

    Calls from several threads take turns: one run uses one core.
    Raises ModelMismatch if the files are not those of `spec`, ReferenceFailed if `provider` is not available.
    """

    def __init__(
        self,
        files: ModelFiles,
        spec: ServiceSpec,
        *,
        provider: str = "CPUExecutionProvider",
        threads: int = 1,
    ) -> None:
        graph = build_graph(files, spec.top_k)
        check_spec(files, spec, graph)
        self.spec = spec
        self.tokenizer = Tokenizer(files)
        self._hidden_size = files.config.hidden_size
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry(FOLDER_KEY, str(files.path))
        if provider not in onnxruntime.get_available_providers():
            raise ReferenceFailed(
                f"ONNX Runtime has no {provider} here; install the package's gpu extra or use the CPU"
            )
        self._session = onnxruntime.InferenceSession(graph, options, providers=[provider])
        # Asked for CUDA without its libraries, ONNX Runtime falls back to the CPU without a word.
        if self._session.get_providers()[0] != provider:
            raise ReferenceFailed(
                f"ONNX Runtime could not start {provider}; it would have used {self._session.get_providers()[0]}"
            )
        self._turn = threading.Lock()

    def leaves(
        self,
        prompt_ids: Sequence[int],
        output_ids: Sequence[int],
        positions: Sequence[int],
        request_seed: bytes,
    ) -> list[Leaf]:
        """Reference leaves at output `positions`, each with the token that stands there.

        Raises ReferenceFailed for an empty or overlong text, unknown tokens, positions outside the output, or
        non-finite results.
        """
        if not prompt_ids or not output_ids or not positions:
            raise ReferenceFailed("a reference needs a prompt, an output and at least one position")
        if min(positions) < 0 or max(positions) >= len(output_ids):
            raise ReferenceFailed(f"positions must be in 0..{len(output_ids) - 1}, got {list(positions)}")
        if len(prompt_ids) + len(output_ids) > self.spec.context_length:
            raise ReferenceFailed(
                f"{len(prompt_ids) + len(output_ids)} tokens do not fit a context of {self.spec.context_length}"
            )
        if not all(0 <= token < self.spec.vocab_size for token in (*prompt_ids, *output_ids)):
            raise ReferenceFailed(f"a token is outside the vocabulary of {self.spec.vocab_size}")
        last = max(positions)
        tokens = [*prompt_ids, *output_ids[:last]]
        rows = [len(prompt_ids) - 1 + position for position in positions]
        ids, logprobs, logit_lanes, hidden_lanes = self._run(tokens, rows, request_seed)
        try:
            return proof.assemble_leaves(
                list(positions),
                ids,
                logprobs,
                logit_lanes,
                hidden_lanes,
                self.spec,
                [request_seed] * len(positions),
                tokens=[output_ids[position] for position in positions],
            )
        except NonFiniteError as error:
            raise ReferenceFailed(f"the reference run gave non-finite numbers: {error}") from error

    def _run(self, tokens: Sequence[int], rows: Sequence[int], request_seed: bytes) -> list[np.ndarray]:
        feeds = {
            "input_ids": np.asarray(tokens, np.int64),
            "positions": np.asarray(rows, np.int64),
            "logit_signs": proof.sign_matrix(request_seed, "LOGI", self.spec.vocab_size),
            "hidden_signs": proof.sign_matrix(request_seed, "HIDN", self._hidden_size),
        }
        with self._turn:
            results: list[np.ndarray] = self._session.run(
                ["ids", "logprobs", "logit_lanes", "hidden_lanes"], feeds
            )
        return results
