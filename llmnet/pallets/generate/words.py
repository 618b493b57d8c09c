"""Names and documentation: from Rust's to Python's."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Sequence

WIDTH = 100
_LINK = re.compile(r"\[(`?)([^\]`]+)\1\](\([^)]*\)|\[[^\]]*\])?")
_SKIPPED = re.compile(r"^#+ *(weight|complexity|<weight>|</weight>)", re.IGNORECASE)
_HEADING = re.compile(r"^#+ *")
_HIDDEN = re.compile(r"^<!--.*-->$")
_LIST = re.compile(r"^ *([-*+]|[0-9]+[.)]) ")


def python_name(name: str) -> str:
    """`name` as an identifier; an underscore follows a word of Python."""
    plain = re.sub(r"\W", "_", name)
    if not plain or plain[0].isdigit():
        plain = f"n{plain}"
    return plain + "_" if keyword.iskeyword(plain) else plain


def snake(name: str) -> str:
    """`spot_checks` for `SpotChecks`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return python_name(spaced.lower())


def pascal(name: str) -> str:
    """`SpConsensusGrandpa` for `sp_consensus_grandpa`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"\W+|_", name) if part)


def clean(docs: Sequence[str], last: Sequence[str] = ()) -> str:
    """Rust documentation as the text of a docstring, wrapped: intra-doc links become code, headings sentences;
    sections about weight are left out. `last`: paragraphs to add."""
    paragraphs = [*_paragraphs(docs), *last]
    return "\n\n".join(part for part in paragraphs if part)


def _paragraphs(docs: Sequence[str]) -> list[str]:
    found: list[str] = []
    lines: list[str] = []
    skipping = fenced = False

    def end() -> None:
        if lines:
            found.append(_wrapped(lines))
            lines.clear()

    for raw in docs:
        line = raw.removeprefix(" ").rstrip()
        if line.startswith("```"):
            fenced = not fenced
            end()
        elif fenced or _HIDDEN.match(line):
            continue
        elif line.startswith("#"):
            end()
            skipping = bool(_SKIPPED.match(line))
            heading = _HEADING.sub("", line).strip()
            if heading and not skipping and found:
                lines.append(heading.rstrip(":") + ":")
                end()
        elif not line.strip():
            end()
        elif not skipping:
            lines.append(line)
    end()
    return found


def _wrapped(lines: Sequence[str]) -> str:
    """A paragraph; items of a list begin lines of their own."""
    blocks: list[list[str]] = []
    for line in lines:
        if _LIST.match(line) or not blocks:
            blocks.append([line])
        else:
            blocks[-1].append(line)
    return "\n".join(_filled(" ".join(part.strip() for part in block)) for block in blocks)


def _filled(text: str) -> str:
    linked = _LINK.sub(lambda found: f"`{found[2]}`" if found[1] or not found[3] else found[2], text)
    later = "  " if _LIST.match(linked) else ""
    return textwrap.fill(
        " ".join(linked.split()),
        WIDTH,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def docstring(text: str, indent: str = "    ") -> str:
    """The text as a docstring, with what would end or escape it made harmless."""
    harmless = text.replace("\\", "\\\\").replace('"""', "'''")
    if harmless.endswith('"'):
        harmless += " "
    body = harmless.replace("\n", f"\n{indent}").replace(f"\n{indent}\n", "\n\n")
    tail = f"\n{indent}" if "\n" in harmless else ""
    return f'{indent}"""{body}{tail}"""'


def quoted(text: str) -> str:
    """A string literal in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
