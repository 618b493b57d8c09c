"""The text of an answer: streaming, with stop strings."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.engine.tokenizer import Detokenizer, Tokenizer


class TextStream:
    """Text of one answer. Holds back what may yet turn out to be the beginning of a stop string."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str] = ()) -> None:
        self._detokenizer = Detokenizer(tokenizer)
        self._stop = tuple(stop)
        self._held = ""
        self.stopped = False

    def add(self, token: int) -> str:
        """Text that is certain now. Sets `stopped` once a stop string is complete; the text ends before the
        string.
        """
        return self._pass_on(self._detokenizer.add(token))

    def finish(self) -> str:
        """The rest, when no more tokens come."""
        if self.stopped:
            return ""
        text = self._pass_on(self._detokenizer.finish())
        rest, self._held = self._held, ""
        return text + rest

    def _pass_on(self, text: str) -> str:
        self._held += text
        found = [at for at in (self._held.find(stop) for stop in self._stop) if at >= 0]
        if found:
            certain, self._held, self.stopped = self._held[: min(found)], "", True
            return certain
        keep = max((_overlap(self._held, stop) for stop in self._stop), default=0)
        cut = len(self._held) - keep
        certain, self._held = self._held[:cut], self._held[cut:]
        return certain


def answer_text(tokenizer: Tokenizer, tokens: Sequence[int], stop: Sequence[str] = ()) -> str:
    """The text that belongs to output tokens: what anyone who holds a receipt recomputes for its text
    hash.
    """
    stream = TextStream(tokenizer, stop)
    pieces = [stream.add(token) for token in tokens if not stream.stopped]
    return "".join(pieces) + stream.finish()


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a proper beginning of `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
