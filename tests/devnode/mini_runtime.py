"""A runtime of a few instructions, in WAT: makes blocks and misbehaves on request.

An extrinsic's first byte (behind its length) says what applying it does, its second what validating it does;
`-` is good behaviour. Storage: `b` holds the bodies applied so far, `h` the header while a block is built.
"""

from __future__ import annotations

from llmnet.devnode import ChainSpec
from llmnet.devnode.scale import Reader, compact, u32, vec
from llmnet.devnode.state import CODE_KEY, Changes

from .support import HEAP_BASE

# What an extrinsic can ask for.
DEEDS = {
    "loop": "L",
    "allocate": "A",
    "grow": "G",
    "trap": "T",
    "missing import": "M",
    "deep recursion": "S",
    "open transaction": "O",
    "foreign transaction": "C",
    "memory beyond": "H",
    "malformed result": "R",
}
_HEADER, _ANSWER, _KEYS, _MODE, _VERSION = 4096, 8192, 64, 96, 1024

_IMPORTS = """
 (import "env" "memory" (memory 2))
 (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
 (import "env" "ext_storage_clear_version_1" (func $clear (param i64)))
 (import "env" "ext_storage_append_version_1" (func $append (param i64 i64)))
 (import "env" "ext_storage_read_version_1" (func $read (param i64 i64 i32) (result i64)))
 (import "env" "ext_storage_root_version_2" (func $root (param i32) (result i64)))
 (import "env" "ext_storage_start_transaction_version_1" (func $open))
 (import "env" "ext_storage_commit_transaction_version_1" (func $commit))
 (import "env" "ext_hashing_blake2_256_version_1" (func $blake (param i64) (result i32)))
 (import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))
 (import "env" "ext_nowhere_version_1" (func $missing))
"""

_BODY = """
 (global (export "__heap_base") i32 (i32.const {heap}))
 (data (i32.const {keys}) "hb")
 (data (i32.const {mode_at}) "{mode}")
 (data (i32.const {version_at}) "{version}")
 (func $span (param i32 i32) (result i64)
  (i64.or (i64.extend_i32_u (local.get 0)) (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32))))
 (func $sink (result i32) (i32.add (call $sink) (i32.const 1)))
 (func $act (param $deed i32)
  (if (i32.eq (local.get $deed) (i32.const 76)) (then (loop $again (br $again))))
  (if (i32.eq (local.get $deed) (i32.const 65))
   (then (loop $again (drop (call $malloc (i32.const 1000000))) (br $again))))
  (if (i32.eq (local.get $deed) (i32.const 71)) (then (loop $again
   (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)) (br $again))))
  (if (i32.eq (local.get $deed) (i32.const 84)) (then unreachable))
  (if (i32.eq (local.get $deed) (i32.const 77)) (then (call $missing)))
  (if (i32.eq (local.get $deed) (i32.const 83)) (then (drop (call $sink))))
  (if (i32.eq (local.get $deed) (i32.const 79)) (then (call $open)))
  (if (i32.eq (local.get $deed) (i32.const 67)) (then (call $commit)))
  (if (i32.eq (local.get $deed) (i32.const 72))
   (then (call $set (i64.const {key_b}) (i64.const -1)))))
 (func (export "Core_version") (param i32 i32) (result i64)
  (call $span (i32.const {version_at}) (i32.const {version_size})))
 (func (export "Core_initialize_block") (param $at i32) (param $size i32) (result i64)
  (call $set (i64.const {key_h}) (call $span (local.get $at) (local.get $size)))
  (call $span (i32.const {mode_at}) (i32.const {mode_size})))
 (func (export "BlockBuilder_inherent_extrinsics") (param i32 i32) (result i64)
  (call $span (i32.const {zeros}) (i32.const 1)))
 (func (export "BlockBuilder_apply_extrinsic") (param $at i32) (param $size i32) (result i64)
  (call $append (i64.const {key_b}) (call $span (local.get $at) (local.get $size)))
  (call $act (i32.load8_u offset=1 (local.get $at)))
  (if (i32.eq (i32.load8_u offset=1 (local.get $at)) (i32.const 82))
   (then (return (call $span (local.get $at) (i32.const 1)))))
  (call $span (i32.const {zeros}) (i32.const 2)))
 (func (export "BlockBuilder_finalize_block") (param i32 i32) (result i64) (local $size i32)
  (local.set $size (i32.load offset=1 (i32.wrap_i64
   (call $read (i64.const {key_h}) (call $span (i32.const {header}) (i32.const 2048)) (i32.const 0)))))
  (call $clear (i64.const {key_h}))
  (memory.copy (i32.const {root_at}) (i32.wrap_i64 (call $root (i32.const 1))) (i32.const 32))
  (call $span (i32.const {header}) (local.get $size)))
 (func (export "TaggedTransactionQueue_validate_transaction") (param $at i32) (param $size i32) (result i64)
  (call $act (i32.load8_u offset=4 (local.get $at)))
  (i64.store (i32.const {answer}) (i64.const 0))
  (i32.store offset=8 (i32.const {answer}) (i32.const 0x80040000))
  (memory.copy (i32.const {tag_at})
   (call $blake (call $span (i32.add (local.get $at) (i32.const 1)) (i32.sub (local.get $size) (i32.const 33))))
   (i32.const 32))
  (i64.store offset=44 (i32.const {answer}) (i64.const 64))
  (i32.store8 offset=52 (i32.const {answer}) (i32.const 1))
  (call $span (i32.const {answer}) (i32.const 53)))
"""


def encoded_version(spec_version: int) -> bytes:
    """What `Core_version` answers: no APIs, state version 1."""
    versions = u32(1) + u32(spec_version) + u32(1)
    return vec(b"mini") + vec(b"mini") + versions + compact(0) + u32(1) + b"\1"


def mini_runtime(*, mode: bytes = b"\0", spec_version: int = 1) -> bytes:
    """The runtime's code; `mode` is what `Core_initialize_block` answers (0: all, 1: only inherents)."""
    import wasmtime

    def text(data: bytes) -> str:
        return "".join(f"\\{byte:02x}" for byte in data)

    version = encoded_version(spec_version)
    body = _BODY.format(
        heap=HEAP_BASE,
        keys=_KEYS,
        key_h=_KEYS | 1 << 32,
        key_b=_KEYS + 1 | 1 << 32,
        mode_at=_MODE,
        mode=text(mode),
        mode_size=len(mode),
        version_at=_VERSION,
        version=text(version),
        version_size=len(version),
        zeros=512,
        header=_HEADER,
        root_at=_HEADER + 33,  # parent hash, then a block number below 64
        answer=_ANSWER,
        tag_at=_ANSWER + 12,
    )
    return bytes(wasmtime.wat2wasm(f"(module {_IMPORTS} {body})"))


def mini_spec(**settings: object) -> ChainSpec:
    """A chain whose genesis holds nothing but the mini runtime."""
    code = mini_runtime(**settings)  # type: ignore[arg-type]
    return ChainSpec("Mini", "mini", code, raw=Changes({CODE_KEY: code}))


def extrinsic(apply: str = "-", validate: str = "-", rest: bytes = b"") -> bytes:
    """An extrinsic that misbehaves as told when it is applied or validated."""
    return vec(apply.encode() + b"\0" + validate.encode() + rest)


def applied(value: bytes | None) -> list[bytes]:
    """The extrinsics in `b`."""
    reader = Reader(value or b"\0")
    found = []
    for _ in range(reader.compact()):
        start = reader.at
        reader.vector()
        found.append(reader.data[start : reader.at])
    return found
