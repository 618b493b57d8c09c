"""Where attacks are made: one model in one numerics class, its reference, and what is recorded of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from llmnet.engine import Engine, LlamaModel, ModelFiles, Tokenizer
from llmnet.measure import Job, Recording, RecordingFile, jobs_for, prompts
from llmnet.measure.running import AT_ONCE
from llmnet.proof import NumericsClass, ServiceSpec
from llmnet.redteam.lengths import TOKENS
from llmnet.redteam.models import MODELS
from llmnet.verifier.reference import Reference, spec_of

_PROMPTS, _CALIBRATED, _SEED = 2_280, 2_100, 7
"""Calibration asks the first of these; attacks are made on prompts that it has not seen."""
_PAGES = 512


@dataclass
class Shop:
    """`folder` holds the recordings of this class, one file a transcript. `answers` prompts are attacked."""

    files: ModelFiles
    numerics: NumericsClass
    folder: Path
    answers: int = 32
    tokens: int = TOKENS
    top_k: int = 20
    _models: dict[str, LlamaModel] = field(default_factory=dict, repr=False)

    @cached_property
    def spec(self) -> ServiceSpec:
        """What is promised."""
        return spec_of(self.files, self.top_k, numerics=self.numerics)

    @cached_property
    def reference(self) -> Reference:
        """What a validator runs."""
        return Reference(self.files, self.spec)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Of the model."""
        return Tokenizer(self.files)

    @cached_property
    def honest(self) -> LlamaModel:
        """The promised model in the promised arithmetic."""
        return LlamaModel.from_files(self.files, self.numerics)

    def model(self, name: str) -> LlamaModel:
        """One of `MODELS`. Only the last one is kept: each is as large as the model itself."""
        if name == "honest":
            return self.honest
        if name not in self._models:
            self._models.clear()
            self._models[name] = MODELS[name](self.honest)
        return self._models[name]

    def engine(self, name: str = "honest") -> Engine:
        """An engine that serves one of `MODELS`."""
        return Engine(self.files, self.spec, model=self.model(name), **self.sizes)

    @property
    def sizes(self) -> dict[str, Any]:
        """Of all engines here. One model serves few answers, so steps are not recorded."""
        return {"max_batch": AT_ONCE, "num_pages": _PAGES, "graphs": False}

    def jobs(
        self, temperature: int = 256, *, skip: int = 0, count: int | None = None, longer: int = 1
    ) -> list[Job]:
        """`count` (default: `answers`) held-out prompts after the first `skip`; a longer list begins with a shorter.
        Answers may be `longer` times as long."""
        held_out = prompts(_PROMPTS, seed=_SEED)[_CALIBRATED:]
        chosen = held_out[skip : skip + (self.answers if count is None else count)]
        made = jobs_for(chosen, self.tokenizer, temperature=temperature, max_tokens=longer * self.tokens)
        return [replace(job, id=f"{job.id}@{temperature}") for job in made]

    def file(self, transcript: str) -> RecordingFile:
        """Where a transcript is."""
        return RecordingFile(self.folder / f"{transcript}.jsonl", self.spec)

    def recorded(self, transcript: str) -> list[Recording]:
        """The first `answers` of a transcript, in order of the jobs' prompts; fewer if fewer are recorded."""
        return list(self.file(transcript))[: self.answers]
