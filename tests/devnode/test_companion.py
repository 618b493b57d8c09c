"""What the companion does inside WASM must be what the host's own functions do."""

from __future__ import annotations

import hashlib

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.devnode import InvalidRuntime, Overlay, Runtime, RuntimeTrap, State, hashing
from llmnet.devnode.companion import OWN_FUNCTIONS, STAGE_BYTES, Layout
from llmnet.devnode.host import HOST_FUNCTIONS
from llmnet.devnode.state import Changes
from llmnet.devnode.wasm_binary import encode_leb128, heap_base, leb128, sections, split_data, with_data

from .support import HEAP_BASE, HostScript, wat_code

HASHES = {
    "twox_64": 8,
    "twox_128": 16,
    "twox_256": 32,
    "blake2_128": 16,
    "blake2_256": 32,
}
ENTRY = '(func (export "run") (param i32 i32) (result i64) {})'


def hash_runtime(name: str, size: int) -> Runtime:
    """A runtime that returns the hash of its argument."""
    imports = f'(import "env" "ext_hashing_{name}_version_1" (func $hash (param i64) (result i32)))'
    span = (
        "(i64.or (i64.extend_i32_u (local.get 0)) (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32)))"
    )
    body = f"(i64.or (i64.extend_i32_u (call $hash {span})) (i64.const {size << 32}))"
    return Runtime(wat_code(ENTRY.format(body), imports))


@pytest.fixture(scope="module")
def runtimes() -> dict[str, Runtime]:
    return {name: hash_runtime(name, size) for name, size in HASHES.items()}


def check_hash(runtimes: dict[str, Runtime], name: str, data: bytes) -> None:
    expected = getattr(hashing, name)(data)
    assert runtimes[name].call("run", data, Overlay(State())) == expected


@pytest.mark.parametrize("name", HASHES)
def test_hashes_of_every_length_around_the_block_sizes(runtimes: dict[str, Runtime], name: str) -> None:
    for size in (*range(70), 95, 96, 97, 127, 128, 129, 130, 255, 256, 257, 384, 1000, 70_000):
        check_hash(runtimes, name, hashlib.shake_128(bytes([size & 0xFF])).digest(size))


@pytest.mark.parametrize("name", HASHES)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=600))
def test_hashes_equal_those_of_the_libraries(runtimes: dict[str, Runtime], name: str, data: bytes) -> None:
    check_hash(runtimes, name, data)


def test_hashing_twice_gives_separate_digests() -> None:
    script = HostScript().call("ext_hashing_twox_64_version_1", b"one", result=8)
    script.call("ext_hashing_blake2_256_version_1", b"a" * 200, result=32)
    script.call("ext_hashing_blake2_256_version_1", b"two", result=32)
    assert script.run() == hashing.blake2_256(b"two")


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("span", [1 << 32 | 0xFFFFFFFF, 0x7FFFFFFF << 32, 1 << 63])
def test_hash_of_bytes_outside_of_the_memory_traps(name: str, span: int) -> None:
    imports = f'(import "env" "ext_hashing_{name}_version_1" (func $hash (param i64) (result i32)))'
    code = wat_code(ENTRY.format(f"(drop (call $hash (i64.const {span}))) (i64.const 0)"), imports)
    with pytest.raises(RuntimeTrap):
        Runtime(code).call("run", b"", Overlay(State()))


def test_every_function_of_the_companion_is_one_that_the_host_knows_or_the_allocator() -> None:
    ours = {name for name in OWN_FUNCTIONS if not name.startswith("ext_allocator")}
    assert ours <= HOST_FUNCTIONS.keys()


@pytest.mark.parametrize(
    "size", [0, 1, STAGE_BYTES - 8, STAGE_BYTES - 5, STAGE_BYTES, STAGE_BYTES + 1, 100_000]
)
def test_answers_of_every_size_reach_the_runtime(size: int) -> None:
    value = hashlib.shake_128(b"value").digest(size)
    state = State().apply(Changes({b"key": value, b"other": b"small"}), 1)
    script = HostScript().call("ext_storage_get_version_1", b"other", result="i64")
    script.call("ext_storage_get_version_1", b"key", result="i64")
    answer = script.run(Overlay(state))
    assert answer[0] == 1
    assert answer.endswith(value) and len(answer) >= size + 2


def test_an_answer_is_taken_off_the_stage_once() -> None:
    """A function of the host that returns a plain number must not be given the bytes of the one before."""
    script = HostScript().call("ext_storage_get_version_1", b"missing", result="i64")
    script.call("ext_storage_exists_version_1", b"missing", result="i32")
    assert script.run() == bytes(4)


# -- reading binaries


def test_heap_base_is_read_from_the_binary() -> None:
    assert heap_base(wat_code("")) == HEAP_BASE
    text = """(module (global i32 (i32.const 7)) (global (mut i32) (i32.const -1)) (global $h i32 (i32.const 1068492))
      (export "other" (global 0)) (export "__heap_base" (global $h)))"""
    assert heap_base(wasmtime.wat2wasm(text)) == 1_068_492


@pytest.mark.parametrize("globals_", ["", '(global (export "__heap_base") (mut i32) (i32.const 8))',
                                      '(global (export "__heap_base") i64 (i64.const 8))',
                                      '(func (export "__heap_base"))'])  # fmt: skip
def test_runtime_without_a_constant_heap_base_is_refused(globals_: str) -> None:
    code = wasmtime.wat2wasm(f'(module (import "env" "memory" (memory 1)) {globals_})')
    with pytest.raises(InvalidRuntime, match="__heap_base"):
        Runtime(bytes(code))


@given(st.integers(0, 2**32 - 1))
def test_leb128_round_trip(value: int) -> None:
    encoded = encode_leb128(value)
    assert leb128(b"x" + encoded, 1) == (value, 1 + len(encoded))


@given(st.binary(max_size=200))
def test_garbage_behind_the_header_is_refused_or_read(data: bytes) -> None:
    code = b"\0asm\1\0\0\0" + data
    try:
        found = list(sections(code))
    except InvalidRuntime:
        return
    assert sum(section.end - section.begin for section in found) == len(data)


def test_data_segments_move_to_the_companion_and_stay_what_they_are() -> None:
    body = '(data (i32.const 100) "first") (data (i32.const 200) "second")'
    code = wat_code(ENTRY.format("(i64.const 21474836580)") + body)  # five bytes at 100
    split = split_data(code)
    assert split.data is not None and b"second" in split.data
    assert b"second" not in split.code
    assert with_data(split.code, split.data)[:8] == b"\0asm\1\0\0\0"
    runtime = Runtime(code)
    assert [runtime.call("run", b"", Overlay(State())) for _ in range(2)] == [b"first", b"first"]


def test_a_call_does_not_see_what_the_one_before_wrote_over_the_data() -> None:
    body = """(local $old i64) (local.set $old (i64.load (i32.const 100)))
      (i64.store (i32.const 100) (i64.const -1)) (i64.store (i32.const 8) (local.get $old)) (i64.const 34359738376)"""
    runtime = Runtime(wat_code(ENTRY.format(body) + '(data (i32.const 100) "12345678")'))
    assert [runtime.call("run", b"", Overlay(State())) for _ in range(3)] == [b"12345678"] * 3


@pytest.mark.parametrize("segments", ['(data $p "passive")', '(data (i32.const 0) "a") (data $p "passive")'])
def test_passive_data_segments_stay_in_the_runtime(segments: str) -> None:
    body = "(memory.init $p (i32.const 50) (i32.const 0) (i32.const 7)) (i64.const 30064771122)"
    code = wat_code(ENTRY.format(body) + segments)
    assert split_data(code).data is None
    assert Runtime(code).call("run", b"", Overlay(State())) == b"passive"


def test_data_outside_of_the_memory_is_refused() -> None:
    code = wat_code(ENTRY.format("(i64.const 0)") + '(data (i32.const 100000000) "far")')
    with pytest.raises(InvalidRuntime, match="cannot be instantiated"):
        Runtime(code)


@pytest.mark.parametrize("limits", ["1 1", "0 0", "1"])
def test_memory_without_room_for_a_heap_is_refused(limits: str) -> None:
    text = f"""(module (import "env" "memory" (memory {limits}))
      (global (export "__heap_base") i32 (i32.const {HEAP_BASE})))"""
    code = bytes(wasmtime.wat2wasm(text))
    if limits == "1":
        Runtime(code)  # may grow, so the host begins with more
        return
    with pytest.raises(InvalidRuntime, match="needs at least 2"):
        Runtime(code)


@pytest.mark.parametrize("base", [0, 1, 15, 16, 65536, 1_068_492])
def test_layout_is_aligned_and_apart(base: int) -> None:
    layout = Layout(base)
    assert base <= layout.stage < layout.stage + STAGE_BYTES < layout.scratch < layout.heads
    assert layout.stage % 16 == layout.scratch % 8 == layout.heads % 8 == 0
