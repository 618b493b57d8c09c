from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import zstandard

from llmnet.devnode import InvalidRuntime, Overlay, Runtime, RuntimeTimeout, RuntimeTrap, State
from llmnet.devnode.errors import NoSuchEntryPoint
from llmnet.devnode.state import Changes
from llmnet.devnode.wasm import compile_module, plain_code

from .support import HostScript, wat_code

ENTRY = '(func (export "run") (param i32 i32) (result i64) {})'
MALLOC = '(import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))'
FREE = '(import "env" "ext_allocator_free_version_1" (func $free (param i32)))'
COMPRESSED_PREFIX = bytes.fromhex("52bc537646db8e05")


def run(body: str, imports: str = "", argument: bytes = b"", **settings: object) -> bytes:
    code = wat_code(ENTRY.format(body), imports)
    return Runtime(code, **settings).call("run", argument, Overlay(State()))  # type: ignore[arg-type]


def test_argument_comes_in_and_result_goes_out() -> None:
    echo = (
        "(i64.or (i64.extend_i32_u (local.get 0)) (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32)))"
    )
    for argument in (b"", b"x", b"y" * 100_000):
        assert run(echo, argument=argument) == argument


def test_endless_loop_is_interrupted() -> None:
    started = time.monotonic()
    with pytest.raises(RuntimeTimeout, match="interrupted after"):
        run("(loop $l (br $l)) (i64.const 0)", call_seconds=0.3)
    assert time.monotonic() - started < 5


def test_other_threads_run_while_a_call_loops() -> None:
    beats: list[float] = []
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(0.01):
            beats.append(time.monotonic())

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(RuntimeTimeout):
            run("(loop $l (br $l)) (i64.const 0)", call_seconds=0.3)
    finally:
        stop.set()
        thread.join()
    assert len(beats) > 5


def test_endless_recursion_traps() -> None:
    with pytest.raises(RuntimeTrap, match="stack"):
        run("(call $r) (i64.const 0)) (func $r (call $r)")


@pytest.mark.parametrize("body", ["(loop $l (drop (call $malloc (i32.const 1048576))) (br $l)) (i64.const 0)",
                                  "(drop (call $malloc (i32.const 33554433))) (i64.const 0)",
                                  "(drop (call $malloc (i32.const -1))) (i64.const 0)"])  # fmt: skip
def test_allocating_without_bounds_traps(body: str) -> None:
    with pytest.raises(RuntimeTrap):
        run(body, MALLOC, memory_bytes=16 * 1024 * 1024)


def test_growing_memory_beyond_the_cap_fails_inside_the_runtime() -> None:
    grow = "(i32.store (i32.const 0) (memory.grow (i32.const 10000))) (i64.const 17179869184)"
    assert run(grow, memory_bytes=16 * 1024 * 1024) == b"\xff\xff\xff\xff"


def test_freed_memory_is_used_again() -> None:
    """Without reuse ten million bytes would not fit."""
    body = """(local $n i32) (local.set $n (i32.const 100000))
      (loop $l (call $free (call $malloc (i32.const 100)))
       (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $l (local.get $n))) (i64.const 0)"""
    assert run(body, MALLOC + FREE, memory_bytes=1024 * 1024) == b""


def test_allocations_are_aligned_and_apart() -> None:
    body = """(i32.store (i32.const 0) (call $malloc (i32.const 1))) (i32.store (i32.const 4) (call $malloc (i32.const 9)))
      (i32.store (i32.const 8) (call $malloc (i32.const 0))) (i64.const 51539607552)"""
    data = run(body, MALLOC)
    first, second, third = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
    assert first % 8 == second % 8 == third % 8 == 0
    assert second >= first + 8 + 8
    assert third >= second + 16 + 8


@pytest.mark.parametrize("pointer", ["0", "8", "65536", "-8", "100000"])
def test_freeing_what_was_not_allocated_traps(pointer: str) -> None:
    with pytest.raises(RuntimeTrap):
        run(f"(call $free (i32.const {pointer})) (i64.const 0)", FREE)


def test_freeing_twice_traps() -> None:
    body = "(local $p i32) (local.set $p (call $malloc (i32.const 8))) "
    body += "(call $free (local.get $p)) (call $free (local.get $p)) (i64.const 0)"
    with pytest.raises(RuntimeTrap):
        run(body, MALLOC + FREE)


@pytest.mark.parametrize("span", [1 << 32 | 0xFFFFFFFF, 0x7FFFFFFF << 32, 0xFFFFFFFF << 32 | 0xFFFFFFF0])
def test_result_outside_of_memory_traps_and_does_not_crash_the_host(span: int) -> None:
    with pytest.raises(RuntimeTrap, match="passed memory"):
        run(f"(i64.const {span})")


@pytest.mark.parametrize("span", [1 << 32 | 0xFFFFFFFF, 0x7FFFFFFF << 32, 1 << 63])
def test_host_function_argument_outside_of_memory_traps(span: int) -> None:
    imports = '(import "env" "ext_storage_get_version_1" (func $get (param i64) (result i64)))'
    with pytest.raises(RuntimeTrap, match="passed memory"):
        run(f"(call $get (i64.const {span}))", imports)


def test_trap_discards_what_the_call_wrote() -> None:
    overlay = Overlay(State().apply(Changes({b"k": b"old"}), 1))
    script = HostScript().call("ext_storage_set_version_1", b"k", b"new")
    script.call("ext_default_child_storage_set_version_1", b"c", b"k", b"new")
    script.call("ext_storage_start_transaction_version_1").call("ext_storage_rollback_transaction_version_1")
    script.call("ext_storage_rollback_transaction_version_1")
    with pytest.raises(RuntimeTrap):
        script.run(overlay)
    assert overlay.get(b"k") == b"old"
    assert overlay.get(b"k", b"c") is None


def test_panic_text_is_in_the_error() -> None:
    imports = '(import "env" "ext_logging_log_version_1" (func $log (param i32 i64 i64)))'
    data = '(data (i32.const 100) "panicked at lib.rs:7: no more")'
    code = wat_code(
        ENTRY.format(f"(call $log (i32.const 1) (i64.const 0) (i64.const {100 | 29 << 32})) unreachable")
        + data,
        imports,
    )
    with pytest.raises(RuntimeTrap, match=r"run trapped: panicked at lib\.rs:7: no more") as caught:
        Runtime(code).call("run", b"", Overlay(State()))
    assert caught.value.function == "run"


def test_instances_share_nothing() -> None:
    counter = "(global $n (mut i32) (i32.const 0))" + ENTRY.format(
        "(global.set $n (i32.add (global.get $n) (i32.const 1))) (i32.store (i32.const 0) (global.get $n)) (i64.const 4294967296)"
    )
    runtime = Runtime(wat_code(counter))
    assert [runtime.call("run", b"", Overlay(State())) for _ in range(3)] == [b"\1"] * 3


def test_unknown_or_misshapen_entry_point() -> None:
    runtime = Runtime(
        wat_code(
            '(func (export "wrong") (param i32)) (memory (export "m") 1)'.replace(
                '(memory (export "m") 1)', ""
            )
        )
    )
    for name in ("missing", "wrong", "__heap_base"):
        with pytest.raises(NoSuchEntryPoint, match=name):
            runtime.call(name, b"", Overlay(State()))


@pytest.mark.parametrize("code", [b"", b"\0asm", b"\0asm\1\0\0\0", b"garbage", COMPRESSED_PREFIX, COMPRESSED_PREFIX + b"junk",
                                  COMPRESSED_PREFIX + zstandard.compress(b"no wasm")])  # fmt: skip
def test_what_is_no_runtime_is_refused(code: bytes) -> None:
    with pytest.raises(InvalidRuntime):
        Runtime(code)


def test_runtime_without_heap_base_is_refused() -> None:
    code = wat_code("").replace(b"__heap_base", b"__heap_bass")
    with pytest.raises(InvalidRuntime, match="__heap_base"):
        Runtime(code)


def test_compression_bomb_is_refused() -> None:
    bomb = COMPRESSED_PREFIX + zstandard.compress(b"\0asm\1\0\0\0" + bytes(60 * 1024 * 1024))
    assert len(bomb) < 100_000
    with pytest.raises(InvalidRuntime, match="more than"):
        plain_code(bomb)


def test_compressed_runtime_runs() -> None:
    code = COMPRESSED_PREFIX + zstandard.compress(wat_code(ENTRY.format("(i64.const 0)")))
    assert Runtime(code).call("run", b"", Overlay(State())) == b""


def test_module_cache_is_used_and_a_damaged_entry_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    code = wat_code(ENTRY.format("(i64.const 0)"))
    compile_module(code, tmp_path)
    (entry,) = tmp_path.iterdir()
    before = entry.read_bytes()
    compile_module(code, tmp_path)
    assert entry.read_bytes() == before
    entry.write_bytes(b"damaged")
    assert Runtime(code, cache_dir=tmp_path).call("run", b"", Overlay(State())) == b""
    assert entry.read_bytes() == before
    assert "made again" in caplog.text


def test_cache_that_cannot_be_written_costs_only_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    code = wat_code(ENTRY.format("(i64.const 0)"))
    assert Runtime(code, cache_dir=tmp_path / "file" / "below").call("run", b"", Overlay(State())) == b""
    assert "not kept" in caplog.text
