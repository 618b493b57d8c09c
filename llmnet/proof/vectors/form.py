"""How objects look in a vector file: bytes as 0x hex, 64-bit and wider integers as decimal strings, the rest
as JSON numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, IntEnum
from typing import Any

from llmnet.proof.leaf import Candidate

# Fields of 64 bits and more: decimal strings whatever their value, so that no reader has to guess.
WIDE = frozenset(
    (
        *("session", "amount", "stake", "price", "price_in", "price_out"),
        *("logit_q95", "logit_q99", "hidden_q95", "hidden_q99", "d2_logit", "d2_hidden"),
        *("x", "ln", "ln_q48", "scores"),
    )
)
Case = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class VectorFile:
    """One primitive: what its cases mean and the cases."""

    name: str
    about: str
    cases: list[Case]

    def render(self) -> str:
        """The file's text: one case a line."""
        head = f'{{\n"name": {json.dumps(self.name)},\n"about": {json.dumps(self.about)},\n"cases": [\n'
        return (
            head + ",\n".join(json.dumps(case, separators=(", ", ": ")) for case in self.cases) + "\n]\n}\n"
        )


def plain(value: object, name: str = "") -> Any:
    """A value of the protocol as JSON; `name` is the field it stands in."""
    if isinstance(value, Enum):
        return variant_name(value) if isinstance(value, IntEnum) else value.value
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value) if name in WIDE else value
    if isinstance(value, (bytes, bytearray)):
        return "0x" + value.hex()
    if isinstance(value, Candidate):
        return {"id": value.id, "logprob": value.logprob}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item, key) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item, name) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in a vector")


def variant_name(value: IntEnum) -> str:
    """Enum members as Rust writes its variants: BF16_FP32_RESIDUAL -> Bf16Fp32Residual."""
    return "".join(part.capitalize() for part in value.name.split("_"))


def case(given: Mapping[str, object], out: Mapping[str, object]) -> Case:
    """One case."""
    return {"in": plain(given), "out": plain(out)}


def unique(cases: Iterable[Case]) -> list[Case]:
    """The cases without those whose input came before."""
    return list({str(item["in"]): item for item in cases}.values())
