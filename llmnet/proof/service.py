"""What a worker promises to run, and how far honest runs of it lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from .encoded import Encoded, made, short, variant
from .errors import FieldError
from .hashing import domain_hash
from .scale import Reader, uint, vec_bytes

MAX_NAME = 64
MAX_TOP_K = 32
SAMPLER_VERSION = 1


class NumericsClass(IntEnum):
    """Arithmetic a worker promises; a calibration belongs to one class."""

    FP32 = 0
    FP16 = 1
    BF16_FP32_RESIDUAL = 2
    BF16 = 3


@dataclass(frozen=True, slots=True)
class ServiceSpec(Encoded):
    """A model as the chain knows it: exact files, arithmetic, sampler and sketch scales.

    `logit_shift` and `hidden_shift` scale the sketch lanes by `2^shift`. Raises FieldError for values outside
    the protocol.
    """

    name: bytes
    weights_root: bytes
    tokenizer_hash: bytes
    template_hash: bytes
    graph_hash: bytes
    sampler_version: int
    top_k: int
    numerics: NumericsClass
    vocab_size: int
    context_length: int
    logit_shift: int
    hidden_shift: int

    def __post_init__(self) -> None:
        self._set(
            name=short(self.name, MAX_NAME, "name"),
            numerics=variant(NumericsClass, self.numerics, "numerics"),
        )
        self._hashes("weights_root", "tokenizer_hash", "template_hash", "graph_hash")
        self._uints(
            sampler_version=8, top_k=8, vocab_size=32, context_length=32, logit_shift=8, hidden_shift=8
        )
        if self.sampler_version != SAMPLER_VERSION:
            raise FieldError(f"sampler_version must be {SAMPLER_VERSION}, got {self.sampler_version}")
        if not 1 <= self.top_k <= MAX_TOP_K:
            raise FieldError(f"top_k must be in 1..={MAX_TOP_K}, got {self.top_k}")

    def encode(self) -> bytes:
        """SCALE bytes."""
        hashes = self.weights_root + self.tokenizer_hash + self.template_hash + self.graph_hash
        small = bytes([self.sampler_version, self.top_k, self.numerics])
        sizes = uint(self.vocab_size, 32) + uint(self.context_length, 32)
        return vec_bytes(self.name) + hashes + small + sizes + bytes([self.logit_shift, self.hidden_shift])

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one spec; raises DecodeError."""
        start = reader.offset
        name = reader.vec_bytes("name", MAX_NAME)
        hashes = [
            reader.take(32, what)
            for what in ("weights_root", "tokenizer_hash", "template_hash", "graph_hash")
        ]
        version, top_k = reader.uint(8, "sampler_version"), reader.uint(8, "top_k")
        numerics = reader.variant(len(NumericsClass), "numerics")
        sizes = reader.uint(32, "vocab_size"), reader.uint(32, "context_length")
        shifts = reader.uint(8, "logit_shift"), reader.uint(8, "hidden_shift")
        return made(cls, start, name, *hashes, version, top_k, numerics, *sizes, *shifts)

    @property
    def id(self) -> bytes:
        """`spec_id`, the hash under which the chain registers the spec."""
        return domain_hash("spec", self.encode())


@dataclass(frozen=True, slots=True)
class Calibration(Encoded):
    """Squared-distance thresholds of honest runs, fitted on measured positions.

    `*_q95`, `*_q99`: squared lane distances; `tau_sample`: Q16.16 nat; `positions`: how many were measured;
    `expires_at`: block.
    """

    logit_q95: int
    logit_q99: int
    hidden_q95: int
    hidden_q99: int
    tau_sample: int
    positions: int
    expires_at: int

    def __post_init__(self) -> None:
        self._uints(
            logit_q95=64,
            logit_q99=64,
            hidden_q95=64,
            hidden_q99=64,
            tau_sample=32,
            positions=32,
            expires_at=32,
        )

    def encode(self) -> bytes:
        """SCALE bytes."""
        wide = (self.logit_q95, self.logit_q99, self.hidden_q95, self.hidden_q99)
        narrow = (self.tau_sample, self.positions, self.expires_at)
        return b"".join([uint(value, 64) for value in wide] + [uint(value, 32) for value in narrow])

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one calibration row; raises DecodeError."""
        wide = [reader.uint(64, what) for what in ("logit_q95", "logit_q99", "hidden_q95", "hidden_q99")]
        narrow = [reader.uint(32, what) for what in ("tau_sample", "positions", "expires_at")]
        return cls(*wide, *narrow)
