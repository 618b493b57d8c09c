"""Chat templates: how messages become the text that a model was trained on.

A template is a Jinja program that came with the model's files. It is run in a sandbox, without clock and files, so
that the same messages give the same text everywhere. What a user typed is data: where it spells a special token, it
is hidden from the reader of special tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from llmnet.engine.errors import PromptError, UnsupportedModelError

# Characters of no script that Unicode keeps free; one is put where a special token has been typed.
_WEDGES = [chr(code) for code in range(0xFDD0, 0xFDF0)]


class ChatTemplate:
    """A compiled template. `special` are the spellings of the special tokens."""

    def __init__(self, source: str, special: Sequence[str], variables: Mapping[str, str]) -> None:
        import jinja2
        from jinja2.ext import loopcontrols
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
        )
        environment.globals["raise_exception"] = _refuse
        environment.filters["tojson"] = _to_json
        try:
            self._template = environment.from_string(source)
        except jinja2.TemplateError as error:
            raise UnsupportedModelError(f"the chat template cannot be read: {error}") from error
        self._variables = dict(variables)
        if any(len(token) < 2 for token in special):
            raise UnsupportedModelError("a special token of a single character cannot be told from text")
        longest_first = sorted(special, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def pieces(self, messages: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, bool]]:
        """The prompt for an answer to `messages`, cut into special tokens (True) and text (False).

        Raises `PromptError` if the template refuses the messages.
        """
        import jinja2

        wedge = _unused(item["content"] for item in messages)
        safe = [{"role": item["role"], "content": self._wedged(item["content"], wedge)} for item in messages]
        try:
            text = self._template.render(messages=safe, add_generation_prompt=True, **self._variables)
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise PromptError(f"the model's chat template refuses these messages: {error}") from error
        start = 0
        for found in self._special.finditer(text):
            if text[start : found.start()]:
                yield text[start : found.start()].replace(wedge, ""), False
            yield found.group(), True
            start = found.end()
        if text[start:]:
            yield text[start:].replace(wedge, ""), False

    def _wedged(self, content: str, wedge: str) -> str:
        """`content` with a wedge inside every special token it spells."""
        while found := self._special.search(content):  # again and again: spellings may overlap
            content = content[: found.start() + 1] + wedge + content[found.start() + 1 :]
        return content


def _unused(contents: Iterable[str]) -> str:
    """A wedge that none of the texts contains."""
    text = "".join(contents)
    for wedge in _WEDGES:
        if wedge not in text:
            return wedge
    raise PromptError("the messages hold every character that Unicode reserves for no text at all")


def _refuse(message: str) -> None:
    import jinja2

    raise jinja2.TemplateError(message)


def _to_json(value: Any, indent: int | None = None) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=indent)
