"""Everybody is served in the end, in fair order, within budget. No torch."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from llmnet.engine.blocks import BlockManager
from llmnet.engine.errors import ContextLengthError, DuplicateRequestError, IntegrityError
from llmnet.engine.prefix import root_key
from llmnet.engine.scheduler import Chunk, Scheduler, Sequence

PAGES, SIZE, CONTEXT, BATCH, BUDGET = 8, 4, 28, 3, 6


def scheduler(
    pages: int = PAGES, context: int = CONTEXT, batch: int = BATCH, budget: int = BUDGET
) -> Scheduler:
    return Scheduler(
        BlockManager(pages, SIZE), context_length=context, max_batch=batch, max_step_tokens=budget
    )


def advance(plan: Scheduler) -> list[Chunk]:
    """One step with a model that always says token 0."""
    chunks = plan.schedule()
    plan.computed(chunks)
    for chunk in chunks:
        sequence = chunk.sequence
        if sequence.behind == 0:
            sequence.tokens.append(0)
            if sequence.num_output == sequence.max_tokens:
                plan.remove(sequence.request_id)
    return chunks


class Traffic(RuleBasedStateMachine):
    """Requests come, are aborted, and step along while pages are short."""

    def __init__(self) -> None:
        super().__init__()
        self.plan = scheduler()
        self.alive: dict[str, Sequence] = {}
        self.count = 0

    @rule(prompt=st.integers(1, 20), output=st.integers(1, 12))
    def add(self, prompt: int, output: int) -> None:
        self.count += 1
        sequence = Sequence(f"s{self.count}", [0] * prompt, output)
        if prompt + output > CONTEXT:
            with pytest.raises(ContextLengthError):
                self.plan.add(sequence)
            return
        self.plan.add(sequence)
        self.alive[sequence.request_id] = sequence

    @rule(data=st.data())
    def abort(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.alive) or ["nobody"]))
        assert self.plan.remove(name) is (name in self.alive)
        self.alive.pop(name, None)

    @rule()
    def step(self) -> None:
        chunks = advance(self.plan)
        assert sum(chunk.count for chunk in chunks) <= BUDGET
        assert len(chunks) <= BATCH
        assert bool(chunks) is bool(self.alive), "there is work, so there is progress"
        ones = [chunk.count == 1 for chunk in chunks]
        assert ones == sorted(ones, reverse=True), "chunks of one token come first"
        self.alive = {name: item for name, item in self.alive.items() if item.num_output < item.max_tokens}

    @invariant()
    def books_balance(self) -> None:
        self.plan.check_integrity()
        assert len(self.plan) == len(self.alive)

    def teardown(self) -> None:
        worst = sum(2 * (len(item.tokens) + item.max_tokens) for item in self.alive.values()) * (
            len(self.alive) + 1
        )
        for _ in range(worst + 1):
            if not len(self.plan):
                break
            advance(self.plan)
        assert not len(self.plan), "some request starves"
        assert self.plan.blocks.num_free == PAGES


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class Memory(RuleBasedStateMachine):
    """A model whose next token depends on everything that lies in the cache where a sequence's tokens should be.

    Whatever arrives, is aborted, preempted, found in the cache or evicted: the answer is that of being alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plan: Scheduler | None = None
        self.cells: dict[int, int] = {}
        self.alive: dict[str, Sequence] = {}
        self.count = 0
        self.limits = (0, 0, 0)

    @initialize(pages=st.integers(4, 9), batch=st.integers(1, 4), extra=st.integers(0, 9))
    def start(self, pages: int, batch: int, extra: int) -> None:
        self.plan = scheduler(pages=pages, context=100, batch=batch, budget=batch + extra)
        self.limits = (pages * SIZE, batch, batch + extra)

    @rule(
        head=st.integers(0, 3),
        tail=st.lists(st.integers(0, 1), max_size=5),
        output=st.integers(1, 12),
        salt=st.sampled_from([None, b"", b"x"]),
    )
    def add(self, head: int, tail: list[int], output: int, salt: bytes | None) -> None:
        assert self.plan is not None
        tokens = [7] * (head * SIZE) + tail or [1]
        if len(tokens) + output > self.limits[0]:
            return
        self.count += 1
        root = None if salt is None else root_key(salt=salt)
        sequence = Sequence(f"s{self.count}", tokens, output, root)
        self.plan.add(sequence)
        self.alive[sequence.request_id] = sequence

    @rule(data=st.data())
    def abort(self, data: st.DataObject) -> None:
        assert self.plan is not None
        if self.alive:
            name = data.draw(st.sampled_from(sorted(self.alive)))
            assert self.plan.remove(name)
            del self.alive[name]

    @rule()
    def step(self) -> None:
        assert self.plan is not None
        chunks = self.plan.schedule()
        assert bool(chunks) is bool(self.alive), "there is work, so there is progress"
        assert len(chunks) <= self.limits[1]
        assert sum(chunk.count for chunk in chunks) <= self.limits[2]
        for chunk in chunks:
            name, done = chunk.sequence.request_id, chunk.sequence.num_computed
            for at in range(done, done + chunk.count):
                self.cells[self.plan.blocks.slot(name, at)] = hash((at, chunk.sequence.tokens[at]))
        self.plan.computed(chunks)
        for chunk in chunks:
            if chunk.sequence.behind == 0:
                self.finish(chunk.sequence)

    def finish(self, sequence: Sequence) -> None:
        assert self.plan is not None
        read = [
            self.cells[self.plan.blocks.slot(sequence.request_id, at)] for at in range(sequence.num_computed)
        ]
        sequence.tokens.append(said_after(read))
        if sequence.num_output == sequence.max_tokens:
            self.plan.remove(sequence.request_id)
            del self.alive[sequence.request_id]
            assert sequence.tokens == alone(sequence.tokens[: sequence.num_prompt], sequence.max_tokens)

    @invariant()
    def books_balance(self) -> None:
        if self.plan is not None:
            self.plan.check_integrity()

    def teardown(self) -> None:
        for _ in range(2000):
            if not self.alive:
                break
            self.step()
            self.books_balance()
        assert not self.alive, "some request starves"
        assert self.plan is None or self.plan.blocks.num_free == self.plan.blocks.num_pages


def said_after(cells: list[int]) -> int:
    return hash(tuple(cells)) % 2


def alone(prompt: list[int], output: int) -> list[int]:
    tokens = list(prompt)
    for _ in range(output):
        tokens.append(said_after([hash((at, token)) for at, token in enumerate(tokens)]))
    return tokens


TestMemory = Memory.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_model_that_reads_a_neighbours_page_is_noticed() -> None:
    """The machine above must be able to fail: here every page is handed out twice."""
    machine = Memory()
    machine.start(pages=8, batch=2, extra=8)
    machine.add(head=0, tail=[0, 1], output=6, salt=None)
    machine.add(head=0, tail=[1, 0], output=6, salt=None)
    machine.step()
    assert machine.plan is not None
    machine.plan.blocks._tables["s2"][:] = machine.plan.blocks._tables["s1"]
    with pytest.raises(AssertionError):
        for _ in range(8):
            machine.step()


def test_a_prompt_that_is_known_takes_one_step() -> None:
    plan = scheduler(pages=40, context=100, budget=6)
    prompt = list(range(20))
    plan.add(Sequence("first", list(prompt), 4, root_key()))
    steps = 0
    while len(plan):
        advance(plan)
        steps += 1
    plan.add(Sequence("second", list(prompt), 4, root_key()))
    (chunk,) = advance(plan)
    assert chunk.count == 4, "four pages of four were there"
    assert plan.num_found == 16
    while len(plan):
        advance(plan)
        steps -= 1
    assert steps > 1


def test_prompts_do_not_delay_decoding() -> None:
    plan = scheduler(pages=40, context=100)
    plan.add(Sequence("short", [0] * 2, 20))
    advance(plan)
    plan.add(Sequence("long", [0] * 60, 20))
    for _ in range(8):
        chunks = {chunk.sequence.request_id: chunk.count for chunk in advance(plan)}
        assert chunks["short"] == 1
        assert chunks["long"] == BUDGET - 1


def test_the_youngest_is_preempted_and_comes_back() -> None:
    plan = scheduler(pages=4, context=16, budget=8)
    old, young = Sequence("old", [0] * 7, 9), Sequence("young", [0] * 7, 6)
    plan.add(old)
    plan.add(young)
    chunks: list[Chunk] = []
    while plan.num_preemptions == 0:
        chunks = advance(plan)
        plan.check_integrity()
    assert [chunk.sequence for chunk in chunks] == [old]
    assert young.num_computed == 0
    assert young.num_output > 0, "its tokens are kept, only their KV is dropped"
    assert old.num_computed > 0
    while len(plan):
        advance(plan)
    assert (old.num_output, young.num_output) == (9, 6)


def test_a_preempted_sequence_comes_back_when_all_of_it_fits() -> None:
    plan = scheduler(pages=5, context=20, budget=4)
    old, young = Sequence("old", [0] * 4, 15), Sequence("young", [0] * 10, 8)
    plan.add(old)
    plan.add(young)
    while len(plan):
        advance(plan)
        if young.num_computed and "young" in plan:
            assert len(plan.blocks.table("young")) * SIZE >= young.num_computed + young.behind - 1
    assert plan.num_preemptions == 1, "once is enough"


def test_a_request_larger_than_the_whole_cache_is_refused() -> None:
    plan = scheduler(pages=4, context=100)
    plan.add(Sequence("fits", [0] * 10, 6))
    with pytest.raises(ContextLengthError, match=r"make 17, the limit is 16"):
        plan.add(Sequence("no", [0] * 11, 6))
    assert len(plan) == 1


def test_an_id_may_be_used_again_only_after_the_end() -> None:
    plan = scheduler()
    plan.add(Sequence("a", [0], 1))
    with pytest.raises(DuplicateRequestError):
        plan.add(Sequence("a", [0], 1))
    advance(plan)
    plan.add(Sequence("a", [0], 1))
    assert "a" in plan


def test_integrity_check_sees_pages_of_a_request_that_is_gone() -> None:
    plan = scheduler()
    plan.blocks.grow("ghost", 3)
    with pytest.raises(IntegrityError, match="gone"):
        plan.check_integrity()


def test_integrity_check_sees_tokens_computed_without_pages() -> None:
    plan = scheduler()
    sequence = Sequence("a", [0] * 5, 3)
    plan.add(sequence)
    advance(plan)
    sequence.num_computed = 9
    with pytest.raises(IntegrityError, match="computed"):
        plan.check_integrity()


@pytest.mark.parametrize(("batch", "budget"), [(0, 4), (4, 3)])
def test_limits_that_cannot_work_are_refused(batch: int, budget: int) -> None:
    with pytest.raises(ValueError, match="max_batch"):
        scheduler(batch=batch, budget=budget)
