from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.devnode import Overlay, Runtime, RuntimeTrap, State
from llmnet.devnode.errors import InvalidRuntime, MissingHostFunction
from llmnet.devnode.host import HOST_FUNCTIONS
from llmnet.devnode.scale import compact, option, vec
from llmnet.devnode.state import Changes
from llmnet.devnode.trie import EMPTY_ROOT, ordered_root, trie_root

from .support import HostScript, wat_code

SET, GET, APPEND = "ext_storage_set_version_1", "ext_storage_get_version_1", "ext_storage_append_version_1"
BEGIN, COMMIT, ROLLBACK = (
    f"ext_storage_{word}_transaction_version_1" for word in ("start", "commit", "rollback")
)


def overlay_of(values: dict[bytes, bytes]) -> Overlay:
    return Overlay(State().apply(Changes(values), 1))


def test_get_set_clear_exists() -> None:
    overlay = overlay_of({b"old": b"1"})
    assert HostScript().call(GET, b"old", result="i64").run(overlay) == option(b"1")
    assert HostScript().call(GET, b"new", result="i64").run(overlay) == b"\0"
    HostScript().call(SET, b"new", b"").call("ext_storage_clear_version_1", b"old").run(overlay)
    assert (overlay.get(b"new"), overlay.get(b"old")) == (b"", None)
    exists = "ext_storage_exists_version_1"
    assert HostScript().call(exists, b"new", result="i32").run(overlay) == b"\1\0\0\0"
    assert HostScript().call(exists, b"old", result="i32").run(overlay) == bytes(4)


@pytest.mark.parametrize(
    ("offset", "answer"),
    [(0, b"\1\6\0\0\0"), (4, b"\1\2\0\0\0"), (6, b"\1\0\0\0\0"), (7, b"\1\0\0\0\0"), (-1, b"\1\0\0\0\0")],
)
def test_read_answers_what_is_left_behind_the_offset(offset: int, answer: bytes) -> None:
    overlay = overlay_of({b"k": b"abcdef"})
    assert (
        HostScript().call("ext_storage_read_version_1", b"k", b"....", offset, result="i64").run(overlay)
        == answer
    )


def test_read_of_a_missing_key_is_none() -> None:
    assert HostScript().call("ext_storage_read_version_1", b"k", b"..", 0, result="i64").run() == b"\0"


@pytest.mark.parametrize("value", [None, b"", b"\x03", b"\x02\x00", b"\x01\x00"])
def test_append_to_a_missing_or_malformed_value_makes_one_item(value: bytes | None) -> None:
    overlay = overlay_of({} if value is None else {b"k": value})
    HostScript().call(APPEND, b"k", b"item").run(overlay)
    assert overlay.get(b"k") == b"\x04item"


def test_append_to_a_vector_adds_an_item() -> None:
    overlay = overlay_of({b"k": b"\x04a"})
    HostScript().call(APPEND, b"k", b"b").call(APPEND, b"k", b"c").run(overlay)
    assert overlay.get(b"k") == b"\x0cabc"


def test_next_key_sees_written_and_skips_removed_keys() -> None:
    overlay = overlay_of({b"a": b"", b"c": b"", b"d": b""})
    HostScript().call(SET, b"b", b"").call("ext_storage_clear_version_1", b"c").run(overlay)
    name = "ext_storage_next_key_version_1"
    found = [HostScript().call(name, key, result="i64").run(overlay) for key in (b"", b"a", b"b", b"d")]
    assert found == [option(b"a"), option(b"b"), option(b"d"), b"\0"]


def test_clear_prefix_versions_answer_as_the_interface_says() -> None:
    values = {b"p%d" % n: b"" for n in range(3)}
    overlay = overlay_of(values)
    limited = HostScript().call("ext_storage_clear_prefix_version_2", b"p", b"\1\2\0\0\0", result="i64")
    assert limited.run(overlay) == b"\1\2\0\0\0"  # some remain, two were looked at
    unlimited = HostScript().call("ext_storage_clear_prefix_version_2", b"p", b"\0", result="i64")
    assert unlimited.run(overlay) == b"\0\3\0\0\0"
    overlay = overlay_of(values)
    third = HostScript().call("ext_storage_clear_prefix_version_3", b"p", b"\1\1\0\0\0", b"\0", result="i64")
    assert third.run(overlay) == option(b"p1") + bytes.fromhex("010000000100000001000000")
    HostScript().call("ext_storage_clear_prefix_version_1", b"p").run(overlay)
    assert overlay.next_key(b"p") is None


def test_undecodable_limit_traps() -> None:
    with pytest.raises(RuntimeTrap, match="limit cannot be decoded"):
        HostScript().call("ext_storage_clear_prefix_version_2", b"p", b"\1\2", result="i64").run()


def test_root_of_both_versions() -> None:
    values = {b"k": b"v" * 40}
    overlay = overlay_of({})
    HostScript().call(SET, b"k", b"v" * 40).run(overlay)
    first = HostScript().call("ext_storage_root_version_1", result="i64").run(overlay)
    second = HostScript().call("ext_storage_root_version_2", 1, result="i64").run(overlay)
    assert first == trie_root(values.items(), 0)
    assert second == trie_root(values.items(), 1) != first
    assert HostScript().call("ext_storage_root_version_2", 1, result="i64").run() == EMPTY_ROOT


def test_nested_rollback_undoes_only_the_inner_transaction() -> None:
    overlay = overlay_of({})
    script = HostScript().call(BEGIN).call(SET, b"outer", b"1").call(BEGIN).call(SET, b"inner", b"1")
    script.call(APPEND, b"outer", b"x").call(ROLLBACK).call(COMMIT).run(overlay)
    assert (overlay.get(b"outer"), overlay.get(b"inner")) == (b"1", None)


@pytest.mark.parametrize(
    "steps", [[COMMIT], [ROLLBACK], [BEGIN, COMMIT, COMMIT], [BEGIN], [BEGIN, BEGIN, ROLLBACK]]
)
def test_unbalanced_transactions_trap_and_discard_everything(steps: list[str]) -> None:
    overlay = overlay_of({})
    script = HostScript().call(SET, b"k", b"v")
    for step in steps:
        script.call(step)
    with pytest.raises(RuntimeTrap, match="transaction"):
        script.run(overlay)
    assert overlay.depth == 1
    assert overlay.changes() == Changes()


def test_child_storage() -> None:
    overlay = overlay_of({})
    prefix = "ext_default_child_storage_"
    HostScript().call(prefix + "set_version_1", b"c", b"k1", b"v").call(
        prefix + "set_version_1", b"c", b"k2", b"w"
    ).run(overlay)
    read = HostScript().call(prefix + "get_version_1", b"c", b"k1", result="i64")
    assert read.run(overlay) == option(b"v")
    assert HostScript().call(prefix + "get_version_1", b"d", b"k1", result="i64").run(overlay) == b"\0"
    following = HostScript().call(prefix + "next_key_version_1", b"c", b"k1", result="i64")
    assert following.run(overlay) == option(b"k2")
    root = HostScript().call(prefix + "root_version_2", b"c", 1, result="i64").run(overlay)
    assert root == trie_root([(b"k1", b"v"), (b"k2", b"w")], 1)
    assert (
        HostScript().call(prefix + "exists_version_1", b"c", b"k2", result="i32").run(overlay) == b"\1\0\0\0"
    )
    HostScript().call(prefix + "clear_version_1", b"c", b"k1").run(overlay)
    assert read.run(overlay) == b"\0"
    killed = HostScript().call(prefix + "storage_kill_version_3", b"c", b"\0", result="i64").run(overlay)
    assert killed == b"\0\0\0\0\0"  # all were written in this block, so none of the state was looked at
    assert overlay.next_key(b"", b"c") is None


@pytest.mark.parametrize(
    ("name", "size", "wanted"),
    [
        ("sha2_256", 32, hashlib.sha256(b"abc").hexdigest()),
        ("blake2_256", 32, hashlib.blake2b(b"abc", digest_size=32).hexdigest()),
        ("blake2_128", 16, hashlib.blake2b(b"abc", digest_size=16).hexdigest()),
        ("twox_64", 8, "990977adf52cbc44"),
        ("twox_128", 16, "990977adf52cbc440889329981caa9be"),
        ("keccak_256", 32, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        ("keccak_512", 64, "18587dc2ea106b9a1563e32b3312421ca164c7f1f07bc922a9c83d77cea3a1e5"
                           "d0c69910739025372dc14ac9642629379540c17e2a65b19d77aa511a9d00bb96"),
    ],
)  # fmt: skip
def test_hashes_of_abc(name: str, size: int, wanted: str) -> None:
    assert HostScript().call(f"ext_hashing_{name}_version_1", b"abc", result=size).run().hex() == wanted


def test_trie_roots_of_given_values() -> None:
    values = [b"a", b"b" * 40, b""]
    encoded = compact(3) + b"".join(map(vec, values))
    for version, arguments in ((1, []), (2, [0]), (2, [1])):
        state_version = arguments[0] if arguments else 0
        name = f"ext_trie_blake2_256_ordered_root_version_{version}"
        assert HostScript().call(name, encoded, *arguments, result=32).run() == ordered_root(
            values, state_version
        )
    pairs = compact(1) + vec(b"k") + vec(b"v")
    assert HostScript().call("ext_trie_blake2_256_root_version_2", pairs, 1, result=32).run() == trie_root(
        [(b"k", b"v")], 1
    )


@given(st.binary(max_size=12).filter(lambda data: data[:1] != b"\0"))
@settings(max_examples=15, deadline=None)
def test_undecodable_trie_input_traps(data: bytes) -> None:
    with pytest.raises(RuntimeTrap, match="cannot be decoded"):
        HostScript().call("ext_trie_blake2_256_ordered_root_version_2", data + b"\xfe", 1, result=32).run()


def test_runtime_version_is_read_from_the_custom_section() -> None:
    name = "ext_misc_runtime_version_version_1"
    section = b"\0" + bytes([len(b"\x0fruntime_version") + 3]) + b"\x0fruntime_version" + b"abc"
    assert HostScript().call(name, b"\0asm\1\0\0\0" + section, result="i64").run() == option(
        option(b"abc")[1:][1:]
    )
    for wrong in (b"\0asm\1\0\0\0", b"", b"no wasm", b"\0asm\1\0\0\0\0\xff"):
        assert HostScript().call(name, wrong, result="i64").run() == b"\0"


def test_unknown_import_traps_with_its_name_only_when_called() -> None:
    script = HostScript().call("ext_future_thing_version_7", b"x", result="i64")
    with pytest.raises(MissingHostFunction, match="ext_future_thing_version_7"):
        script.run()
    unused = wat_code(
        '(func (export "run") (param i32 i32) (result i64) (i64.const 0))',
        '(import "env" "ext_future_thing_version_7" (func (param i64)))',
    )
    assert Runtime(unused).call("run", b"", Overlay(State())) == b""


def test_import_with_another_signature_is_refused_at_loading() -> None:
    with pytest.raises(InvalidRuntime, match="ext_storage_get_version_1 with 2 parameters, 1 are known"):
        HostScript().call(GET, b"a", b"b", result="i64").run()


def test_every_host_function_is_of_this_family() -> None:
    assert len(HOST_FUNCTIONS) >= 60
    assert all(name.startswith("ext_") and "_version_" in name for name in HOST_FUNCTIONS)


# -- child storage

CHILD = "ext_default_child_storage_"


def child_overlay() -> Overlay:
    """A state with three keys in the child trie b"c" and one in b"d"."""
    children = {b"c": {b"p1": b"1", b"p2": b"2", b"q": b"3"}, b"d": {b"p1": b"other"}}
    return Overlay(State().apply(Changes({b"p1": b"top"}, children), 1))


@pytest.mark.parametrize(
    ("offset", "answer"), [(0, b"\1\6\0\0\0"), (4, b"\1\2\0\0\0"), (6, b"\1\0\0\0\0"), (-1, b"\1\0\0\0\0")]
)
def test_child_read_answers_what_is_left_behind_the_offset(offset: int, answer: bytes) -> None:
    overlay = overlay_of({})
    overlay.put(b"k", b"abcdef", b"c")
    read = HostScript().call(CHILD + "read_version_1", b"c", b"k", b"....", offset, result="i64")
    assert read.run(overlay) == answer
    missing = HostScript().call(CHILD + "read_version_1", b"d", b"k", b"....", offset, result="i64")
    assert missing.run(overlay) == b"\0"


def test_child_next_key_sees_written_and_skips_removed_keys() -> None:
    overlay = child_overlay()
    HostScript().call(CHILD + "set_version_1", b"c", b"p11", b"").call(
        CHILD + "clear_version_1", b"c", b"p2"
    ).run(overlay)
    name = CHILD + "next_key_version_1"
    found = [
        HostScript().call(name, b"c", key, result="i64").run(overlay) for key in (b"", b"p1", b"p11", b"q")
    ]
    assert found == [option(b"p1"), option(b"p11"), option(b"q"), b"\0"]


def test_child_clear_prefix_counts_only_keys_of_the_state() -> None:
    overlay = child_overlay()
    HostScript().call(CHILD + "set_version_1", b"c", b"p3", b"new").run(overlay)
    third = HostScript().call(
        CHILD + "clear_prefix_version_3", b"c", b"p", b"\1\1\0\0\0", b"\0", result="i64"
    )
    # cursor; removed from the state; removed in all, the written key among them; looked at
    assert third.run(overlay) == option(b"p2") + bytes.fromhex("010000000200000001000000")
    rest = HostScript().call(CHILD + "clear_prefix_version_3", b"c", b"p", b"\0", option(b"p2"), result="i64")
    assert rest.run(overlay) == b"\0" + bytes.fromhex("010000000100000001000000")
    assert [overlay.get(key, b"c") for key in (b"p1", b"p2", b"p3", b"q")] == [None, None, None, b"3"]
    assert (overlay.get(b"p1", b"d"), overlay.get(b"p1")) == (b"other", b"top")


def test_versions_of_killing_a_child_trie() -> None:
    def kill(version: int, *arguments: bytes, result: str | None) -> tuple[bytes, list[bytes | None]]:
        overlay = child_overlay()
        HostScript().call(CHILD + "set_version_1", b"c", b"new", b"").run(overlay)
        script = HostScript().call(f"{CHILD}storage_kill_version_{version}", b"c", *arguments, result=result)
        return script.run(overlay), [overlay.get(key, b"c") for key in (b"new", b"p1", b"p2", b"q")]

    assert kill(1, result=None) == (b"", [None] * 4)
    assert kill(2, b"\0", result="i32") == (b"\1\0\0\0", [None] * 4)
    assert kill(2, b"\1\2\0\0\0", result="i32") == (bytes(4), [None, None, None, b"3"])
    assert kill(2, b"\1\3\0\0\0", result="i32") == (b"\1\0\0\0", [None] * 4)
    assert kill(3, b"\1\0\0\0\0", result="i64") == (b"\1\0\0\0\0", [None, b"1", b"2", b"3"])
    assert kill(3, b"\0", result="i64") == (b"\0\3\0\0\0", [None] * 4)
    counts = bytes.fromhex("010000000200000001000000")
    assert kill(4, b"\1\1\0\0\0", b"\0", result="i64") == (option(b"p2") + counts, [None, None, b"2", b"3"])


def test_child_root_versions_differ_for_large_values_and_stand_in_the_top_trie() -> None:
    values = {b"k": b"v" * 40}
    overlay = overlay_of({})
    HostScript().call(CHILD + "set_version_1", b"c", b"k", values[b"k"]).run(overlay)
    roots = [
        HostScript().call(CHILD + "root_version_1", b"c", result="i64").run(overlay),
        HostScript().call(CHILD + "root_version_2", b"c", 0, result="i64").run(overlay),
        HostScript().call(CHILD + "root_version_2", b"c", 1, result="i64").run(overlay),
    ]
    assert roots == [trie_root(values.items(), 0)] * 2 + [trie_root(values.items(), 1)]
    top = HostScript().call("ext_storage_root_version_2", 1, result="i64").run(overlay)
    assert top == trie_root([(b":child_storage:default:c", roots[2])], 1)
    assert HostScript().call(CHILD + "root_version_2", b"none", 1, result="i64").run(overlay) == EMPTY_ROOT


def test_emptied_child_trie_leaves_the_top_trie() -> None:
    overlay = child_overlay()
    for child in (b"c", b"d"):
        HostScript().call(CHILD + "storage_kill_version_1", child).run(overlay)
    top = HostScript().call("ext_storage_root_version_2", 1, result="i64").run(overlay)
    assert top == trie_root([(b"p1", b"top")], 1)


def test_child_writes_follow_transactions() -> None:
    overlay = child_overlay()
    script = HostScript().call(BEGIN).call(CHILD + "set_version_1", b"c", b"p1", b"changed")
    script.call(CHILD + "storage_kill_version_1", b"d").call(ROLLBACK)
    script.call(BEGIN).call(CHILD + "set_version_1", b"e", b"k", b"kept").call(COMMIT).run(overlay)
    assert (overlay.get(b"p1", b"c"), overlay.get(b"p1", b"d")) == (b"1", b"other")
    assert overlay.get(b"k", b"e") == b"kept"


@pytest.mark.parametrize("name", ["ext_storage_root_version_2", CHILD + "root_version_2"])
def test_unknown_state_version_stops_the_call(name: str) -> None:
    arguments = (b"c", 2) if name.startswith(CHILD) else (2,)
    with pytest.raises(RuntimeTrap, match="no state version 2"):
        HostScript().call(name, *arguments, result="i64").run()
