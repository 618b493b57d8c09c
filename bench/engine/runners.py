"""Engines behind one interface: read a prompt, and say more tokens to several prompts at a time."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch

from bench.engine.as_gguf import write_gguf
from llmnet.engine import Engine, GenerationRequest, LlamaModel, ModelFiles, service_spec


class UnavailableError(Exception):
    """A comparator that is not installed here."""


class Runner(Protocol):
    """One engine with one model. Times are seconds of wall clock."""

    name: str
    max_batch: int

    def prefill(self, prompt: list[int]) -> float:
        """Until the first token after `prompt` is known."""
        ...

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """From the first token to the last, `tokens` more for each prompt, greedy."""
        ...


class Ours:
    """Our engine: leaves are made for every token."""

    max_batch = 64

    def __init__(self, files: ModelFiles, *, invariant: bool = True) -> None:
        self.name = "ours" if invariant else "ours, torch's products"
        model = LlamaModel.from_files(files, invariant=invariant)
        self._engine = Engine(
            files,
            service_spec(files, bytes(32)),
            model=model,
            max_batch=self.max_batch,
            max_step_tokens=512,
            num_pages=1200,
            prefix_cache=False,
        )

    def prefill(self, prompt: list[int]) -> float:
        """See `Runner`."""
        return self._run([prompt], 1)[0]

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """See `Runner`."""
        first, last = self._run(prompts, tokens + 1)
        return last - first

    def _run(self, prompts: list[list[int]], tokens: int) -> tuple[float, float]:
        for number, prompt in enumerate(prompts):
            self._engine.add(GenerationRequest(str(number), tuple(prompt), 0, tokens, bytes(32)))
        begin, heard, first = time.perf_counter(), 0, 0.0
        while len(self._engine):
            heard += sum(len(output.new_tokens) for output in self._engine.step())
            if not first and heard >= len(prompts):
                first = time.perf_counter() - begin
        return first, time.perf_counter() - begin


class Transformers:
    """`generate` of transformers, with its default cache and attention."""

    name = "transformers"
    max_batch = 64

    def __init__(self, files: ModelFiles) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's deprecations
            from transformers import AutoModelForCausalLM

            self._model = AutoModelForCausalLM.from_pretrained(files.path, dtype=torch.float32).eval()
        self._model.generation_config.eos_token_id = None

    def prefill(self, prompt: list[int]) -> float:
        """See `Runner`."""
        return self._generate([prompt], 1)

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """See `Runner`. Prompts must be of one length."""
        return self._generate(prompts, tokens + 1) - self._generate(prompts, 1)

    @torch.inference_mode()
    def _generate(self, prompts: list[list[int]], tokens: int) -> float:
        ids = torch.tensor(prompts)
        begin = time.perf_counter()
        self._model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
            pad_token_id=0,
        )
        return time.perf_counter() - begin


class LlamaCpp:
    """llama.cpp through its Python wheel, the same fp32 weights, one sequence."""

    name = "llama.cpp"
    max_batch = 1

    def __init__(self, files: ModelFiles) -> None:
        try:
            from llama_cpp import Llama
        except ImportError as error:
            raise UnavailableError(f"llama-cpp-python: {error}") from error
        self._scratch = tempfile.TemporaryDirectory(prefix="llmnet-bench-")
        path = Path(self._scratch.name) / "model.gguf"
        write_gguf(files, path)
        threads = torch.get_num_threads()
        self._llama = Llama(
            str(path), n_ctx=2048, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False
        )

    def prefill(self, prompt: list[int]) -> float:
        """See `Runner`."""
        self._llama.reset()
        begin = time.perf_counter()
        self._llama.eval(prompt)
        self._llama.sample(temp=0.0)
        return time.perf_counter() - begin

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """See `Runner`. One prompt."""
        (prompt,) = prompts
        self.prefill(prompt)
        begin = time.perf_counter()
        for _ in range(tokens):
            self._llama.eval([self._llama.sample(temp=0.0)])
        return time.perf_counter() - begin


RUNNERS: dict[str, Callable[[ModelFiles], Runner]] = {
    "ours": Ours,
    "blas": lambda files: Ours(files, invariant=False),
    "transformers": Transformers,
    "llama.cpp": LlamaCpp,
}
