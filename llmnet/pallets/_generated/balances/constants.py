# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Balances`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

ExistentialDeposit: ConstantEntry[int] = ConstantEntry(
    Entry("Balances", "ExistentialDeposit", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The minimum amount required to keep an account open. MUST BE GREATER THAN ZERO!

If you *really* need it to be zero, you can enable the feature `insecure_zero_ed` for this pallet.
However, you do so at your own risk: this will open up a major DoS vector. In case you have multiple
sources of provider references, you may also get unexpected behaviour if you set this to zero.

Bottom line: Do yourself a favour and make it at least one!
"""

MaxLocks: ConstantEntry[int] = ConstantEntry(
    Entry("Balances", "MaxLocks", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The maximum number of locks that should exist on an account. Not strictly enforced, but used for
weight estimation.

Use of locks is deprecated in favour of freezes. See
`https://github.com/paritytech/substrate/pull/12951/`
"""

MaxReserves: ConstantEntry[int] = ConstantEntry(
    Entry("Balances", "MaxReserves", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The maximum number of named reserves that can exist on an account.

Use of reserves is deprecated in favour of holds. See
`https://github.com/paritytech/substrate/pull/12951/`
"""

MaxFreezes: ConstantEntry[int] = ConstantEntry(
    Entry("Balances", "MaxFreezes", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The maximum number of individual freeze locks that can exist on an account at any time."""
