"""The heap of a runtime instance, as WASM text for the module that owns the instance's memory.

Two thirds of all host calls of a transaction are malloc and free; as WASM they cost nothing. The layout is
the one that `sp-io` expects of its host: blocks of 8 * 2**order bytes (order 0 to 22), each behind an 8-byte
header whose first four bytes hold the order (or, when free, the next free block) and whose fifth byte's
lowest bit says that it is in use; the last bytes of the header belong to the runtime.
"""

from __future__ import annotations

MAX_ORDER = 22
HEADS_BYTES = 96  # 23 list heads of 4 bytes, rounded up to a multiple of 8

_TEMPLATE = """
 (global $heads i32 (i32.const {heads}))
 (global $bump (mut i32) (i32.const {first}))
 (func $grow (param $end i32) (local $missing i32)
  (local.set $missing (i32.sub
   (i32.add (i32.shr_u (local.get $end) (i32.const 16)) (i32.const 1)) (memory.size)))
  (if (i32.gt_s (local.get $missing) (i32.const 0))
   (then
    (if (i32.eq (memory.grow (i32.add (local.get $missing) (i32.const 16))) (i32.const -1))
     (then (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1)) (then unreachable)))))))
 (func $malloc (export "ext_allocator_malloc_version_1") (param $size i32) (result i32)
  (local $order i32) (local $slot i32) (local $block i32) (local $end i32)
  (if (i32.gt_u (local.get $size) (i32.const 33554432)) (then unreachable))
  (if (i32.gt_u (local.get $size) (i32.const 8))
   (then (local.set $order (i32.sub (i32.const 29) (i32.clz (i32.sub (local.get $size) (i32.const 1)))))))
  (local.set $slot (i32.add (global.get $heads) (i32.shl (local.get $order) (i32.const 2))))
  (local.set $block (i32.load (local.get $slot)))
  (if (local.get $block)
   (then (i32.store (local.get $slot) (i32.load (local.get $block))))
   (else
    (local.set $block (global.get $bump))
    (local.set $end
     (i32.add (i32.add (local.get $block) (i32.const 8)) (i32.shl (i32.const 8) (local.get $order))))
    (if (i32.lt_u (local.get $end) (local.get $block)) (then unreachable))
    (call $grow (local.get $end))
    (global.set $bump (local.get $end))))
  (i32.store (local.get $block) (local.get $order))
  (i32.store offset=4 (local.get $block) (i32.const 1))
  (i32.add (local.get $block) (i32.const 8)))
 (func (export "ext_allocator_free_version_1") (param $pointer i32)
  (local $block i32) (local $order i32) (local $slot i32)
  (local.set $block (i32.sub (local.get $pointer) (i32.const 8)))
  (if (i32.lt_u (local.get $block) (i32.const {first})) (then unreachable))
  (if (i32.ge_u (local.get $block) (global.get $bump)) (then unreachable))
  (if (i32.eqz (i32.and (i32.load8_u offset=4 (local.get $block)) (i32.const 1))) (then unreachable))
  (local.set $order (i32.load (local.get $block)))
  (if (i32.gt_u (local.get $order) (i32.const {max_order})) (then unreachable))
  (local.set $slot (i32.add (global.get $heads) (i32.shl (local.get $order) (i32.const 2))))
  (i32.store (local.get $block) (i32.load (local.get $slot)))
  (i32.store offset=4 (local.get $block) (i32.const 0))
  (i32.store (local.get $slot) (local.get $block)))
"""


def allocator_wat(heads: int) -> str:
    """Functions `$malloc` and free, exported under their import names, as fields of a module with a memory.

    At `heads` lie HEADS_BYTES bytes of free lists, behind them the heap; a failed growth traps.
    """
    return _TEMPLATE.format(heads=heads, first=heads + HEADS_BYTES, max_order=MAX_ORDER)
