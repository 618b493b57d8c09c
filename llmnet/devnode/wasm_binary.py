"""What a host must know of a WASM module before it is compiled: its sections, read from the binary.

Format: WebAssembly core specification, chapter "Binary Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from llmnet.devnode.errors import InvalidRuntime

_HEADER_BYTES = 8
_CUSTOM, _GLOBAL, _EXPORT, _DATA, _DATA_COUNT = 0, 6, 7, 11, 12
_I32_CONST, _END, _I32, _GLOBAL_KIND = 0x41, 0x0B, 0x7F, 3


class Section(NamedTuple):
    """One section: its kind, where it begins (with its kind byte), where its contents lie."""

    kind: int
    begin: int
    start: int
    end: int


class SplitModule(NamedTuple):
    """A module without its data segments, and the contents of its data section (None: left in place)."""

    code: bytes
    data: bytes | None


def leb128(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned LEB128 integer at `at` and the offset behind it; InvalidRuntime when it is cut off."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise InvalidRuntime("the WASM module is cut off")


def _signed_leb128(data: bytes, at: int) -> tuple[int, int]:
    value, end = leb128(data, at)
    bits = 7 * (end - at)
    return value - (1 << bits) if value >> (bits - 1) else value, end


def encode_leb128(value: int) -> bytes:
    """A non-negative integer as unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sections(code: bytes) -> Iterator[Section]:
    """All sections in order. Raises InvalidRuntime when one reaches beyond the module."""
    at = _HEADER_BYTES
    while at < len(code):
        size, start = leb128(code, at + 1)
        if start + size > len(code):
            raise InvalidRuntime("the WASM module is cut off")
        yield Section(code[at], at, start, start + size)
        at = start + size


def custom_section(code: bytes, name: str) -> bytes | None:
    """The contents of the first custom section of this name."""
    wanted = name.encode()
    for section in sections(code):
        if section.kind == _CUSTOM:
            length, text = leb128(code, section.start)
            if code[text : text + length] == wanted:
                return code[text + length : section.end]
    return None


def heap_base(code: bytes) -> int:
    """The constant that the module exports as `__heap_base`.

    Raises InvalidRuntime if it exports none, or one that is no constant of type i32.
    """
    index = _exported_global(code, b"__heap_base")
    values = _global_constants(code)
    if index is None:
        raise InvalidRuntime("the runtime exports no __heap_base, so its memory cannot be managed")
    if index >= len(values) or values[index] is None:
        raise InvalidRuntime("the runtime's __heap_base is no constant")
    return values[index] or 0


def _exported_global(code: bytes, wanted: bytes) -> int | None:
    for section in sections(code):
        if section.kind != _EXPORT:
            continue
        count, at = leb128(code, section.start)
        for _ in range(count):
            length, at = leb128(code, at)
            name, kind = code[at : at + length], code[at + length : at + length + 1]
            index, at = leb128(code, at + length + 1)
            if name == wanted and kind == bytes((_GLOBAL_KIND,)):
                return index
    return None


def _global_constants(code: bytes) -> list[int | None]:
    """The initial values of the module's leading globals; None for what is no i32 constant.

    Reading ends at the first global whose initial value is no plain constant: nothing that a compiler puts
    before `__heap_base` is of another kind, and modules that import globals are refused elsewhere.
    """
    values: list[int | None] = []
    for section in sections(code):
        if section.kind != _GLOBAL:
            continue
        count, at = leb128(code, section.start)
        for _ in range(count):
            kind, mutable, opcode = code[at : at + 3].ljust(3, b"\0")
            value, at = _signed_leb128(code, at + 3)
            if kind != _I32 or opcode != _I32_CONST or code[at : at + 1] != bytes((_END,)):
                break
            values.append(None if mutable else value & 0xFFFFFFFF)
            at += 1
    return values


def split_data(code: bytes) -> SplitModule:
    """Takes the data section out of a module whose segments are all plain: active, at constant offsets.

    The host puts them into the module that owns the memory; there the engine maps them copy-on-write instead
    of copying them for each instance. Modules with other segments stay as they are.
    """
    found = {section.kind: section for section in sections(code)}
    data = found.get(_DATA)
    if data is None or _DATA_COUNT in found or not _is_plain(code, data):
        return SplitModule(code, None)
    return SplitModule(code[: data.begin] + code[data.end :], code[data.start : data.end])


def _is_plain(code: bytes, data: Section) -> bool:
    count, at = leb128(code, data.start)
    for _ in range(count):
        flag, at = leb128(code, at)
        if flag != 0 or code[at : at + 1] != bytes((_I32_CONST,)):
            return False
        _, at = leb128(code, at + 1)
        if code[at : at + 1] != bytes((_END,)):
            return False
        size, at = leb128(code, at + 1)
        at += size
    return at == data.end


def with_data(code: bytes, data: bytes) -> bytes:
    """A module that ends with its code section, with a data section of these contents."""
    return code + bytes((_DATA,)) + encode_leb128(len(data)) + data
