# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Grandpa`."""

from __future__ import annotations

from llmnet.chain import Call, Entry

from .. import types as t

_REPORT_EQUIVOCATION = Entry(
    "Grandpa",
    "report_equivocation",
    "4a04d2efcea83a18",
    "equivocation_proof: EquivocationProof, key_owner_proof: Void",
    t.TYPES,
)


def report_equivocation(equivocation_proof: t.EquivocationProof, key_owner_proof: t.Void) -> Call:
    """Report voter equivocation/misbehavior. This method will verify the equivocation proof and validate
    the given key ownership proof against the extracted offender. If both are valid, the offence will be
    reported.
    """
    return Call(
        "Grandpa",
        "report_equivocation",
        {"equivocation_proof": equivocation_proof, "key_owner_proof": key_owner_proof},
        _REPORT_EQUIVOCATION,
    )


_REPORT_EQUIVOCATION_UNSIGNED = Entry(
    "Grandpa",
    "report_equivocation_unsigned",
    "3dc3b53748ad1190",
    "equivocation_proof: EquivocationProof, key_owner_proof: Void",
    t.TYPES,
)


def report_equivocation_unsigned(equivocation_proof: t.EquivocationProof, key_owner_proof: t.Void) -> Call:
    """Report voter equivocation/misbehavior. This method will verify the equivocation proof and validate
    the given key ownership proof against the extracted offender. If both are valid, the offence will be
    reported.

    This extrinsic must be called unsigned and it is expected that only block authors will call it
    (validated in `ValidateUnsigned`), as such if the block author is defined it will be defined as the
    equivocation reporter.
    """
    return Call(
        "Grandpa",
        "report_equivocation_unsigned",
        {"equivocation_proof": equivocation_proof, "key_owner_proof": key_owner_proof},
        _REPORT_EQUIVOCATION_UNSIGNED,
    )


_NOTE_STALLED = Entry(
    "Grandpa", "note_stalled", "3b1c5635817538ea", "delay: u32, best_finalized_block_number: u32", t.TYPES
)


def note_stalled(delay: int, best_finalized_block_number: int) -> Call:
    """Note that the current authority set of the GRANDPA finality gadget has stalled.

    This will trigger a forced authority set change at the beginning of the next session, to be enacted
    `delay` blocks after that. The `delay` should be high enough to safely assume that the block
    signalling the forced change will not be re-orged e.g. 1000 blocks. The block production rate (which
    may be slowed down because of finality lagging) should be taken into account when choosing the
    `delay`. The GRANDPA voters based on the new authority will start voting on top of
    `best_finalized_block_number` for new finalized blocks. `best_finalized_block_number` should be the
    highest of the latest finalized block of all validators of the new authority set.

    Only callable by root.
    """
    return Call(
        "Grandpa",
        "note_stalled",
        {"delay": delay, "best_finalized_block_number": best_finalized_block_number},
        _NOTE_STALLED,
    )
