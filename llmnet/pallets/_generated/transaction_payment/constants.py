# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `TransactionPayment`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

OperationalFeeMultiplier: ConstantEntry[int] = ConstantEntry(
    Entry("TransactionPayment", "OperationalFeeMultiplier", "ae1942f12f68bb19", "u8", t.TYPES)
)
"""A fee multiplier for `Operational` extrinsics to compute "virtual tip" to boost their `priority`

This value is multiplied by the `final_fee` to obtain a "virtual tip" that is later added to a tip
component in regular `priority` calculations. It means that a `Normal` transaction can front-run a
similarly-sized `Operational` extrinsic (with no tip), by including a tip value greater than the
virtual tip.

Note that since we use `final_fee` the multiplier applies also to the regular `tip` sent with the
transaction. So, not only does the transaction get a priority bump based on the `inclusion_fee`, but
we also amplify the impact of tips applied to `Operational` transactions.
"""
