"""Staking and the beacon."""

from __future__ import annotations

from bench.weights.lab import Lab, Piece, Sent, calls
from bench.weights.measure import INITIALIZE, Measured, measure_between
from bench.weights.scene import NUMBER, UNIT, Scene
from llmnet import proof
from llmnet.chain import Keypair, Variant
from llmnet.devnode.scale import u32
from llmnet.pallets import beacon, staking
from llmnet.pallets.staking import StakeRole

STAKE = 1_000 * UNIT
HOLDS = {
    ("Staking", "Stake"): STAKE,
    ("Registry", "SpecDeposit"): 10 * UNIT,
    ("Sessions", "Escrow"): 1_000 * UNIT,
    ("Sessions", "Uncleared"): 1_000 * UNIT,
    ("SpotChecks", "Review"): 100 * UNIT,
}


def bonded(
    scene: Scene, keys: Keypair, role: str, *, owner: bytes | None = None, unbonding_at: int | None = None
) -> None:
    """An account with a stake, with everything else on hold that can be."""
    scene.account(keys.public, HOLDS)
    bond = {"role": Variant(role), "stake": STAKE, "owner": owner or keys.public, "since": 1}
    scene.put("Staking", "Bonds", (keys.public,), {**bond, "unbonding_at": unbonding_at, "removed": False})


def listed(scene: Scene, validators: list[Keypair]) -> None:
    """Bonded validators."""
    for keys in validators:
        bonded(scene, keys, "Validator")
    scene.put("Staking", "Validators", (), [keys.public for keys in validators])


def _bond(lab: Lab, _: int) -> Sent:
    """Of a validator that comes back, its owner struck too, as the last that the list takes."""
    scene, keys, owner = Scene(lab.stage), lab.cast("bonding"), lab.cast("owner")
    scene.account(keys.public, {reason: amount for reason, amount in HOLDS.items() if reason[0] != "Staking"})
    scene.put("Staking", "Validators", (), [keys.public for keys in lab.cast.validators[:63]])
    bond = {"role": Variant("Validator"), "stake": 0, "owner": owner.public, "since": 1}
    scene.put("Staking", "Bonds", (keys.public,), {**bond, "unbonding_at": None, "removed": True})
    for who in (keys.public, owner.public):
        scene.put("Staking", "Strikes", (who,), {"count": 1, "until": 2})
    return scene, staking.bond(StakeRole.VALIDATOR, STAKE), keys


def _validator(lab: Lab, unbonding_at: int | None = None) -> tuple[Scene, Keypair]:
    scene, keys = Scene(lab.stage), lab.cast.validators[31]
    listed(scene, lab.cast.validators)
    bonded(scene, keys, "Validator", unbonding_at=unbonding_at)
    scene.put("Staking", "Proposals", (keys.public,), lab.cast("owner").public)
    return scene, keys


def _bond_extra(lab: Lab, _: int) -> Sent:
    scene, keys = _validator(lab)
    return scene, staking.bond_extra(UNIT), keys


def _unbond(lab: Lab, _: int) -> Sent:
    scene, keys = _validator(lab)
    return scene, staking.unbond(), keys


def _withdraw(lab: Lab, _: int) -> Sent:
    scene, keys = _validator(lab, unbonding_at=2)
    return scene, staking.withdraw(), keys


def _propose_owner(lab: Lab, _: int) -> Sent:
    scene, keys = _validator(lab)
    return scene, staking.propose_owner(lab.cast("owner").public), keys


def _accept_owner(lab: Lab, _: int) -> Sent:
    scene, keys = _validator(lab)
    owner = lab.cast("owner")
    scene.account(owner.public, HOLDS)
    for who in (keys.public, owner.public):
        scene.put("Staking", "Strikes", (who,), {"count": 1, "until": 2})
    return scene, staking.accept_owner(keys.public), owner


def _secret(keys: Keypair) -> bytes:
    return proof.blake2b_256(keys.public)


def _shares(scene: Scene, validators: list[Keypair], revealed: int) -> None:
    found = []
    for place, keys in enumerate(validators):
        commitment = proof.domain_hash("beacon-commit", u32(scene.round) + keys.public + _secret(keys))
        found.append(
            (keys.public, {"commitment": commitment, "secret": _secret(keys) if place < revealed else None})
        )
    scene.put("Beacon", "Shares", (), found)


def _commit(lab: Lab, _: int) -> Sent:
    scene, last = Scene(lab.stage, NUMBER), lab.cast.validators[-1]
    listed(scene, lab.cast.validators)
    _shares(scene, lab.cast.validators[:-1], 0)
    return scene, beacon.commit(scene.round, b"\1" * 32), last


def _reveal(lab: Lab, _: int) -> Sent:
    scene, last = Scene(lab.stage, NUMBER + 1), lab.cast.validators[-1]
    listed(scene, lab.cast.validators)
    _shares(scene, lab.cast.validators, 63)
    return scene, beacon.reveal(scene.round, _secret(last)), last


def _round_ends(lab: Lab, silent: int) -> Measured:
    """The first block of the next round, with 64 shares, against a block within a round."""
    ends, within = Scene(lab.stage, NUMBER + 4), Scene(lab.stage, NUMBER + 4)
    for scene in (ends, within):
        listed(scene, lab.cast.validators)
    _shares(ends, lab.cast.validators, 64 - silent)
    _shares(within, [], 0)
    state, argument = ends.unbegun()
    idle, _ = within.unbegun()
    found = measure_between(state, ends, idle, INITIALIZE, argument, lab.times)
    # A round without shares ends too: parent, values and shares are read and written in both.
    return Measured(found.nanoseconds + 20_000, found.reads + 3, found.writes + 3, found.proof + 4_096)


def _no_round_ends(lab: Lab, _: int) -> Measured:
    """Two divisions of the block's number: below what can be measured, so a bound."""
    return Measured(1_000, 0, 0, 0)


PIECES: tuple[Piece, ...] = (
    calls("staking", "bond", "`bond`, of a validator that comes back.", _bond),
    calls("staking", "bond_extra", "`bond_extra`.", _bond_extra),
    calls("staking", "unbond", "`unbond`.", _unbond),
    calls("staking", "withdraw", "`withdraw`.", _withdraw),
    calls("staking", "propose_owner", "`propose_owner`.", _propose_owner),
    calls("staking", "accept_owner", "`accept_owner`.", _accept_owner),
    calls("beacon", "commit", "`commit`.", _commit),
    calls("beacon", "reveal", "`reveal`.", _reveal),
    Piece("beacon", "no_round_ends", "A block in which no round ends.", _no_round_ends),
    Piece(
        "beacon",
        "round_ends",
        "The end of a round in which `n` validators did not reveal.",
        _round_ends,
        "n",
        (0, 16, 32, 64),
    ),
)
