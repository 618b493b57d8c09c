"""Recordings as calibration looks at them: distances in the place of leaves."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence

from llmnet.measure.errors import BadRecording
from llmnet.measure.evidence import evidence
from llmnet.measure.recording import Recording, RecordingFile
from llmnet.proof import NumericsClass, ServiceSpec
from llmnet.verifier.calibrate.observed import Observation, Observed


def observe(recording: Recording, spec: ServiceSpec) -> Observation:
    """What all positions of an answer show. Raises BadRecording for an answer without any."""
    points = evidence(recording, spec)
    if not points:
        raise BadRecording(f"answer {recording.id} is empty")
    return Observation(
        recording.id,
        recording.temperature,
        len(recording.prompt_ids),
        tuple(point.logit for point in points),
        tuple(point.hidden for point in points),
        tuple(point.deficit for point in points),
        tuple(place for place, point in enumerate(points) if not (point.consistent and point.token_matches)),
    )


def observe_all(
    recordings: RecordingFile | Sequence[Recording], spec: ServiceSpec, *, machine: str, made_by: str
) -> Observed:
    """All answers of a file. Raises BadRecording for none, for damaged ones, or for a file of another spec."""
    if isinstance(recordings, RecordingFile):
        RecordingFile(recordings.path, spec)  # refuses a file of another spec
    answers = tuple(observe(recording, spec) for recording in _each(recordings))
    if not answers:
        raise BadRecording("nothing is recorded: `llmnet calibrate record` first")
    return Observed(spec.id, spec.name.decode(errors="replace"), spec.numerics, machine, made_by, answers)


def _each(recordings: Iterable[Recording]) -> Iterable[Recording]:
    seen: set[str] = set()
    for recording in recordings:
        if recording.id in seen:
            raise BadRecording(f"answer {recording.id} is recorded twice")
        seen.add(recording.id)
        yield recording


def machine_in_words(numerics: NumericsClass, device: str = "cpu") -> str:
    """What computed the answers. On a CPU the 16-bit classes are emulated, and this says so."""
    if device != "cpu":
        return device
    emulated = "" if numerics is NumericsClass.FP32 else ", emulated"
    return f"CPU ({platform.machine()}){emulated}"
