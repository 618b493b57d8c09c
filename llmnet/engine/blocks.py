"""Which request owns which page of the KV cache. Pure bookkeeping: no tensors here."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from llmnet.engine.errors import IntegrityError


class BlockManager:
    """Hands out pages of `page_size` tokens; every page is either free or in exactly one owner's table."""

    def __init__(self, num_pages: int, page_size: int) -> None:
        if num_pages < 1 or page_size < 1:
            raise ValueError(
                f"a cache needs at least one page and one token a page, got {num_pages} x {page_size}"
            )
        self.num_pages = num_pages
        self.page_size = page_size
        self._free = list(range(num_pages - 1, -1, -1))  # a stack: page 0 is handed out first
        self._tables: dict[Hashable, list[int]] = {}

    @property
    def num_free(self) -> int:
        """Pages that nobody owns."""
        return len(self._free)

    @property
    def capacity(self) -> int:
        """Tokens that fit into the whole cache."""
        return self.num_pages * self.page_size

    def table(self, owner: Hashable) -> Sequence[int]:
        """The owner's pages in the order of its positions; empty if it has none."""
        return self._tables.get(owner, ())

    def grow(self, owner: Hashable, num_tokens: int) -> bool:
        """Make the owner's table long enough for `num_tokens` positions. False, and nothing changed, if pages
        are short.
        """
        have = len(self._tables.get(owner, ()))
        missing = -(-num_tokens // self.page_size) - have
        if missing > len(self._free):
            return False
        if missing > 0:
            self._tables.setdefault(owner, []).extend(self._free.pop() for _ in range(missing))
        return True

    def free(self, owner: Hashable) -> None:
        """Take all pages back; nothing happens if the owner has none."""
        self._free.extend(reversed(self._tables.pop(owner, [])))

    def slot(self, owner: Hashable, position: int) -> int:
        """Index into the flattened cache where the KV of a position lies."""
        return self._tables[owner][position // self.page_size] * self.page_size + position % self.page_size

    def check_integrity(self) -> None:
        """Raise `IntegrityError` unless every page is accounted for exactly once."""
        seen = sorted([*self._free, *(page for table in self._tables.values() for page in table)])
        if seen != list(range(self.num_pages)):
            raise IntegrityError(
                f"pages are lost or owned twice: {len(seen)} accounted for, {self.num_pages} exist"
            )
        if any(not table for table in self._tables.values()):
            raise IntegrityError("an owner without pages is still listed")
