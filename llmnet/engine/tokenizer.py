"""Text to token ids and back: ChatML prompts, and a detokeniser that never splits a character.

Ids follow from the messages by the spec's tokenizer and template, so worker and verifier must agree to the
last id. This module needs no torch.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Sequence
from typing import Any

from llmnet.engine.errors import PromptError, UnsupportedModelError
from llmnet.engine.weights import TEMPLATE, TOKENIZER, ModelFiles
from llmnet.proof import Message, Role

# The only template rendered so far. Its text is compared with the model's, so another template is refused,
# not misread.
CHATML_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
DEFAULT_SYSTEM_PROMPT = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
_ROLE_NAMES = {Role.SYSTEM: "system", Role.USER: "user", Role.ASSISTANT: "assistant"}


class Tokenizer:
    """Byte-level BPE of one model, with its ChatML template."""

    def __init__(self, files: ModelFiles) -> None:
        from tokenizers import Tokenizer as Backend

        source = files.read_bytes(TOKENIZER).decode()
        if files.read_bytes(TEMPLATE).decode() != CHATML_TEMPLATE:
            raise UnsupportedModelError(
                f"{files.path}: its chat template is not the ChatML template that is supported"
            )
        self._backend = Backend.from_str(source)
        # Content is data: "<|im_end|>" typed by a user is eleven characters, never the end of a turn.
        self._backend.encode_special_tokens = True
        self._bytes = _token_bytes(json.loads(source), files.config.vocab_size)
        self._start = self._special("<|im_start|>")
        self._end = self._special("<|im_end|>")
        self._newline = self.encode("\n")
        self.eos_token_id = files.config.eos_token_id

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; special tokens in it are spelled out as ordinary characters."""
        return list(self._backend.encode(text, add_special_tokens=False).ids)

    def encode_chat(self, messages: Sequence[Message]) -> list[int]:
        """Prompt ids: the default system prompt unless the first message is one, the messages, an opened
        assistant turn.

        Raises `PromptError` if there is no message.
        """
        if not messages:
            raise PromptError("a request needs at least one message")
        ids: list[int] = []
        if messages[0].role != Role.SYSTEM:
            ids += self._turn("system", DEFAULT_SYSTEM_PROMPT)
        for message in messages:
            ids += self._turn(_ROLE_NAMES[Role(message.role)], message.text)
        return [*ids, self._start, *self.encode("assistant\n")]

    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids. Special tokens give nothing, bytes that are no UTF-8 give U+FFFD."""
        return b"".join(self._bytes[i] for i in ids).decode("utf-8", errors="replace")

    def token_bytes(self, token: int) -> bytes:
        """Bytes that one token stands for; empty for special tokens and unused ids."""
        return self._bytes[token]

    def _turn(self, role: str, content: str) -> list[int]:
        # Role line and content are one piece, as in the rendered template; only the markers around it are
        # special.
        return [self._start, *self.encode(f"{role}\n{content}"), self._end, *self._newline]

    def _special(self, token: str) -> int:
        found = self._backend.token_to_id(token)
        if found is None:
            raise UnsupportedModelError(f"the tokenizer has no {token} token")
        return int(found)


class Detokenizer:
    """Turns a stream of tokens into text; what would be half a character waits for its other half."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token: int) -> str:
        """Text that became certain with this token (may be empty)."""
        return self._decoder.decode(self._tokenizer.token_bytes(token))

    def finish(self) -> str:
        """What an unfinished character at the end amounts to."""
        return self._decoder.decode(b"", final=True)


def _token_bytes(source: dict[str, Any], vocab_size: int) -> list[bytes]:
    """Bytes of every id, by GPT-2's map from printable characters to bytes."""
    table = {char: byte for byte, char in printable_bytes().items()}
    special = {entry["id"] for entry in source["added_tokens"] if entry["special"]}
    result = [b""] * vocab_size
    for token, index in source["model"]["vocab"].items():
        if index >= vocab_size:
            raise UnsupportedModelError(
                f"token {token!r} has id {index}, the model's vocabulary ends at {vocab_size}"
            )
        if index not in special:
            result[index] = bytes(table[char] for char in token)
    return result


def printable_bytes() -> dict[int, str]:
    """Byte -> character as GPT-2's byte-level BPE writes it: printable ones as themselves, the rest from
    U+0100 on.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    table = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(256 + len(table) - len(printable))
    return table
