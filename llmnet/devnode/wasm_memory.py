"""Gives runtimes that bring their own memory (those of before 2020) an imported one, as all later runtimes have."""

from __future__ import annotations

from llmnet.devnode.wasm_binary import Section, encode_leb128, leb128, sections

_TYPE, _IMPORT, _MEMORY = 1, 2, 5
_NAME = b"\x03env\x06memory\x02"  # "env", "memory", kind: memory


def import_memory(code: bytes) -> bytes:
    """The module with its own memory replaced by an import of the same limits; itself if it has none.

    Indices stay as they are: an imported memory is memory 0 too, and may be exported.
    """
    found = {section.kind: section for section in sections(code)}
    memory = found.get(_MEMORY)
    if memory is None or leb128(code, memory.start)[0] != 1:
        return code
    limits = code[leb128(code, memory.start)[1] : memory.end]
    without = code[: memory.begin] + code[memory.end :]
    imports = found.get(_IMPORT)
    if imports is None:
        before = found[_TYPE].end if _TYPE in found else 8
        return without[:before] + _section(encode_leb128(1) + _NAME + limits) + without[before:]
    return without[: imports.begin] + _with_one_more(code, imports, limits) + without[imports.end :]


def _with_one_more(code: bytes, imports: Section, limits: bytes) -> bytes:
    count, start = leb128(code, imports.start)
    return _section(encode_leb128(count + 1) + code[start : imports.end] + _NAME + limits)


def _section(contents: bytes) -> bytes:
    return bytes((_IMPORT,)) + encode_leb128(len(contents)) + contents
