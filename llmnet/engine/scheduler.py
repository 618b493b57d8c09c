"""Who runs in the next step, and how many tokens of each. Pure bookkeeping: no tensors here.

There are no phases: a sequence has tokens, some of which are computed, and catches up. A prompt is a sequence
that is far behind, a decoding one is one token behind, a preempted one starts over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from llmnet.engine.blocks import BlockManager
from llmnet.engine.errors import ContextLengthError, DuplicateRequestError, IntegrityError


@dataclass(eq=False)
class Sequence:
    """The tokens of one request. `num_computed` of them have their KV in the cache."""

    request_id: str
    tokens: list[int]
    max_tokens: int
    root: bytes | None = None  # whose pages it may share (`llmnet.engine.prefix`); None: nobody's
    num_prompt: int = field(init=False)
    num_computed: int = 0
    arrival: int = -1

    def __post_init__(self) -> None:
        self.num_prompt = len(self.tokens)

    @property
    def behind(self) -> int:
        """Tokens that are known and not computed."""
        return len(self.tokens) - self.num_computed

    @property
    def num_output(self) -> int:
        """Tokens generated so far."""
        return len(self.tokens) - self.num_prompt


@dataclass(frozen=True)
class Chunk:
    """The next `count` uncomputed tokens of a sequence."""

    sequence: Sequence
    count: int

    @property
    def reaches_end(self) -> bool:
        """Whether the next token can be sampled after this chunk."""
        return self.count == self.sequence.behind


class Scheduler:
    """First come, first served; the youngest makes room when pages run out.

    A request is only let in when everybody before it has caught up as far as the step allows. So all running
    sequences but the youngest are decoding, and a long prompt never takes the turn of one of them.
    """

    def __init__(
        self, blocks: BlockManager, *, context_length: int, max_batch: int = 16, max_step_tokens: int = 256
    ) -> None:
        if max_batch < 1 or max_step_tokens < max_batch:
            raise ValueError(
                f"max_batch must be at least 1 and max_step_tokens at least max_batch, "
                f"got {max_batch}, {max_step_tokens}"
            )
        self.blocks = blocks
        self.max_batch = max_batch
        self.max_step_tokens = max_step_tokens
        self.context_length = context_length
        self.num_preemptions = 0
        self.num_found = 0  # tokens that did not have to be computed because their pages were there
        self._sequences: dict[str, Sequence] = {}
        self._waiting: deque[Sequence] = deque()
        self._running: list[Sequence] = []  # in order of arrival
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._sequences)

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._sequences

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence. Raises `DuplicateRequestError` or `ContextLengthError`."""
        if sequence.request_id in self._sequences:
            raise DuplicateRequestError(f"request {sequence.request_id!r} is still running")
        total = sequence.num_prompt + sequence.max_tokens
        limit = min(self.context_length, self.blocks.capacity)
        if total > limit:
            raise ContextLengthError(
                f"{sequence.num_prompt} prompt tokens and max_tokens {sequence.max_tokens} make {total}, "
                f"the limit is {limit}: shorten the prompt or lower max_tokens"
            )
        sequence.arrival = self._arrivals
        self._arrivals += 1
        self._sequences[sequence.request_id] = sequence
        self._waiting.append(sequence)

    def remove(self, request_id: str) -> bool:
        """Forget a request, finished or aborted, and free its pages. False if it is not known."""
        sequence = self._sequences.pop(request_id, None)
        if sequence is None:
            return False
        if sequence in self._running:
            self._running.remove(sequence)
        else:
            self._waiting.remove(sequence)
        self.blocks.free(request_id)
        return True

    def schedule(self) -> list[Chunk]:
        """Chunks of the next step; their pages are reserved. Chunks of one token come first."""
        chosen = self._schedule_running()
        self._admit(chosen)
        chunks = [Chunk(self._sequences[name], count) for name, count in chosen.items()]
        return sorted(chunks, key=lambda chunk: chunk.count > 1)

    def computed(self, chunks: list[Chunk]) -> None:
        """The step ran: its tokens are in the cache."""
        for chunk in chunks:
            sequence = chunk.sequence
            sequence.num_computed += chunk.count
            if sequence.root is not None:
                self.blocks.publish(
                    sequence.request_id, sequence.tokens, sequence.num_computed, sequence.root
                )

    def check_integrity(self) -> None:
        """Raise `IntegrityError` if bookkeeping and block tables contradict each other."""
        self.blocks.check_integrity()
        names = [sequence.request_id for sequence in (*self._running, *self._waiting)]
        arrivals = [sequence.arrival for sequence in (*self._running, *self._waiting)]
        if sorted(names) != sorted(self._sequences) or arrivals != sorted(arrivals):
            raise IntegrityError("running and waiting requests are not what was added, in order of arrival")
        if len(self._running) > self.max_batch:
            raise IntegrityError(f"{len(self._running)} sequences are running, at most {self.max_batch} may")
        if self.blocks.num_owned != len({page for name in names for page in self.blocks.table(name)}):
            raise IntegrityError("pages are owned by a request that is gone")
        for sequence in self._sequences.values():
            held = len(self.blocks.table(sequence.request_id)) * self.blocks.page_size
            if not 0 <= sequence.num_computed <= min(held, len(sequence.tokens)):
                raise IntegrityError(
                    f"{sequence.request_id!r}: {sequence.num_computed} tokens computed, pages hold {held}"
                )
        if any(sequence.num_computed for sequence in self._waiting):
            raise IntegrityError("a waiting sequence claims computed tokens")

    def _schedule_running(self) -> dict[str, int]:
        chosen: dict[str, int] = {}
        budget = self.max_step_tokens
        for sequence in list(self._running):
            count = min(sequence.behind, budget)
            if count and sequence in self._running and self._make_room(sequence, count, chosen):
                chosen[sequence.request_id] = count
            budget = self.max_step_tokens - sum(chosen.values())
        return chosen

    def _make_room(self, sequence: Sequence, count: int, chosen: dict[str, int]) -> bool:
        """Reserve pages, preempting the youngest until they suffice; False if the youngest is the sequence
        itself.
        """
        while not self.blocks.grow(sequence.request_id, sequence.num_computed + count):
            victim = self._running[-1]
            self._preempt(victim)
            chosen.pop(victim.request_id, None)
            if victim is sequence:
                return False
        return True

    def _preempt(self, victim: Sequence) -> None:
        self._running.remove(victim)
        self.blocks.free(
            victim.request_id
        )  # what was in its full pages may still be there when it comes back
        victim.num_computed = 0
        self._waiting.appendleft(victim)
        self.num_preemptions += 1

    def _admit(self, chosen: dict[str, int]) -> None:
        budget = self.max_step_tokens - sum(chosen.values())
        while self._waiting and budget and len(self._running) < self.max_batch:
            sequence = self._waiting[0]
            found = self._adopt(sequence)
            # Room for all its tokens, not for this chunk only: a long sequence would come back, be sent away in
            # the middle of its recomputation, and come back.
            if not self.blocks.grow(sequence.request_id, len(sequence.tokens)):
                self.blocks.free(sequence.request_id)
                return
            sequence.num_computed = found
            self.num_found += found
            self._running.append(self._waiting.popleft())
            count = min(sequence.behind, budget)
            chosen[sequence.request_id] = count
            budget -= count

    def _adopt(self, sequence: Sequence) -> int:
        """Tokens of the sequence that are in the cache already; it owns their pages now."""
        if sequence.root is None:
            return 0
        return self.blocks.adopt(sequence.request_id, sequence.tokens, sequence.root)
