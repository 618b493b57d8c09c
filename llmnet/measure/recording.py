"""Recorded answers: one line of JSON each, leaves as deflated SCALE, below a line that names what they are answers of."""

from __future__ import annotations

import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmnet.measure.errors import BadRecording
from llmnet.proof import Leaf, ProofError, ServiceSpec, decode_leaves, encode_leaves

MAX_LEAVES_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Recording:
    """One answer: what was asked, the leaves that the worker would post, and the reference's at all positions.

    `prompt_ids` is what was promised to be answered (a cheat may have read something else), `temperature` in 1/256.
    """

    id: str
    prompt_ids: tuple[int, ...]
    request_seed: bytes
    temperature: int
    leaves: tuple[Leaf, ...]
    reference: tuple[Leaf, ...]

    @property
    def tokens(self) -> tuple[int, ...]:
        """The delivered tokens: those of the reference, which was given them."""
        return tuple(leaf.token for leaf in self.reference)

    def as_line(self) -> str:
        """One line, without its end."""
        value = {
            "id": self.id,
            "prompt": list(self.prompt_ids),
            "seed": self.request_seed.hex(),
            "temperature": self.temperature,
            "leaves": _packed(self.leaves),
            "reference": _packed(self.reference),
        }
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Recording:
        """Raises BadRecording."""
        try:
            value: dict[str, Any] = json.loads(line)
            return cls(
                str(value["id"]),
                tuple(int(token) for token in value["prompt"]),
                bytes.fromhex(value["seed"]),
                int(value["temperature"]),
                _unpacked(value["leaves"]),
                _unpacked(value["reference"]),
            )
        except (ValueError, KeyError, TypeError, zlib.error, ProofError) as error:
            raise BadRecording(f"not a recorded answer: {error!r}") from error


class RecordingFile:
    """Recordings in the order in which they were made, all of one spec. One writer at a time.

    A writer that was killed in mid line leaves a torn last line: it is ignored when reading and cut off by the next
    `append`, so that its answer is made again.
    Made for a `spec`, a new file begins with a line that says so, and a file that says otherwise is refused (BadRecording).
    """

    def __init__(self, path: Path, spec: ServiceSpec | None = None) -> None:
        self.path = path
        self._spec = spec
        self._cut = False
        found = self.spec_id
        if spec is not None and found not in (None, spec.id):
            raise BadRecording(
                f"{path} holds answers of another model or class (spec {found.hex() if found else ''}, not {spec.id.hex()}): "
                "name another file"
            )

    @property
    def spec_id(self) -> bytes | None:
        """Which spec the file says it is of; None for one that does not say, or is not there."""
        return next((_named_spec(line) for line in self._lines()), None)

    def __iter__(self) -> Iterator[Recording]:
        """Raises BadRecording, naming the line, if a whole line is damaged."""
        for number, line in enumerate(self._lines(), start=1):
            if number == 1 and _named_spec(line) is not None:
                continue
            try:
                yield Recording.from_line(line)
            except BadRecording as error:
                raise BadRecording(f"{self.path}, line {number}: {error}; delete the line") from error

    def ids(self) -> set[str]:
        """Which answers are recorded."""
        return {recording.id for recording in self}

    def append(self, recording: Recording) -> None:
        """On disk when this returns."""
        if not self._cut:
            self._cut_torn_line()
        with self.path.open("ab") as file:
            if self._spec is not None and file.tell() == 0:
                file.write(_naming(self._spec).encode() + b"\n")
            file.write(recording.as_line().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _lines(self) -> Iterator[str]:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line.decode("utf-8", errors="replace")

    def _cut_torn_line(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            whole = self.path.read_bytes().rfind(b"\n") + 1
            os.truncate(self.path, whole)
        self._cut = True


def _naming(spec: ServiceSpec) -> str:
    said = {
        "spec": spec.id.hex(),
        "model": spec.name.decode(errors="replace"),
        "numerics": spec.numerics.name,
    }
    return json.dumps(said, separators=(",", ":"))


def _named_spec(line: str) -> bytes | None:
    try:
        value = json.loads(line)
        return bytes.fromhex(value["spec"]) if isinstance(value, dict) and "spec" in value else None
    except (ValueError, TypeError):
        return None


def _packed(leaves: tuple[Leaf, ...]) -> str:
    return b64encode(zlib.compress(encode_leaves(leaves), 9)).decode()


def _unpacked(text: str) -> tuple[Leaf, ...]:
    packed = zlib.decompressobj()
    data = packed.decompress(b64decode(text, validate=True), MAX_LEAVES_BYTES)
    if packed.unconsumed_tail or not packed.eof:
        raise BadRecording("leaves are truncated, or too many")
    return tuple(decode_leaves(data))
