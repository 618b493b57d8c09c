"""Finding entries of a runtime by what somebody typed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .chain_values import Values
from .config import ConfigError

if TYPE_CHECKING:
    from llmnet.chain import Metadata, Runtime

T = TypeVar("T")


def pick(what: str, typed: str, known: Iterable[str]) -> str:
    """The known name that was typed, whatever its case, hyphens for underscores. Raises ConfigError with the nearest."""
    names = list(known)
    simple = {_simple(name): name for name in names}
    if typed in names:
        return typed
    if _simple(typed) in simple:
        return simple[_simple(typed)]
    near = difflib.get_close_matches(_simple(typed), simple, n=3)
    hint = (
        f"; did you mean {', '.join(simple[name] for name in near)}?"
        if near
        else f"; there are {', '.join(names) or 'none'}"
    )
    raise ConfigError(f"there is no {what} {typed[:60]!r}{hint}")


def _simple(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def pallet_name(metadata: Metadata, typed: str) -> str:
    """Raises ConfigError."""
    return pick("pallet", typed, metadata.pallets)


def arguments(
    runtime: Runtime, inputs: Sequence[tuple[str, int]], given: Sequence[str], what: str
) -> dict[str, Any]:
    """Values by name from words on the command line, in order or as NAME=VALUE. Raises ConfigError."""
    values, wanted = Values(runtime), dict(inputs)
    texts: dict[str, str] = {}
    free = [name for name, _ in inputs]
    for word in given:
        name, equals, text = word.partition("=")
        if equals and name in wanted:
            if name in texts:
                raise ConfigError(f"{what}: {name} is given twice")
            texts[name] = text
            free = [other for other in free if other != name]
            continue
        if not free:
            raise ConfigError(f"{what} takes {usage(runtime, inputs)}; {word[:60]!r} is too much")
        texts[free.pop(0)] = word
    missing = [name for name in wanted if name not in texts]
    if missing:
        raise ConfigError(f"{what} takes {usage(runtime, inputs)}; {', '.join(missing)} is missing")
    return {name: values.parse(type_id, texts[name], name) for name, type_id in inputs}


def usage(runtime: Runtime, inputs: Sequence[tuple[str, int]]) -> str:
    """The arguments with their types."""
    words = runtime.bound.shapes.words
    return ", ".join(f"{name}: {words(type_id)}" for name, type_id in inputs) or "no arguments"


def first_sentence(docs: Sequence[str]) -> str:
    """The first line of documentation that says something."""
    return next((line.strip() for line in docs if line.strip() and not line.lstrip().startswith("#")), "")
