# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""APIs for integrating the GRANDPA finality gadget into runtimes. This should be implemented on the
runtime side.

This is primarily used for negotiating authority-set changes for the gadget. GRANDPA uses a
signaling model of changing authority sets: changes should be signaled with a delay of N blocks, and
then automatically applied in the runtime after those N blocks have passed.

The consensus protocol will coordinate the handoff externally.
"""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, View

from .. import types as t

_GRANDPA_AUTHORITIES: ApiMethod[tuple[tuple[t.Public, int], ...]] = ApiMethod(
    Entry("GrandpaApi", "grandpa_authorities", "9cd21794386fadd0", "() -> Vec<(Public, u64)>", t.TYPES)
)


async def grandpa_authorities(view: View) -> tuple[tuple[t.Public, int], ...]:
    """Get the current GRANDPA authorities and weights. This should not change except for when changes are
    scheduled and the corresponding delay has passed.

    When called at block B, it will return the set of authorities that should be used to finalize
    descendants of this block (B+1, B+2, ...). The block B itself is finalized by the authorities from
    block B-1.
    """
    return await view.ask(_GRANDPA_AUTHORITIES, {})


_SUBMIT_REPORT_EQUIVOCATION_UNSIGNED_EXTRINSIC: ApiMethod[tuple[()] | None] = ApiMethod(
    Entry(
        "GrandpaApi",
        "submit_report_equivocation_unsigned_extrinsic",
        "4b2c40141b5cf2f2",
        "(equivocation_proof: EquivocationProof, key_owner_proof: OpaqueValue) -> Option<()>",
        t.TYPES,
    )
)


async def submit_report_equivocation_unsigned_extrinsic(
    view: View, equivocation_proof: t.EquivocationProof, key_owner_proof: t.OpaqueValue
) -> tuple[()] | None:
    """Submits an unsigned extrinsic to report an equivocation. The caller must provide the equivocation
    proof and a key ownership proof (should be obtained using `generate_key_ownership_proof`). The
    extrinsic will be unsigned and should only be accepted for local authorship (not to be broadcast to
    the network). This method returns `None` when creation of the extrinsic fails, e.g. if equivocation
    reporting is disabled for the given runtime (i.e. this method is hardcoded to return `None`). Only
    useful in an offchain context.
    """
    return await view.ask(
        _SUBMIT_REPORT_EQUIVOCATION_UNSIGNED_EXTRINSIC,
        {"equivocation_proof": equivocation_proof, "key_owner_proof": key_owner_proof},
    )


_GENERATE_KEY_OWNERSHIP_PROOF: ApiMethod[t.OpaqueValue | None] = ApiMethod(
    Entry(
        "GrandpaApi",
        "generate_key_ownership_proof",
        "9c4ec345faaf2a8f",
        "(set_id: u64, authority_id: Public) -> Option<OpaqueValue>",
        t.TYPES,
    )
)


async def generate_key_ownership_proof(
    view: View, set_id: int, authority_id: t.Public
) -> t.OpaqueValue | None:
    """Generates a proof of key ownership for the given authority in the given set. An example usage of
    this module is coupled with the session historical module to prove that a given authority key is
    tied to a given staking identity during a specific session. Proofs of key ownership are necessary
    for submitting equivocation reports. NOTE: even though the API takes a `set_id` as parameter the
    current implementations ignore this parameter and instead rely on this method being called at the
    correct block height, i.e. any point at which the given set id is live on-chain. Future
    implementations will instead use indexed data through an offchain worker, not requiring older states
    to be available.
    """
    return await view.ask(_GENERATE_KEY_OWNERSHIP_PROOF, {"set_id": set_id, "authority_id": authority_id})


_CURRENT_SET_ID: ApiMethod[int] = ApiMethod(
    Entry("GrandpaApi", "current_set_id", "b4c8bda128174026", "() -> u64", t.TYPES)
)


async def current_set_id(view: View) -> int:
    """Get current GRANDPA authority set id."""
    return await view.ask(_CURRENT_SET_ID, {})
