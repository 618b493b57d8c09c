"""Whether a worker is what it promises: public prompts, answered by its own backend, judged as audits would judge them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from llmnet.engine import GenerationRequest
from llmnet.measure.errors import SelfTestFailed
from llmnet.measure.observing import observe
from llmnet.measure.plan import MAX_TOKENS, temperature_of
from llmnet.measure.prompts import prompts
from llmnet.measure.running import Job, jobs_for, with_reference
from llmnet.proof import Calibration, Leaf, ServiceSpec, domain_hash
from llmnet.verifier.calibrate import Audited, Observation, every_audit, in_sequence
from llmnet.verifier.reference import Reference

ANSWERS = 12
_SEED = 11
_NAT = 256

Generate = Callable[[GenerationRequest], Awaitable[tuple[Leaf, ...]]]
"""Answers a request as the worker would, and gives the leaves that it would commit to."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What came of it. `evidence`: the higher of both sums that the answers led to, in nat; a slash is at 20. `faults`: why
    it failed, in words; none if it passed.
    """

    answers: int
    positions: int
    exceeding: int
    misses: int
    evidence: float
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against offering."""
        return not self.faults

    def __str__(self) -> str:
        seen = (
            f"{self.answers} answers, {self.positions} positions: {self.exceeding} above q99, {self.misses} tokens that the "
            f"reference would not have sampled, evidence {self.evidence:.1f} of 20 nat"
        )
        return f"PASS: {seen}" if self.passed else f"FAIL: {'; '.join(self.faults)} ({seen})"

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {"passed": self.passed, **asdict(self)}


async def self_test(
    generate: Generate, reference: Reference, row: Calibration, *, answers: int = ANSWERS
) -> SelfTest:
    """Answer public prompts and judge them by a calibration row. Raises EngineError, ReferenceFailed."""
    jobs = _jobs(reference, answers)
    leaves = await asyncio.gather(*(generate(_request(job)) for job in jobs))
    found = [
        observe(await asyncio.to_thread(with_reference, reference, job, one), reference.spec)
        for job, one in zip(jobs, leaves, strict=True)
    ]
    return judged(found, row)


def _request(job: Job) -> GenerationRequest:
    return GenerationRequest(job.id, job.prompt_ids, job.temperature, job.max_tokens, job.request_seed)


def judged(answers: list[Observation], row: Calibration) -> SelfTest:
    """The outcome for these answers."""
    audits = [one[0] for one in every_audit(answers, row)]
    slashed, *sums = in_sequence(audits)
    pairs = [pair for answer in answers for pair in zip(answer.logit, answer.hidden, strict=True)]
    exceeding = sum(logit >= row.logit_q99 or hidden >= row.hidden_q99 for logit, hidden in pairs)
    return SelfTest(
        answers=len(answers),
        positions=len(pairs),
        exceeding=exceeding,
        misses=sum(found.misses for found in audits),
        evidence=max(sums) / _NAT,
        faults=tuple(_faults(answers, audits, slashed)),
    )


def _faults(answers: list[Observation], audits: list[Audited], slashed: bool) -> list[str]:
    faults = []
    broken = [answer.id for answer in answers if answer.broken]
    if broken:
        faults.append(f"leaves of {len(broken)} answers contradict themselves or their tokens")
    failed = sum(found.failed for found in audits)
    if failed:
        faults.append(f"{failed} of {len(audits)} answers would be fined")
    if slashed:
        faults.append("the answers together would have it slashed")
    return faults


def _jobs(reference: Reference, answers: int) -> list[Job]:
    chosen = prompts(answers, seed=_SEED)
    return [
        Job(job.id, job.prompt_ids, job.request_seed, temperature_of(job.id), job.max_tokens)
        for job in jobs_for(chosen, reference.tokenizer, max_tokens=MAX_TOKENS)
    ]


class Passed:
    """Remembers in a file that a test was passed, for as long as nothing changes that it depends on."""

    def __init__(self, path: Path, spec: ServiceSpec, row: Calibration, policy: bytes) -> None:
        self._path = path
        self._key = domain_hash("spec", b"selftest" + spec.id + row.encode() + policy).hex()

    def __bool__(self) -> bool:
        try:
            return bool(json.loads(self._path.read_text()) == {"passed": self._key})
        except (OSError, ValueError):
            return False

    def remember(self) -> None:
        """From now on."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps({"passed": self._key}) + "\n")


def required(outcome: SelfTest) -> None:
    """Raise SelfTestFailed unless it was passed."""
    if not outcome.passed:
        raise SelfTestFailed(
            f"the self-test failed: {'; '.join(outcome.faults)}. This machine does not compute what the class promises, so "
            "audits would fine it; offer another --numerics, or start with --skip-self-test to offer nevertheless"
        )
