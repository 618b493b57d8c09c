"""Which request owns which pages of the KV cache, and which pages can be found again. Pure bookkeeping."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence

from llmnet.engine.errors import IntegrityError
from llmnet.engine.prefix import next_key


class BlockManager:
    """Hands out pages of `page_size` tokens.

    A page is blank, or in the tables of one or more owners, or kept: nobody's, but full of something that may be
    asked for again. Kept pages count as free, the one not used for longest is given away first. Only full pages
    are ever shared, so an owner writes into no page that another one reads.
    """

    def __init__(self, num_pages: int, page_size: int) -> None:
        if num_pages < 1 or page_size < 1:
            raise ValueError(
                f"a cache needs at least one page and one token a page, got {num_pages} x {page_size}"
            )
        self.num_pages = num_pages
        self.page_size = page_size
        self._blank = list(range(num_pages - 1, -1, -1))  # a stack: page 0 is handed out first
        self._kept: OrderedDict[int, None] = OrderedDict()  # longest unused first
        self._tables: dict[Hashable, list[int]] = {}
        self._owners: Counter[int] = Counter()
        self._chains: dict[
            Hashable, list[bytes]
        ] = {}  # keys of an owner's leading full pages, after their root
        self._keys: dict[int, bytes] = {}
        self._pages: dict[bytes, int] = {}

    @property
    def num_free(self) -> int:
        """Pages that nobody owns."""
        return len(self._blank) + len(self._kept)

    @property
    def num_owned(self) -> int:
        """Pages that somebody owns, each counted once."""
        return len(self._owners)

    @property
    def capacity(self) -> int:
        """Tokens that fit into the whole cache."""
        return self.num_pages * self.page_size

    def table(self, owner: Hashable) -> Sequence[int]:
        """The owner's pages in the order of its positions; empty if it has none."""
        return self._tables.get(owner, ())

    def adopt(self, owner: Hashable, tokens: Sequence[int], root: bytes) -> int:
        """Give a new owner the known pages that `tokens` begin with; returns how many tokens they hold.

        The last token is never among them: somebody has to compute what follows it.
        """
        if self._tables.get(owner):
            raise IntegrityError(f"{owner!r} has pages already")
        chain, table, before = [], [], root
        for start in range(0, (len(tokens) - 1) // self.page_size * self.page_size, self.page_size):
            before = next_key(before, tokens[start : start + self.page_size])
            page = self._pages.get(before)
            if page is None:
                break
            chain.append(before)
            table.append(page)
        if table:
            for page in table:
                self._kept.pop(page, None)
                self._owners[page] += 1
            self._tables[owner], self._chains[owner] = table, chain
        return len(table) * self.page_size

    def publish(self, owner: Hashable, tokens: Sequence[int], count: int, root: bytes) -> None:
        """Let the owner's pages that the first `count` tokens fill be found by others. Those have been computed."""
        table, chain = self._tables[owner], self._chains.setdefault(owner, [])
        while (len(chain) + 1) * self.page_size <= count:
            start = len(chain) * self.page_size
            key = next_key(chain[-1] if chain else root, tokens[start : start + self.page_size])
            page = table[len(chain)]
            chain.append(key)
            if key not in self._pages:  # otherwise somebody computed the same at the same time: one is enough
                self._pages[key], self._keys[page] = page, key

    def grow(self, owner: Hashable, num_tokens: int) -> bool:
        """Make the owner's table long enough for `num_tokens` positions. False, and nothing changed, if pages
        are short.
        """
        have = len(self._tables.get(owner, ()))
        missing = -(-num_tokens // self.page_size) - have
        if missing > self.num_free:
            return False
        if missing > 0:
            self._tables.setdefault(owner, []).extend(self._take() for _ in range(missing))
        return True

    def free(self, owner: Hashable) -> None:
        """Take all pages back; nothing happens if the owner has none."""
        self._chains.pop(owner, None)
        # Backwards, so that the end of a prompt is forgotten before its beginning.
        for page in reversed(self._tables.pop(owner, [])):
            self._owners[page] -= 1
            if self._owners[page] == 0:
                del self._owners[page]
                if page in self._keys:
                    self._kept[page] = None
                else:
                    self._blank.append(page)

    def slot(self, owner: Hashable, position: int) -> int:
        """Index into the flattened cache where the KV of a position lies."""
        return self._tables[owner][position // self.page_size] * self.page_size + position % self.page_size

    def check_integrity(self) -> None:
        """Raise `IntegrityError` unless every page is accounted for exactly once, and shared only if it is known
        by what is in it.
        """
        counted = Counter(page for table in self._tables.values() for page in table)
        if counted != self._owners or any(len(set(table)) < len(table) for table in self._tables.values()):
            raise IntegrityError("pages are owned twice without anybody knowing")
        seen = sorted([*self._blank, *self._kept, *self._owners])
        if seen != list(range(self.num_pages)):
            raise IntegrityError(f"pages are lost: {len(seen)} accounted for, {self.num_pages} exist")
        if any(not table for table in self._tables.values()):
            raise IntegrityError("an owner without pages is still listed")
        if {key: page for page, key in self._keys.items()} != self._pages:
            raise IntegrityError("keys and pages do not belong together")
        if any(page not in self._keys for page in self._kept) or any(
            page in self._keys for page in self._blank
        ):
            raise IntegrityError("a page is kept that nobody can find, or blank and yet findable")
        if any(count > 1 and page not in self._keys for page, count in counted.items()):
            raise IntegrityError("a page is shared that is not full")

    def _take(self) -> int:
        if self._blank:
            page = self._blank.pop()
        else:
            page, _ = self._kept.popitem(last=False)
            del self._pages[self._keys.pop(page)]
        self._owners[page] = 1
        return page
