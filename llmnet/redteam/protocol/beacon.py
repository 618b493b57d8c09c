"""The public randomness, bent: secrets kept back, copied, forged, and block authors who try again."""

from __future__ import annotations

from llmnet import proof
from llmnet.chain import Era, Keypair
from llmnet.chain.extrinsic import Signing, sign_extrinsic
from llmnet.devnode.block import Block
from llmnet.pallets import beacon, spot_checks
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.errors import Stuck
from llmnet.redteam.protocol.people import Batch, Juror
from llmnet.redteam.protocol.purse import SAVED, Purse, refusals
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import REWARD, Room
from llmnet.redteam.protocol.setting import Setting
from llmnet.sim import UNIT

_FAMILY = "beacon"
_HALF = 500_000  # parts per million


def _commitment(round_: int, account: bytes, secret: bytes) -> bytes:
    return proof.domain_hash("beacon-commit", round_.to_bytes(4, "little") + account + secret)


def _next_round(room: Room) -> int:
    """On to where the next block is the first of a round; its number."""
    length = _length(room)
    while (room.world.block + 1) % length:
        room.step()
    return (room.world.block + 1) // length


def _length(room: Room) -> int:
    return int(room.world.constant("Beacon", "CommitBlocks") + room.world.constant("Beacon", "RevealBlocks"))


def _commit(room: Room, juror: Juror, round_: int) -> bytes:
    secret = juror.rng.randbytes(32)
    room.must(beacon.commit(round_, _commitment(round_, juror.keys.public, secret)), juror.keys)
    return secret


@attack(
    "forged shares of the beacon",
    _FAMILY,
    "copies a commitment, reveals another secret, comes late or twice",
    Effect.REFUSED,
)
def forged_shares(setting: Setting) -> Found:
    with setting.room(3) as room:
        honest, forger = list(room.jurors.values())[:2]
        outsider = room.person("outsider")
        purse = Purse(room, forger.keys, outsider)
        round_ = _next_round(room)
        secret = _commit(room, honest, round_)
        copied = beacon.commit(round_, _commitment(round_, honest.keys.public, secret))
        room.must(copied, forger.keys)
        early = [beacon.reveal(round_, secret), copied]
        errors = room.attempt([beacon.commit(round_ + 1, bytes(32)), *early], forger.keys)
        errors += room.attempt([copied, beacon.reveal(round_, secret)], outsider)
        room.must(beacon.reveal(round_, secret), honest.keys)
        errors += room.attempt([beacon.reveal(round_, secret), beacon.reveal(round_, bytes(32))], forger.keys)
        room.until("RoundEnded", round=round_)
        errors += room.attempt([beacon.reveal(round_, secret)], forger.keys)
        return refusals(room, errors, purse, forger.keys)


def _drawn_by(batch: Batch, round_: int, mix: bytes, block: Block) -> set[int]:
    """Which receipts are drawn if the round's value is made of these secrets and this block."""
    value = proof.domain_hash("beacon", round_.to_bytes(4, "little") + mix + block.hash)
    key = proof.draw_key(value, batch.worker.public, batch.epoch)
    return set(proof.draw_receipts(key, len(batch.sales[0]), _HALF))


def _remark(room: Room, author: Keypair) -> bytes:
    """A transaction of the author's own; its signature is another each time, and so is the block's hash."""
    node, runtime = room.world.node, room.world.runtime
    number, parent = node.best.number, node.best.hash
    signing = Signing(
        room.world.genesis_hash, parent, Era.mortal(number, 64), node.account_nonce(author.public)
    )
    return sign_extrinsic(runtime, runtime.call("System", "remark", {"remark": b""}), author, signing).data


def _author(room: Room, batch: Batch, round_: int, mix: bytes, versions: int) -> int:
    """Author the next block, in as many versions as it takes until none of the cheap answers would be drawn. How many."""
    author = room.person("author")
    for tried in range(1, versions + 1):
        block = room.world.node.draft([_remark(room, author)])
        if not _CHEAP & _drawn_by(batch, round_, mix, block):
            room.world.node.import_block(block)
            return tried
    raise Stuck(f"no block of {versions} spares the cheap answers")


def _round_of(room: Room, batch: Batch) -> int:
    """The beacon round whose value draws a batch: the one after that in which it was sealed."""
    return int(room.world.query("SpotChecks", "Batches", batch.worker.public, batch.epoch)["round"]) + 1


_CHEAP = frozenset(
    {0, 1, 2}
)  # of eight answers, four of which are drawn: by chance one draw in fourteen spares them


def _ground(setting: Setting, *, honest: bool, last: bool) -> Found:
    """A worker in league with a block's author: that of the round's last block (`last`), or of the last one that takes commitments.

    `honest`: whether somebody else gives a secret to the round."""
    tried, spared, versions = 3 * setting.scale, 0, 0
    with setting.room() as room:
        room.world.sudo(spot_checks.set_audit_floor(_HALF))
        juror, _ = next(iter(room.jurors.values())), room.person("author")
        for number in range(tried):
            deal = room.deal(room.worker(f"cheat-{number}"), room.person("payer"))
            sales = [room.sell(deal, toy.CHEAP if at in _CHEAP else toy.HONEST) for at in range(8)]
            batch = room.commit(deal, sales)
            round_ = _round_of(room, batch)
            while room.world.block + 1 < round_ * _length(room):
                room.step()
            secret = _commit(room, juror, round_) if honest else bytes(32)
            ends = int(room.world.constant("Beacon", "CommitBlocks"))
            if not last:  # nobody but the juror knows its secret yet
                _until_before(room, round_ * _length(room) + ends - 1)
                versions += _author(room, batch, round_, bytes(32), 400)
            _until_before(room, round_ * _length(room) + ends)
            if honest:
                room.must(beacon.reveal(round_, secret), juror.keys)
            if last:
                _until_before(room, (round_ + 1) * _length(room) - 1)
                versions += _author(room, batch, round_, secret, 400)
            verdicts = room.verdicts(room.drawn(batch))
            spared += all(event.fields["verdict"].name == "Passed" for event in verdicts)
        wanted = spared == tried
        effect = Effect.SUCCEEDS if wanted else Effect.NOTHING
        note = (
            f"spared {spared} of {tried} times; by chance 1 of 14; {versions / tried:.0f} versions of a block"
        )
        won = SAVED * len(_CHEAP) * spared / tried
        lost = 20.0 * len(_CHEAP) * (1 - spared / tried) / 2
        return Found(
            effect,
            "block hash" if wanted else "the secret",
            tried,
            tried,
            answers=8,
            audits=4,
            won=won,
            lost=lost,
            note=note,
        )


def _kept_back(setting: Setting, reward: int) -> Found:
    """One validator reveals; the other, in league with a cheat, reveals last, if that draws better than its silence would.

    Its worth is computed for one cheap answer a batch at the least rate of audits, with the fine that was taken."""
    tried, spared, fewest = 0, 0, 4 * setting.scale
    with setting.room() as room:
        room.world.sudo(spot_checks.set_audit_floor(_HALF))
        juror, friend = list(room.jurors.values())[:2]
        while tried < fewest or (not _silent(room, friend) and tried < 40):
            deal = room.deal(
                room.worker(f"cheat-{tried}", reward=reward), room.person("payer"), reward=reward
            )
            sales = [room.sell(deal, toy.CHEAP if at in _CHEAP else toy.HONEST) for at in range(8)]
            batch = room.commit(deal, sales)
            hoped = _choose(room, batch, juror, friend)
            verdicts = room.verdicts(room.drawn(batch))
            spared += sum(event.fields["verdict"].name == "Failed" for event in verdicts) == hoped
            tried += 1
        silent = _silent(room, friend)
        fine = int(room.world.constant("Beacon", "SilenceFine")) / reward
    value = bit_value(fine)
    note = (
        f"silent {silent} times of {tried}, drew the better of two values {spared} times; "
        f"silence costs {fine:g} R, and pays while it costs less than {bit_limit():.1f} R"
    )
    effect = Effect.SUCCEEDS if value > 0 else Effect.FINED if silent else Effect.NOTHING
    lost, won = max(0.0, -value), max(0.0, value)
    return Found(
        effect, "NotRevealed", tried, tried, answers=8, audits=4, on_chain=68, lost=lost, won=won, note=note
    )


def _silent(room: Room, friend: Juror) -> int:
    return room.count("NotRevealed", who=friend.keys.public)


def _choose(room: Room, batch: Batch, juror: Juror, friend: Juror) -> int:
    """The round that draws a batch: `friend` reveals if that draws no more cheap answers than silence. How many it hopes for."""
    round_ = _round_of(room, batch)
    first = round_ * _length(room)
    _until_before(room, first)
    secrets = [_commit(room, each, round_) for each in (juror, friend)]
    _until_before(room, first + int(room.world.constant("Beacon", "CommitBlocks")))
    ends = room.world.node.best
    room.must(beacon.reveal(round_, secrets[0]), juror.keys)
    both = bytes(a ^ b for a, b in zip(*secrets, strict=True))
    drawn = [len(_CHEAP & _drawn_by(batch, round_, mix, ends)) for mix in (both, secrets[0])]
    if drawn[0] <= drawn[1]:
        room.must(beacon.reveal(round_, secrets[1]), friend.keys)
    return min(drawn)


_FLOOR = 0.05


def bit_value(fine: float) -> float:
    """What one cheap answer a batch is worth to who may choose between two draws for a fine, all in R.

    It is drawn with the least probability; silence then costs the fine, and the other value draws it as probably."""
    return SAVED - _FLOOR**2 * 20.0 - _FLOOR * (1 - _FLOOR) * fine


def bit_limit() -> float:
    """The fine in R at which the choice is worth nothing."""
    return (SAVED - _FLOOR**2 * 20.0) / (_FLOOR * (1 - _FLOOR))


def _until_before(room: Room, block: int) -> None:
    """On to where this block is the next."""
    while room.world.block + 1 < block:
        room.step()


attack(
    "the author of a round's last block tries again",
    _FAMILY,
    "knows all secrets and makes versions of its block until the draw would spare its cheap answers",
    Effect.NOTHING,
)(lambda setting: _ground(setting, honest=True, last=True))
attack(
    "the author of the last block of commitments tries again",
    _FAMILY,
    "makes versions of the block whose hash goes into the value, without knowing the secrets",
    Effect.NOTHING,
)(lambda setting: _ground(setting, honest=True, last=False))
attack(
    "nobody gives a secret",
    _FAMILY,
    "no validator takes part in the round, and the author of the block that decides tries again",
    Effect.SUCCEEDS,
    uncovered="a round without a single revealed secret has the value of a block's hash, "
    "whose author chooses; one honest validator is enough",
)(lambda setting: _ground(setting, honest=False, last=False))
attack(
    "a secret kept back",
    _FAMILY,
    "commits to a secret, sees the others', and reveals its own only if that draws better",
    Effect.FINED,
)(lambda setting: _kept_back(setting, REWARD))
attack(
    "a secret kept back for dear answers",
    _FAMILY,
    "the same for a worker whose answers cost as much as the fine",
    Effect.SUCCEEDS,
    uncovered="the fine for silence is the same whatever the answers cost: from a ninth of it on, choosing between two draws pays",
)(lambda setting: _kept_back(setting, UNIT))
