"""What goes into the engine and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmnet.engine.errors import EngineError, RequestError
from llmnet.proof import FinishReason, Leaf

MAX_STOPS = 16


@dataclass(frozen=True)
class GenerationRequest:
    """One answer to generate. `temperature` is in 1/256 (0 = greedy), `request_seed` the 32 bytes of the
    protocol.

    Requests with the same `cache_salt` share what was computed for the same beginnings of their prompts, and so
    can tell by the time it takes whether somebody asked before.
    """

    request_id: str
    prompt_ids: tuple[int, ...]
    temperature: int
    max_tokens: int
    request_seed: bytes = field(repr=False)
    stop: tuple[str, ...] = ()
    cache_salt: bytes = b""

    def check(self, vocab_size: int) -> None:
        """Raise `RequestError` for values that no model could serve."""
        if not self.prompt_ids:
            raise RequestError("the prompt is empty")
        if min(self.prompt_ids) < 0 or max(self.prompt_ids) >= vocab_size:
            raise RequestError(f"prompt token ids must be in 0..{vocab_size - 1}")
        if self.max_tokens < 1:
            raise RequestError(f"max_tokens must be at least 1, got {self.max_tokens}")
        if not 0 <= self.temperature <= 0xFFFF:
            raise RequestError(f"temperature must be in 0..65535 (1/256), got {self.temperature}")
        if len(self.request_seed) != 32:
            raise RequestError(f"request_seed must be 32 bytes, got {len(self.request_seed)}")
        if len(self.stop) > MAX_STOPS or not all(self.stop):
            raise RequestError(f"stop takes at most {MAX_STOPS} strings, none of them empty")


@dataclass(frozen=True)
class Output:
    """News of one request after one step. `text_delta` may lag behind `new_tokens` (half characters, possible
    stop strings).

    With `error` set the request is finished without a reason: it failed, and gets no leaf for this step.
    """

    request_id: str
    new_tokens: tuple[int, ...] = ()
    text_delta: str = ""
    leaf: Leaf | None = None
    finished: bool = False
    finish_reason: FinishReason | None = None
    error: EngineError | None = None
