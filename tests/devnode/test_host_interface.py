"""The host interface as a whole: each function answers an example, and none of polkadot-sdk's is forgotten.

What is particular to single functions is tested in `test_host_functions.py` and `test_host_signatures.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import pytest
import sr25519
from ecdsa import SECP256k1, SigningKey
from ecdsa.util import sigencode_string

from llmnet.devnode import Overlay, RuntimeTrap, State
from llmnet.devnode.companion import OWN_FUNCTIONS
from llmnet.devnode.errors import MissingHostFunction
from llmnet.devnode.hashing import blake2_128, blake2_256, keccak_256, keccak_512, twox_64, twox_128, twox_256
from llmnet.devnode.host import HOST_FUNCTIONS
from llmnet.devnode.host.registry import arity
from llmnet.devnode.keystore import Keystore
from llmnet.devnode.scale import compact, option, u32, vec
from llmnet.devnode.state import Changes
from llmnet.devnode.trie import ordered_root, trie_root

from .support import HostScript, Long, Ptr

TOP: dict[bytes, bytes | None] = {b"k": b"value", b"list": b"\x04i", b"p1": b"1", b"p2": b"2"}
CHILD: dict[bytes, bytes | None] = {b"k": b"value", b"p1": b"1", b"p2": b"2"}
YES, NO = u32(1), u32(0)
NO_LIMIT, LIMIT_1, NO_CURSOR = b"\0", b"\1" + u32(1), b"\0"
# Results of removals: all gone / the number of keys looked at; cursor, from the state, in all, looked at.
ALL_TWO, SOME_ONE = b"\0" + u32(2), b"\1" + u32(1)
MULTI_ONE = option(b"p2") + u32(1) + u32(1) + u32(1)

MESSAGE = b"message"
DIGEST = blake2_256(MESSAGE)
SR_PUBLIC, SR_SECRET = sr25519.pair_from_seed(bytes(32))
SR = (Ptr(sr25519.sign((SR_PUBLIC, SR_SECRET), MESSAGE)), MESSAGE, Ptr(SR_PUBLIC))
ED = (  # RFC 8032, test 2
    Ptr(bytes.fromhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")),
    b"\x72",
    Ptr(bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")),
)  # fmt: skip
_KEY = SigningKey.from_string(b"\7" * 32, SECP256k1)
_BODY = _KEY.sign_digest_deterministic(DIGEST, hashlib.sha256, sigencode=sigencode_string)
EC_PUBLIC = _KEY.get_verifying_key().to_string("compressed")
EC_PLAIN = _KEY.get_verifying_key().to_string()

PAIRS = {b"a": b"1", b"b": b"2" * 40}
ENCODED_PAIRS = compact(2) + b"".join(vec(key) + vec(value) for key, value in PAIRS.items())
ITEMS = [b"x", b"y" * 40]
ENCODED_ITEMS = compact(2) + b"".join(map(vec, ITEMS))
LEAF = compact(1) + vec(bytes.fromhex("42aa00"))


@dataclass(frozen=True)
class Example:
    """Arguments, what the call returns (`kind` as in HostScript), and what it changes."""

    arguments: tuple[Any, ...] = ()
    kind: str | int | None = None
    wanted: bytes = b""
    top: dict[bytes, bytes | None] = field(default_factory=dict)
    child: dict[bytes, bytes | None] = field(default_factory=dict)
    before: tuple[tuple[str, tuple[Any, ...], Any], ...] = ()


def _ec_signature() -> bytes:
    """The signature with the recovery id that leads to the key, found with the other library."""
    from ecdsa import VerifyingKey

    keys = VerifyingKey.from_public_key_recovery_with_digest(_BODY, DIGEST, SECP256k1, hashlib.sha256)
    return _BODY + bytes([[key.to_string("compressed") for key in keys].index(EC_PUBLIC)])


EC = Ptr(_ec_signature())
SET, BEGIN = "ext_storage_set_version_1", "ext_storage_start_transaction_version_1"
_ROOT_0 = State().apply(Changes(TOP, {b"c": CHILD}), 1)

STORAGE = {
    "get_version_1": Example((b"k",), "i64", option(b"value")),
    "read_version_1": Example((b"k", b"....", 1), "i64", b"\1" + u32(4)),
    "set_version_1": Example((b"k", b"new"), top={b"k": b"new"}),
    "clear_version_1": Example((b"k",), top={b"k": None}),
    "exists_version_1": Example((b"k",), "i32", YES),
    "append_version_1": Example((b"list", b"j"), top={b"list": b"\x08ij"}),
    "next_key_version_1": Example((b"k",), "i64", option(b"list")),
    "clear_prefix_version_1": Example((b"p",), top={b"p1": None, b"p2": None}),
    "clear_prefix_version_2": Example((b"p", NO_LIMIT), "i64", ALL_TWO, top={b"p1": None, b"p2": None}),
    "clear_prefix_version_3": Example((b"p", LIMIT_1, NO_CURSOR), "i64", MULTI_ONE, top={b"p1": None}),
    "root_version_1": Example((), "i64", _ROOT_0.root()),
    "root_version_2": Example((1,), "i64", _ROOT_0.root()),
    "changes_root_version_1": Example((b"parent",), "i64", b"\0"),
    "start_transaction_version_1": Example(),  # balanced by the test
    "commit_transaction_version_1": Example(
        top={b"k": b"in"}, before=((BEGIN, (), None), (SET, (b"k", b"in"), None))
    ),
    "rollback_transaction_version_1": Example(before=((BEGIN, (), None), (SET, (b"k", b"in"), None))),
}
CHILD_STORAGE = {
    "get_version_1": Example((b"c", b"k"), "i64", option(b"value")),
    "read_version_1": Example((b"c", b"k", b"....", 1), "i64", b"\1" + u32(4)),
    "set_version_1": Example((b"c", b"k", b"new"), child={b"k": b"new"}),
    "clear_version_1": Example((b"c", b"k"), child={b"k": None}),
    "exists_version_1": Example((b"c", b"k"), "i32", YES),
    "next_key_version_1": Example((b"c", b"k"), "i64", option(b"p1")),
    "storage_kill_version_1": Example((b"c",), child=dict.fromkeys(CHILD)),
    "storage_kill_version_2": Example((b"c", LIMIT_1), "i32", NO, child={b"k": None}),
    "storage_kill_version_3": Example((b"c", LIMIT_1), "i64", SOME_ONE, child={b"k": None}),
    "storage_kill_version_4": Example(
        (b"c", LIMIT_1, NO_CURSOR), "i64", option(b"p1") + u32(1) + u32(1) + u32(1), child={b"k": None}
    ),
    "clear_prefix_version_1": Example((b"c", b"p"), child={b"p1": None, b"p2": None}),
    "clear_prefix_version_2": Example((b"c", b"p", LIMIT_1), "i64", SOME_ONE, child={b"p1": None}),
    "clear_prefix_version_3": Example(
        (b"c", b"p", LIMIT_1, NO_CURSOR), "i64", MULTI_ONE, child={b"p1": None}
    ),
    "root_version_1": Example((b"c",), "i64", _ROOT_0.root(b"c")),
    "root_version_2": Example((b"c", 1), "i64", _ROOT_0.root(b"c")),
}
CRYPTO = {
    "sr25519_verify_version_1": Example(SR, "i32", YES),
    "sr25519_verify_version_2": Example(SR, "i32", YES),
    "sr25519_batch_verify_version_1": Example(SR, "i32", YES),
    "ed25519_verify_version_1": Example(ED, "i32", YES),
    "ed25519_batch_verify_version_1": Example(ED, "i32", YES),
    "ecdsa_verify_version_1": Example((EC, MESSAGE, Ptr(EC_PUBLIC)), "i32", YES),
    "ecdsa_verify_version_2": Example((EC, MESSAGE, Ptr(EC_PUBLIC)), "i32", YES),
    "ecdsa_verify_prehashed_version_1": Example((EC, Ptr(DIGEST), Ptr(EC_PUBLIC)), "i32", YES),
    "ecdsa_batch_verify_version_1": Example((EC, MESSAGE, Ptr(EC_PUBLIC)), "i32", YES),
    "secp256k1_ecdsa_recover_version_1": Example((EC, Ptr(DIGEST)), "i64", b"\0" + EC_PLAIN),
    "secp256k1_ecdsa_recover_version_2": Example((EC, Ptr(DIGEST)), "i64", b"\0" + EC_PLAIN),
    "secp256k1_ecdsa_recover_compressed_version_1": Example((EC, Ptr(DIGEST)), "i64", b"\0" + EC_PUBLIC),
    "secp256k1_ecdsa_recover_compressed_version_2": Example((EC, Ptr(DIGEST)), "i64", b"\0" + EC_PUBLIC),
    "start_batch_verify_version_1": Example(),
    "finish_batch_verify_version_1": Example((), "i32", YES, before=(("ext_crypto_start_batch_verify_version_1", (), None),)),
}  # fmt: skip
HASHING = {
    "keccak_256_version_1": Example((b"abc",), 32, keccak_256(b"abc")),
    "keccak_512_version_1": Example((b"abc",), 64, keccak_512(b"abc")),
    "sha2_256_version_1": Example((b"abc",), 32, hashlib.sha256(b"abc").digest()),
    "blake2_128_version_1": Example((b"abc",), 16, blake2_128(b"abc")),
    "blake2_256_version_1": Example((b"abc",), 32, blake2_256(b"abc")),
    "twox_64_version_1": Example((b"abc",), 8, twox_64(b"abc")),
    "twox_128_version_1": Example((b"abc",), 16, twox_128(b"abc")),
    "twox_256_version_1": Example((b"abc",), 32, twox_256(b"abc")),
}
TRIE = {
    "blake2_256_root_version_1": Example((ENCODED_PAIRS,), 32, trie_root(PAIRS.items(), 0)),
    "blake2_256_root_version_2": Example((ENCODED_PAIRS, 1), 32, trie_root(PAIRS.items(), 1)),
    "blake2_256_ordered_root_version_1": Example((ENCODED_ITEMS,), 32, ordered_root(ITEMS, 0)),
    "blake2_256_ordered_root_version_2": Example((ENCODED_ITEMS, 1), 32, ordered_root(ITEMS, 1)),
    "keccak_256_root_version_1": Example((ENCODED_PAIRS,), 32, trie_root(PAIRS.items(), 0, keccak_256)),
    "keccak_256_root_version_2": Example((ENCODED_PAIRS, 1), 32, trie_root(PAIRS.items(), 1, keccak_256)),
    "keccak_256_ordered_root_version_1": Example((ENCODED_ITEMS,), 32, ordered_root(ITEMS, 0, keccak_256)),
    "keccak_256_ordered_root_version_2": Example((ENCODED_ITEMS, 1), 32, ordered_root(ITEMS, 1, keccak_256)),
    **{
        f"{name}_verify_proof_version_{version}": Example(
            (Ptr(hasher(bytes.fromhex("42aa04bb"))), LEAF, b"\xaa", b"\xbb", *([1] if version == 2 else [])),
            "i32",
            YES,
        )
        for name, hasher in (("blake2_256", blake2_256), ("keccak_256", keccak_256))
        for version in (1, 2)
    },
}
OTHERS = {
    "ext_logging_log_version_1": Example((3, b"target", b"text")),
    "ext_logging_max_level_version_1": Example((), "i32", u32(2)),
    "ext_misc_print_num_version_1": Example((Long(7),)),
    "ext_misc_print_utf8_version_1": Example((b"text",)),
    "ext_misc_print_hex_version_1": Example((b"\xff",)),
    "ext_misc_runtime_version_version_1": Example((b"no wasm",), "i64", b"\0"),
    "ext_wasm_tracing_enabled_version_1": Example((b"",), "i32", NO),
    "ext_wasm_tracing_enter_span_version_1": Example((b"",), "u64", bytes(8)),
    "ext_wasm_tracing_event_version_1": Example((b"",)),
    "ext_wasm_tracing_exit_version_1": Example((Long(0),)),
    "ext_offchain_index_set_version_1": Example((b"k", b"v")),
    "ext_offchain_index_clear_version_1": Example((b"k",)),
    "ext_transaction_index_index_version_1": Example((0, 5, Ptr(bytes(32)))),
    "ext_transaction_index_renew_version_1": Example((0, Ptr(bytes(32)))),
    "ext_storage_proof_size_storage_proof_size_version_1": Example((), "u64", b"\xff" * 8),
}
EXAMPLES = {
    **{f"ext_storage_{name}": example for name, example in STORAGE.items()},
    **{f"ext_default_child_storage_{name}": example for name, example in CHILD_STORAGE.items()},
    **{f"ext_crypto_{name}": example for name, example in CRYPTO.items()},
    **{f"ext_hashing_{name}": example for name, example in HASHING.items()},
    **{f"ext_trie_{name}": example for name, example in TRIE.items()},
    **OTHERS,
}
# Functions that stop the call, with their arguments, their result and what they say.
OFFCHAIN = {
    "is_validator": ((), "i32"), "submit_transaction": ((b"tx",), "i64"), "network_state": ((), "i64"), "timestamp": ((), "u64"),
    "sleep_until": ((Long(1),), None), "random_seed": ((), "i32"), "local_storage_set": ((1, b"k", b"v"), None),
    "local_storage_clear": ((1, b"k"), None), "local_storage_compare_and_set": ((1, b"k", b"\0", b"v"), "i32"),
    "local_storage_get": ((1, b"k"), "i64"), "http_request_start": ((b"GET", b"uri", b""), "i64"),
    "http_request_add_header": ((0, b"n", b"v"), "i64"), "http_request_write_body": ((0, b"c", b"\0"), "i64"),
    "http_response_wait": ((b"\0", b"\0"), "i64"), "http_response_headers": ((0,), "i64"),
    "http_response_read_body": ((0, b"....", b"\0"), "i64"), "set_authorized_nodes": ((b"\0", 0), None),
}  # fmt: skip
AURA = Ptr(b"aura")
KEYSTORE = {
    f"{scheme}_{name}": example
    for scheme in ("sr25519", "ed25519", "ecdsa")
    for name, example in {
        "public_keys": ((AURA,), "i64"),
        "generate": ((AURA, b"\0"), "i32"),
        "sign": ((AURA, Ptr(bytes(33)), MESSAGE), "i64"),
    }.items()
} | {"ecdsa_sign_prehashed": ((AURA, Ptr(bytes(33)), Ptr(DIGEST)), "i64")}
REFUSED = {
    "ext_panic_handler_abort_on_panic_version_1": ((b"out of cheese",), None, "out of cheese"),
    **{
        f"ext_offchain_{name}_version_1": (*call, "offchain worker context")
        for name, call in OFFCHAIN.items()
    },
    **{f"ext_crypto_{name}_version_1": (*call, "No `keystore`") for name, call in KEYSTORE.items()},
}

# All host functions that polkadot-sdk registers (sp-io 49.0.0) and the number of their parameters; `version_*`
# of one name take the same number unless several are listed.
SP_IO: dict[str, list[int]] = {
    "ext_storage_get": [1], "ext_storage_read": [3], "ext_storage_set": [2], "ext_storage_clear": [1], "ext_storage_exists": [1],
    "ext_storage_clear_prefix": [1, 2, 3], "ext_storage_append": [2], "ext_storage_root": [0, 1], "ext_storage_changes_root": [1],
    "ext_storage_next_key": [1], "ext_storage_start_transaction": [0], "ext_storage_rollback_transaction": [0],
    "ext_storage_commit_transaction": [0],
    "ext_default_child_storage_get": [2], "ext_default_child_storage_read": [4], "ext_default_child_storage_set": [3],
    "ext_default_child_storage_clear": [2], "ext_default_child_storage_storage_kill": [1, 2, 2, 3],
    "ext_default_child_storage_exists": [2], "ext_default_child_storage_clear_prefix": [2, 3, 4],
    "ext_default_child_storage_root": [1, 2], "ext_default_child_storage_next_key": [2],
    "ext_trie_blake2_256_root": [1, 2], "ext_trie_blake2_256_ordered_root": [1, 2], "ext_trie_keccak_256_root": [1, 2],
    "ext_trie_keccak_256_ordered_root": [1, 2], "ext_trie_blake2_256_verify_proof": [4, 5], "ext_trie_keccak_256_verify_proof": [4, 5],
    "ext_misc_print_num": [1], "ext_misc_print_utf8": [1], "ext_misc_print_hex": [1], "ext_misc_runtime_version": [1],
    "ext_crypto_ed25519_public_keys": [1], "ext_crypto_ed25519_generate": [2], "ext_crypto_ed25519_sign": [3],
    "ext_crypto_ed25519_verify": [3], "ext_crypto_ed25519_batch_verify": [3], "ext_crypto_sr25519_verify": [3, 3],
    "ext_crypto_sr25519_batch_verify": [3], "ext_crypto_start_batch_verify": [0], "ext_crypto_finish_batch_verify": [0],
    "ext_crypto_sr25519_public_keys": [1], "ext_crypto_sr25519_generate": [2], "ext_crypto_sr25519_sign": [3],
    "ext_crypto_ecdsa_public_keys": [1], "ext_crypto_ecdsa_generate": [2], "ext_crypto_ecdsa_sign": [3],
    "ext_crypto_ecdsa_sign_prehashed": [3], "ext_crypto_ecdsa_verify": [3, 3], "ext_crypto_ecdsa_verify_prehashed": [3],
    "ext_crypto_ecdsa_batch_verify": [3], "ext_crypto_secp256k1_ecdsa_recover": [2, 2],
    "ext_crypto_secp256k1_ecdsa_recover_compressed": [2, 2], "ext_crypto_bls381_generate": [2],
    "ext_crypto_bls381_generate_proof_of_possession": [3], "ext_crypto_ecdsa_bls381_generate": [2],
    "ext_crypto_bandersnatch_generate": [2], "ext_crypto_bandersnatch_sign": [3],
    "ext_hashing_keccak_256": [1], "ext_hashing_keccak_512": [1], "ext_hashing_sha2_256": [1], "ext_hashing_blake2_128": [1],
    "ext_hashing_blake2_256": [1], "ext_hashing_twox_256": [1], "ext_hashing_twox_128": [1], "ext_hashing_twox_64": [1],
    "ext_transaction_index_index": [3], "ext_transaction_index_renew": [2], "ext_offchain_index_set": [2], "ext_offchain_index_clear": [1],
    "ext_offchain_is_validator": [0], "ext_offchain_submit_transaction": [1], "ext_offchain_network_state": [0],
    "ext_offchain_timestamp": [0], "ext_offchain_sleep_until": [1], "ext_offchain_random_seed": [0], "ext_offchain_local_storage_set": [3],
    "ext_offchain_local_storage_clear": [2], "ext_offchain_local_storage_compare_and_set": [4], "ext_offchain_local_storage_get": [2],
    "ext_offchain_http_request_start": [3], "ext_offchain_http_request_add_header": [3], "ext_offchain_http_request_write_body": [3],
    "ext_offchain_http_response_wait": [2], "ext_offchain_http_response_headers": [1], "ext_offchain_http_response_read_body": [3],
    "ext_offchain_set_authorized_nodes": [2],
    "ext_allocator_malloc": [1], "ext_allocator_free": [1], "ext_panic_handler_abort_on_panic": [1], "ext_logging_log": [3],
    "ext_logging_max_level": [0], "ext_wasm_tracing_enabled": [1], "ext_wasm_tracing_enter_span": [1], "ext_wasm_tracing_event": [1],
    "ext_wasm_tracing_exit": [1],
}  # fmt: skip
# What belongs to keys that no released node keeps; a call stops with that explanation.
EXPERIMENTAL = {
    "ext_crypto_bls381_generate_version_1", "ext_crypto_bls381_generate_proof_of_possession_version_1",
    "ext_crypto_ecdsa_bls381_generate_version_1", "ext_crypto_bandersnatch_generate_version_1", "ext_crypto_bandersnatch_sign_version_1",
}  # fmt: skip
# Of other crates than sp-io: parachain runtimes import it.
BEYOND_SP_IO = {"ext_storage_proof_size_storage_proof_size_version_1"}


def sdk_functions() -> dict[str, int]:
    return {
        f"{name}_version_{n}": count for name, counts in SP_IO.items() for n, count in enumerate(counts, 1)
    }


def test_every_function_of_the_sdk_is_there_with_its_parameters() -> None:
    wanted = sdk_functions()
    assert len(wanted) == 115
    missing = wanted.keys() - HOST_FUNCTIONS.keys() - OWN_FUNCTIONS
    assert missing == EXPERIMENTAL
    known = {name: arity(HOST_FUNCTIONS[name]) for name in wanted if name in HOST_FUNCTIONS}
    assert known == {name: wanted[name] for name in known}
    assert HOST_FUNCTIONS.keys() - wanted.keys() == BEYOND_SP_IO


def test_every_function_has_an_example() -> None:
    assert EXAMPLES.keys() | REFUSED.keys() >= HOST_FUNCTIONS.keys()
    assert not EXAMPLES.keys() & REFUSED.keys()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_example(name: str) -> None:
    example = EXAMPLES[name]
    overlay = Overlay(State().apply(Changes(TOP, {b"c": CHILD}), 1))
    script = HostScript()
    for earlier, arguments, kind in example.before:
        script.call(earlier, *arguments, result=kind)
    script.call(name, *example.arguments, result=example.kind)
    if name == BEGIN:
        script.call("ext_storage_commit_transaction_version_1")
    assert script.run(overlay) == example.wanted
    for child, base, changed in ((None, TOP, example.top), (b"c", CHILD, example.child)):
        for key, value in {**base, **changed}.items():
            assert overlay.get(key, child) == value, key


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refusal(name: str) -> None:
    arguments, kind, message = REFUSED[name]
    with pytest.raises(RuntimeTrap, match=message):
        HostScript().call(name, *arguments, result=kind).run()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *[(name, "experimental keys") for name in sorted(EXPERIMENTAL)],
        ("ext_benchmarking_current_time_version_1", "built with the feature runtime-benchmarks"),
        ("ext_benchmarking_wipe_db_version_1", "built with the feature runtime-benchmarks"),
        ("ext_sandbox_instantiate_version_1", "nodes dropped it in 2022"),
        ("ext_host_calls_bls12_381_msm_g1_version_1", "elliptic curve"),
        ("ext_statement_store_submit_statement_version_1", "no statement store"),
        ("ext_future_thing_version_1", "is not provided$"),
    ],
)
def test_what_is_missing_is_named_with_a_reason(name: str, reason: str) -> None:
    with pytest.raises(MissingHostFunction, match=f"{name} is not provided.*{reason}|{name} {reason}"):
        HostScript().call(name, b"x", result="i64").run()


# -- the keystore


@pytest.mark.parametrize(("scheme", "size"), [("sr25519", 32), ("ed25519", 32), ("ecdsa", 33)])
def test_keys_are_made_listed_and_sign(scheme: str, size: int) -> None:
    keystore, prefix = Keystore(), f"ext_crypto_{scheme}_"
    seed = option(b"0x" + b"17" * 32)
    public = HostScript().call(prefix + "generate_version_1", AURA, seed, result=size).run(keystore=keystore)
    other = HostScript().call(prefix + "generate_version_1", AURA, b"\0", result=size).run(keystore=keystore)
    assert public != other
    listed = HostScript().call(prefix + "public_keys_version_1", AURA, result="i64")
    assert listed.run(keystore=keystore) == compact(2) + b"".join(sorted([public, other]))
    assert (
        HostScript().call(prefix + "public_keys_version_1", Ptr(b"gran"), result="i64").run(keystore=keystore)
        == b"\0"
    )
    sign = HostScript().call(prefix + "sign_version_1", AURA, Ptr(public), MESSAGE, result="i64")
    signature = sign.run(keystore=keystore)
    assert signature[:1] == b"\1"
    version = 1 if scheme == "ed25519" else 2
    verify = f"{prefix}verify_version_{version}"
    for message, answer in ((MESSAGE, YES), (b"another", NO)):
        check = HostScript().call(verify, Ptr(signature[1:]), message, Ptr(public), result="i32")
        assert check.run() == answer
    assert (
        HostScript()
        .call(prefix + "sign_version_1", Ptr(b"gran"), Ptr(public), MESSAGE, result="i64")
        .run(keystore=keystore)
        == b"\0"
    )
    assert keystore.has(b"aura", public)
    assert not keystore.has(b"gran", public)
    assert public.hex() not in repr(keystore)


def test_ecdsa_signs_digests() -> None:
    keystore = Keystore()
    public = keystore.generate(b"aura", "ecdsa")
    sign = HostScript().call(
        "ext_crypto_ecdsa_sign_prehashed_version_1", AURA, Ptr(public), Ptr(DIGEST), result="i64"
    )
    signature = sign.run(keystore=keystore)[1:]
    verify = HostScript().call(
        "ext_crypto_ecdsa_verify_version_2", Ptr(signature), MESSAGE, Ptr(public), result="i32"
    )
    assert verify.run() == YES


@pytest.mark.parametrize("seed", [b"//Alice", b"0x12", b"zz" * 32, b"\xff\xfe"])
def test_other_seeds_stop_the_call(seed: bytes) -> None:
    script = HostScript().call("ext_crypto_sr25519_generate_version_1", AURA, option(seed), result=32)
    with pytest.raises(RuntimeTrap, match="seed"):
        script.run(keystore=Keystore())
