"""Faults that a planter has ordered: exactly the listed answers are computed wrongly, to see whether panels look.

The list is a text file with a line SESSION/INDEX for each answer; what follows a `#` is a remark. It may grow while the worker runs.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from llmnet.engine import GenerationRequest
from llmnet.proof import Leaf

from .backend import Backend, Finished, Piece, Scorer
from .errors import SetupError

log = logging.getLogger(__name__)
_LINE = re.compile(r"([0-9]{1,19})/([0-9]{1,9})")
MAX_BYTES = 1 << 20


def read_plants(path: Path) -> frozenset[tuple[int, int]]:
    """Session and index of every planted answer. Raises SetupError that names the line."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the list of plants {path} cannot be read: {error}") from None
    if len(text) > MAX_BYTES:
        raise SetupError(f"the list of plants {path} is larger than {MAX_BYTES} bytes")
    found = set()
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].strip()
        match = _LINE.fullmatch(words)
        if words and match is None:
            raise SetupError(f"{path}, line {number}: {words[:40]!r} is not SESSION/INDEX")
        if match is not None:
            found.add((int(match[1]), int(match[2])))
    return frozenset(found)


class Plants:
    """A list of plants, read again whenever its file has changed. One that cannot be read any more stays as it was."""

    def __init__(self, path: Path) -> None:
        """Raises SetupError."""
        self._path, self._listed, self._mark = path, read_plants(path), _mark(path)

    def __call__(self, session: int, index: int) -> bool:
        """Whether this answer is to be wrong."""
        mark = _mark(self._path)
        if mark != self._mark:
            self._mark = mark
            try:
                self._listed = read_plants(self._path)
            except SetupError as error:
                log.error("%s; the list stays as it was", error)
        return (session, index) in self._listed


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class PlantedBackend:
    """An honest backend, and another one for the planted answers, which is made when the first of them is asked for."""

    def __init__(
        self, honest: Backend, make_wrong: Callable[[], Backend], planted: Callable[[int, int], bool]
    ) -> None:
        self._honest, self._make_wrong, self._planted = honest, make_wrong, planted
        self._wrong: Backend | None = None

    async def generate(self, job: GenerationRequest) -> AsyncGenerator[Piece | Finished, None]:
        """See `Backend`."""
        session, index = map(int, job.request_id.split("/"))
        backend = self._honest
        if self._planted(session, index):
            log.warning("answer %s/%s is planted: it is computed with another model", session, index)
            self._wrong = self._wrong or self._make_wrong()
            backend = self._wrong
        async with aclosing(backend.generate(job)) as items:
            async for item in items:
                yield item

    async def score(
        self, prompt_ids: Sequence[int], tokens: Sequence[int], request_seed: bytes
    ) -> list[Leaf]:
        """See `Scorer`: as the honest backend has them."""
        if not isinstance(self._honest, Scorer):
            raise TypeError("the honest backend cannot compute leaves again")
        return await self._honest.score(prompt_ids, tokens, request_seed)

    def close(self) -> None:
        """See `Backend`."""
        self._honest.close()
        if self._wrong is not None:
            self._wrong.close()
