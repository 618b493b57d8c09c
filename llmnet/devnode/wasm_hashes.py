"""Hash functions as WASM text, for the module that stands beside a runtime.

FRAME computes every storage key while it runs: three of five host calls of a transaction are hashes of a few
bytes, and crossing into Python costs ten times the hash. XXH64 after its public specification, BLAKE2b after
RFC 7693 (no key, no salt).
"""

from __future__ import annotations

SCRATCH_BYTES = 192  # BLAKE2b: 64 bytes of state, 128 of the padded last block
_BLOCK_AT = 64

_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_IV = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)
_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
# The columns, then the diagonals, of the 4 x 4 working vector.
_LANES = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)

_XXH64 = """
 (func $round (param $lane i64) (param $word i64) (result i64)
  (i64.mul (i64.rotl (i64.add (local.get $lane) (i64.mul (local.get $word) (i64.const {p2}))) (i64.const 31))
   (i64.const {p1})))
 (func $merge (param $hash i64) (param $lane i64) (result i64)
  (i64.add (i64.mul (i64.xor (local.get $hash) (call $round (i64.const 0) (local.get $lane))) (i64.const {p1}))
   (i64.const {p4})))
 (func $xxh64 (param $at i32) (param $size i32) (param $seed i64) (result i64)
  (local $end i32) (local $hash i64) (local $a i64) (local $b i64) (local $c i64) (local $d i64)
  (local.set $end (i32.add (local.get $at) (local.get $size)))
  (if (i32.ge_u (local.get $size) (i32.const 32))
   (then
    (local.set $a (i64.add (local.get $seed) (i64.const {p1_plus_p2})))
    (local.set $b (i64.add (local.get $seed) (i64.const {p2})))
    (local.set $c (local.get $seed))
    (local.set $d (i64.sub (local.get $seed) (i64.const {p1})))
    (loop $stripe
     (local.set $a (call $round (local.get $a) (i64.load (local.get $at))))
     (local.set $b (call $round (local.get $b) (i64.load offset=8 (local.get $at))))
     (local.set $c (call $round (local.get $c) (i64.load offset=16 (local.get $at))))
     (local.set $d (call $round (local.get $d) (i64.load offset=24 (local.get $at))))
     (local.set $at (i32.add (local.get $at) (i32.const 32)))
     (br_if $stripe (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 32))))
    (local.set $hash (i64.add
     (i64.add (i64.rotl (local.get $a) (i64.const 1)) (i64.rotl (local.get $b) (i64.const 7)))
     (i64.add (i64.rotl (local.get $c) (i64.const 12)) (i64.rotl (local.get $d) (i64.const 18)))))
    (local.set $hash (call $merge (local.get $hash) (local.get $a)))
    (local.set $hash (call $merge (local.get $hash) (local.get $b)))
    (local.set $hash (call $merge (local.get $hash) (local.get $c)))
    (local.set $hash (call $merge (local.get $hash) (local.get $d))))
   (else (local.set $hash (i64.add (local.get $seed) (i64.const {p5})))))
  (local.set $hash (i64.add (local.get $hash) (i64.extend_i32_u (local.get $size))))
  (block $words (loop $word
   (br_if $words (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
   (local.set $hash (i64.add (i64.mul (i64.rotl
    (i64.xor (local.get $hash) (call $round (i64.const 0) (i64.load (local.get $at)))) (i64.const 27))
    (i64.const {p1})) (i64.const {p4})))
   (local.set $at (i32.add (local.get $at) (i32.const 8)))
   (br $word)))
  (if (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 4))
   (then
    (local.set $hash (i64.add (i64.mul (i64.rotl
     (i64.xor (local.get $hash) (i64.mul (i64.load32_u (local.get $at)) (i64.const {p1}))) (i64.const 23))
     (i64.const {p2})) (i64.const {p3})))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))))
  (block $bytes (loop $byte
   (br_if $bytes (i32.eq (local.get $at) (local.get $end)))
   (local.set $hash (i64.mul (i64.rotl
    (i64.xor (local.get $hash) (i64.mul (i64.load8_u (local.get $at)) (i64.const {p5}))) (i64.const 11))
    (i64.const {p1})))
   (local.set $at (i32.add (local.get $at) (i32.const 1)))
   (br $byte)))
  (local.set $hash (i64.mul
   (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 33))) (i64.const {p2})))
  (local.set $hash (i64.mul
   (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 29))) (i64.const {p3})))
  (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 32))))
"""

_BLAKE2B = """
 (func $blake2b (param $at i32) (param $size i32) (param $digest i32) (result i32)
  (local $done i64) (local $out i32)
{start}
  (block $last (loop $block
   (br_if $last (i32.le_u (local.get $size) (i32.const 128)))
   (local.set $done (i64.add (local.get $done) (i64.const 128)))
   (call $compress (local.get $at) (local.get $done) (i64.const 0))
   (local.set $at (i32.add (local.get $at) (i32.const 128)))
   (local.set $size (i32.sub (local.get $size) (i32.const 128)))
   (br $block)))
  (memory.fill (i32.const {block}) (i32.const 0) (i32.const 128))
  (memory.copy (i32.const {block}) (local.get $at) (local.get $size))
  (call $compress (i32.const {block})
   (i64.add (local.get $done) (i64.extend_i32_u (local.get $size))) (i64.const -1))
  (local.set $out (call $malloc (local.get $digest)))
  (memory.copy (local.get $out) (i32.const {scratch}) (local.get $digest))
  (local.get $out))
"""

_EXPORTS = """
 (func $data (param $span i64) (result i32)
  (if (i64.gt_u
    (i64.add (i64.and (local.get $span) (i64.const 0xffffffff)) (i64.shr_u (local.get $span) (i64.const 32)))
    (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
   (then unreachable))
  (i32.wrap_i64 (local.get $span)))
 (func $size (param $span i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get $span) (i64.const 32))))
"""


def _get(name: str) -> str:
    return f"(local.get ${name})"


def _mix(lanes: tuple[int, int, int, int], x: int, y: int) -> str:
    """The function G of RFC 7693 on four words of the working vector and two of the message."""
    a, b, c, d = (f"v{lane}" for lane in lanes)

    def add(to: str, *terms: str) -> str:
        total = _get(to)
        for term in terms:
            total = f"(i64.add {total} {_get(term)})"
        return f"(local.set ${to} {total})"

    def turn(to: str, by: str, bits: int) -> str:
        return f"(local.set ${to} (i64.rotr (i64.xor {_get(to)} {_get(by)}) (i64.const {bits})))"

    first = (add(a, b, f"m{x}"), turn(d, a, 32), add(c, d), turn(b, c, 24))
    second = (add(a, b, f"m{y}"), turn(d, a, 16), add(c, d), turn(b, c, 63))
    return "\n  ".join((*first, *second))


def _compress(scratch: int) -> str:
    """The compression function, its twelve rounds written out."""
    words = range(16)
    out = [" (func $compress (param $at i32) (param $done i64) (param $final i64)"]
    out.append(" ".join(f"(local $v{i} i64) (local $m{i} i64)" for i in words))
    out += [f"(local.set $m{i} (i64.load offset={8 * i} (local.get $at)))" for i in words]
    out += [f"(local.set $v{i} (i64.load (i32.const {scratch + 8 * i})))" for i in range(8)]
    mixed = {4: "(local.get $done)", 6: "(local.get $final)"}
    for i, value in enumerate(_IV):
        start = f"(i64.const {value})"
        out.append(f"(local.set $v{8 + i} {f'(i64.xor {start} {mixed[i]})' if i in mixed else start})")
    for number in range(12):
        order = _SIGMA[number % 10]
        out += [_mix(lane, order[2 * i], order[2 * i + 1]) for i, lane in enumerate(_LANES)]
    for i in range(8):
        address = f"(i32.const {scratch + 8 * i})"
        both = f"(i64.xor {_get(f'v{i}')} {_get(f'v{i + 8}')})"
        out.append(f"(i64.store {address} (i64.xor (i64.load {address}) {both}))")
    return "\n  ".join(out) + ")"


def _blake2b(scratch: int) -> str:
    """BLAKE2b: its first word of state holds the digest's size, which is not known before the call."""
    sized = f"(i64.xor (i64.const {_IV[0] ^ 0x01010000}) (i64.extend_i32_u (local.get $digest)))"
    start = [f"  (i64.store (i32.const {scratch}) {sized})"]
    start += [f"  (i64.store (i32.const {scratch + 8 * i}) (i64.const {_IV[i]}))" for i in range(1, len(_IV))]
    return _BLAKE2B.format(start="\n".join(start), scratch=scratch, block=scratch + _BLOCK_AT)


def _export_twox(bits: int) -> str:
    count = bits // 64
    parts = [f' (func (export "ext_hashing_twox_{bits}_version_1") (param $span i64) (result i32)']
    parts.append("(local $at i32) (local $size i32) (local $out i32)")
    parts.append("(local.set $at (call $data (local.get $span)))")
    parts.append("(local.set $size (call $size (local.get $span)))")
    parts.append(f"(local.set $out (call $malloc (i32.const {8 * count})))")
    for seed in range(count):
        hashed = f"(call $xxh64 (local.get $at) (local.get $size) (i64.const {seed}))"
        parts.append(f"(i64.store offset={8 * seed} (local.get $out) {hashed})")
    return "\n  ".join(parts) + "\n  (local.get $out))"


def _export_blake2(bits: int) -> str:
    return (
        f' (func (export "ext_hashing_blake2_{bits}_version_1") (param $span i64) (result i32)\n'
        f"  (call $blake2b (call $data (local.get $span)) (call $size (local.get $span))"
        f" (i32.const {bits // 8})))"
    )


def hashes_wat(scratch: int) -> str:
    """Exported `ext_hashing_*` functions, as fields of a module with a memory and a function `$malloc`.

    They take a span (pointer | size << 32) and return the pointer of a fresh digest; a span outside of the
    memory traps. `scratch` is the address of SCRATCH_BYTES bytes that nobody else uses, 8-byte aligned.
    """
    primes = {"p1": _P1, "p2": _P2, "p3": _P3, "p4": _P4, "p5": _P5, "p1_plus_p2": (_P1 + _P2) % (1 << 64)}
    fields = [_EXPORTS, _XXH64.format(**primes), _compress(scratch), _blake2b(scratch)]
    fields += [_export_twox(bits) for bits in (64, 128, 256)]
    fields += [_export_blake2(bits) for bits in (128, 256)]
    return "\n".join(fields)
