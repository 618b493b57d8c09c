"""Pages are never lost, never shared. No torch."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from llmnet.engine.blocks import BlockManager
from llmnet.engine.errors import IntegrityError
from llmnet.engine.prefix import root_key

PAGES, SIZE = 9, 4


class Pages(RuleBasedStateMachine):
    """Owners grow and go in any order; a dictionary of lengths is the model."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = BlockManager(PAGES, SIZE)
        self.tokens: dict[int, int] = {}

    @rule(owner=st.integers(0, 4), tokens=st.integers(0, PAGES * SIZE + 5))
    def grow(self, owner: int, tokens: int) -> None:
        held = {who: -(-count // SIZE) for who, count in self.tokens.items()}
        wanted = max(-(-tokens // SIZE), held.get(owner, 0))
        fits = sum(held.values()) - held.get(owner, 0) + wanted <= PAGES
        before = list(self.blocks.table(owner))
        assert self.blocks.grow(owner, tokens) is fits
        assert list(self.blocks.table(owner))[: len(before)] == before, (
            "pages that hold data stay where they are"
        )
        if fits:
            self.tokens[owner] = max(tokens, self.tokens.get(owner, 0))
        else:
            assert list(self.blocks.table(owner)) == before

    @rule(owner=st.integers(0, 4))
    def free(self, owner: int) -> None:
        self.blocks.free(owner)
        self.tokens.pop(owner, None)

    @invariant()
    def every_position_has_a_slot_of_its_own(self) -> None:
        self.blocks.check_integrity()
        slots = [self.blocks.slot(owner, at) for owner, count in self.tokens.items() for at in range(count)]
        assert len(set(slots)) == len(slots)
        assert all(0 <= slot < self.blocks.capacity for slot in slots)


TestPages = Pages.TestCase


class Shared(RuleBasedStateMachine):
    """Owners with tokens of their own, some beginning alike; a dictionary says what was written where."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = BlockManager(PAGES, SIZE)
        self.tokens: dict[int, list[int]] = {}
        self.written: dict[int, tuple[int, ...]] = {}  # slot -> all tokens up to and with the one it holds
        self.count = 0

    @rule(tokens=st.lists(st.integers(0, 1), min_size=1, max_size=16), salt=st.sampled_from([b"", b"x"]))
    def arrive(self, tokens: list[int], salt: bytes) -> None:
        self.count += 1
        root = root_key(salt=salt)
        found = self.blocks.adopt(self.count, tokens, root)
        assert found % SIZE == 0
        assert found < len(tokens)
        if not self.blocks.grow(self.count, len(tokens)):
            self.blocks.free(self.count)
            return
        content = [(salt[0] if salt else -1), *tokens]
        for at in range(found):
            assert self.written[self.blocks.slot(self.count, at)] == tuple(content[: at + 2])
        for at in range(found, len(tokens)):
            self.written[self.blocks.slot(self.count, at)] = tuple(content[: at + 2])
        self.tokens[self.count] = content
        self.blocks.publish(self.count, tokens, len(tokens), root)

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        if self.tokens:
            owner = data.draw(st.sampled_from(sorted(self.tokens)))
            self.blocks.free(owner)
            del self.tokens[owner]

    @invariant()
    def everybody_reads_what_he_wrote(self) -> None:
        self.blocks.check_integrity()
        for owner, content in self.tokens.items():
            for at in range(len(content) - 1):
                assert self.written[self.blocks.slot(owner, at)] == tuple(content[: at + 2])
        if not self.tokens:
            assert self.blocks.num_free == PAGES


TestShared = Shared.TestCase


def filled(blocks: BlockManager, owner: str, tokens: list[int], salt: bytes = b"") -> int:
    root = root_key(salt=salt)
    found = blocks.adopt(owner, tokens, root)
    assert blocks.grow(owner, len(tokens))
    blocks.publish(owner, tokens, len(tokens), root)
    return found


def test_full_pages_are_found_again_and_the_last_token_never_is() -> None:
    blocks = BlockManager(PAGES, SIZE)
    assert filled(blocks, "a", list(range(12))) == 0
    assert filled(blocks, "b", list(range(12))) == 8, "somebody has to compute what follows the twelfth"
    assert filled(blocks, "c", [*range(12), 99]) == 12
    assert blocks.table("c")[:2] == blocks.table("a")[:2] == blocks.table("b")[:2]


def test_a_page_is_found_only_behind_the_same_beginning() -> None:
    blocks = BlockManager(PAGES, SIZE)
    filled(blocks, "a", [1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert filled(blocks, "b", [0, 2, 3, 4, 5, 6, 7, 8, 9]) == 0


def test_another_salt_or_adapter_finds_nothing() -> None:
    blocks = BlockManager(PAGES, SIZE)
    filled(blocks, "a", list(range(9)), salt=b"one")
    assert filled(blocks, "b", list(range(9)), salt=b"two") == 0
    assert len({root_key("a", b"b"), root_key("", b"ab"), root_key("ab", b""), root_key()}) == 4


def test_what_is_kept_gives_way_to_what_is_needed_oldest_first() -> None:
    blocks = BlockManager(4, SIZE)
    filled(blocks, "old", [1] * 8)
    filled(blocks, "new", [2] * 8)
    blocks.free("old")
    blocks.free("new")
    assert blocks.num_free == 4
    assert blocks.grow("big", 8)
    assert blocks.adopt("x", [1] * 9, root_key()) == 0
    assert blocks.adopt("y", [2] * 9, root_key()) == 8


def test_an_owner_cannot_adopt_twice() -> None:
    blocks = BlockManager(PAGES, SIZE)
    filled(blocks, "a", [1] * 8)
    with pytest.raises(IntegrityError, match="already"):
        blocks.adopt("a", [1] * 8, root_key())


def test_integrity_check_sees_a_shared_page_that_is_not_full() -> None:
    blocks = BlockManager(4, SIZE)
    blocks.grow("a", 2)
    blocks._tables["b"] = list(blocks.table("a"))
    blocks._owners[blocks.table("a")[0]] += 1
    with pytest.raises(IntegrityError, match="not full"):
        blocks.check_integrity()


def test_integrity_check_sees_a_key_without_its_page() -> None:
    blocks = BlockManager(4, SIZE)
    filled(blocks, "a", [1] * 8)
    blocks._pages.popitem()
    with pytest.raises(IntegrityError, match="keys"):
        blocks.check_integrity()


def test_integrity_check_sees_a_page_owned_twice() -> None:
    blocks = BlockManager(4, SIZE)
    blocks.grow("a", 8)
    blocks.grow("b", 4)
    blocks._tables["b"][0] = blocks._tables["a"][0]
    with pytest.raises(IntegrityError, match="owned twice"):
        blocks.check_integrity()


def test_integrity_check_sees_a_lost_page() -> None:
    blocks = BlockManager(4, SIZE)
    blocks._blank.pop()
    with pytest.raises(IntegrityError, match="lost"):
        blocks.check_integrity()


@pytest.mark.parametrize(("pages", "size"), [(0, 16), (4, 0), (-1, 16)])
def test_a_cache_of_nothing_is_refused(pages: int, size: int) -> None:
    with pytest.raises(ValueError, match="at least one page"):
        BlockManager(pages, size)
