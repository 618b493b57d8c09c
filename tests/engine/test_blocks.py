"""Pages are never lost, never shared. No torch."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from llmnet.engine.blocks import BlockManager
from llmnet.engine.errors import IntegrityError

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


def test_integrity_check_sees_a_page_owned_twice() -> None:
    blocks = BlockManager(4, SIZE)
    blocks.grow("a", 8)
    blocks.grow("b", 4)
    blocks._tables["b"][0] = blocks._tables["a"][0]
    with pytest.raises(IntegrityError, match="owned twice"):
        blocks.check_integrity()


def test_integrity_check_sees_a_lost_page() -> None:
    blocks = BlockManager(4, SIZE)
    blocks._free.pop()
    with pytest.raises(IntegrityError, match="lost"):
        blocks.check_integrity()


@pytest.mark.parametrize(("pages", "size"), [(0, 16), (4, 0), (-1, 16)])
def test_a_cache_of_nothing_is_refused(pages: int, size: int) -> None:
    with pytest.raises(ValueError, match="at least one page"):
        BlockManager(pages, size)
