"""Text to token ids and back: prompts by the model's chat template, and a detokeniser that never splits a character.

Ids follow from the messages by the spec's tokenizer and template, so worker and verifier must agree to the
last id. This module needs no torch.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Sequence
from typing import Any

from llmnet.engine.errors import PromptError, UnsupportedModelError
from llmnet.engine.template import ChatTemplate
from llmnet.engine.weights import TEMPLATE, TOKENIZER, ModelFiles
from llmnet.proof import Message, Role

# What the default model was trained on.
CHATML_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_NO_BYTE = 0x100  # a character that stands for no byte becomes one beyond the last byte
_ROLE_NAMES = {Role.SYSTEM: "system", Role.USER: "user", Role.ASSISTANT: "assistant"}


class Tokenizer:
    """Byte-level BPE of one model, with its chat template."""

    def __init__(self, files: ModelFiles) -> None:
        from tokenizers import Tokenizer as Backend

        raw = files.read_bytes(TOKENIZER).decode()
        source = json.loads(raw)
        self._backend = Backend.from_str(raw)
        # Content is data: "<|im_end|>" typed by a user is ten characters, never the end of a turn.
        self._backend.encode_special_tokens = True
        self._bytes = _token_bytes(source, files.config.vocab_size)
        self._special = _special_tokens(source)
        spelled = {index: token for token, index in self._special.items()}
        variables = {
            name: spelled[index]
            for name, index in (
                ("eos_token", files.config.eos_token_id),
                ("bos_token", files.config.bos_token_id),
            )
            if index in spelled
        }
        self._template = ChatTemplate(files.read_bytes(TEMPLATE).decode(), list(self._special), variables)
        self.eos_ids = files.config.eos_ids

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; special tokens in it are spelled out as ordinary characters."""
        return list(self._backend.encode(text, add_special_tokens=False).ids)

    def encode_chat(self, messages: Sequence[Message]) -> list[int]:
        """Prompt ids: the messages as the model's template arranges them, and an opened assistant turn.

        Raises `PromptError` if there is no message, or if the template refuses them.
        """
        if not messages:
            raise PromptError("a request needs at least one message")
        chat = [{"role": _ROLE_NAMES[Role(item.role)], "content": item.text} for item in messages]
        ids: list[int] = []
        for piece, special in self._template.pieces(chat):
            ids += [self._special[piece]] if special else self.encode(piece)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids. Special tokens give nothing, bytes that are no UTF-8 give U+FFFD."""
        return b"".join(self._bytes[i] for i in ids).decode("utf-8", errors="replace")

    def token_bytes(self, token: int) -> bytes:
        """Bytes that one token stands for; empty for special tokens and unused ids."""
        return self._bytes[token]


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


def _special_tokens(source: dict[str, Any]) -> dict[str, int]:
    """Special tokens by spelling."""
    special = [entry for entry in source["added_tokens"] if entry["special"]]
    for entry in special:
        if entry.get("lstrip") or entry.get("rstrip"):
            raise UnsupportedModelError(f"token {entry['content']!r} swallows the spaces beside it")
    return {entry["content"]: entry["id"] for entry in special}


def _token_bytes(source: dict[str, Any], vocab_size: int) -> list[bytes]:
    """Bytes of every id, by GPT-2's map from printable characters to bytes."""
    if source["model"].get("type") != "BPE":
        raise UnsupportedModelError(f"a tokenizer of type {source['model'].get('type')!r} is not supported")
    no_byte = dict.fromkeys(range(256), _NO_BYTE)
    table = no_byte | {ord(char): byte for byte, char in printable_bytes().items()}
    added = {
        entry["id"]: b"" if entry["special"] else entry["content"].encode()
        for entry in source["added_tokens"]
    }
    known = {index: token for token, index in source["model"]["vocab"].items()}
    highest = max([*known, *added])
    if highest >= vocab_size:
        raise UnsupportedModelError(
            f"token ids go up to {highest}, the model's vocabulary ends at {vocab_size}"
        )
    result = [b""] * vocab_size
    for index, token in known.items():
        if index not in added:
            try:
                result[index] = token.translate(table).encode("latin-1")
            except UnicodeEncodeError:
                raise UnsupportedModelError(f"token {token!r} is not byte-level") from None
    for index, content in added.items():
        result[index] = content
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
