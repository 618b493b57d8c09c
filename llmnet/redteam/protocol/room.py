"""A chain with a few people on it, moved by hand: what nobody interferes with goes its honest way."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from llmnet import proof
from llmnet.chain import Call, Event, Keypair, Variant
from llmnet.pallets import registry, sessions, spot_checks, staking
from llmnet.pallets.staking import StakeRole
from llmnet.proof import Calibration, FinishReason, Leaf, Message, Receipt, Request, Role, Segment, Voucher
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.errors import Stuck
from llmnet.redteam.protocol.people import Batch, Case, Deal, Juror, Look, Sale, Serves, everything, honest
from llmnet.sim.world import ALICE, UNIT, World

TOKENS = 20  # four more than an audit looks at
REWARD = UNIT // 100
STAKE = 200 * UNIT
WEALTH = 10_000 * UNIT
CERTAIN = 1_000_000
CALIBRATION = Calibration(9, 18, 9, 18, 1311, 1_000, 1 << 30)
_N_PROMPT = 12
_PATIENCE = 80  # blocks


class Room:
    """Everything on the real runtime. Validators act by themselves; workers do their duties as far as `serves` says.

    A seed names the accounts and the prompts. It does not decide who is drawn: signatures are randomised and go into the beacon.
    """

    def __init__(self, world: World, validators: int, seed: int) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self.jurors: dict[bytes, Juror] = {}
        self.sales: dict[tuple[int, int], Sale] = {}
        self.batches: dict[tuple[bytes, int], Batch] = {}
        self.panels: dict[int, list[bytes]] = {}
        self.workers: dict[int, bytes] = {}  # of audits
        self.opened: dict[int, tuple[tuple[int, int], list[int]]] = {}
        self.due: set[int] = set()  # audits whose references are committed
        self.decided: dict[int, Event] = {}
        self.refused: list[str] = []
        self.sent: dict[bytes, int] = {}
        self.serves: Serves = everything
        self.on_verdict: Callable[[Event], None] = lambda _event: None
        self.log: list[Event] = []
        self._people: dict[str, Keypair] = {}
        self._seed = seed
        self._pending: dict[bytes, tuple[tuple[Sale, ...], ...]] = {}
        self._set_up(validators)

    def _set_up(self, validators: int) -> None:
        self.world.post(registry.register_spec(toy.SPEC), ALICE)
        self.step()
        self.world.sudo(registry.set_calibration(toy.SPEC.id, CALIBRATION))
        self.world.sudo(spot_checks.set_audit_floor(CERTAIN))
        for number in range(validators):
            self.validator(f"validator-{number}")
        self.step()

    # -- people

    def person(self, name: str, wealth: int = WEALTH) -> Keypair:
        """An account with money."""
        if name not in self._people:
            keys = self._people[name] = Keypair.from_uri(f"//Red//{self._seed}//{name}")
            fields = {"dest": Variant("Id", keys.public), "value": wealth}
            self.world.post(self.world.runtime.call("Balances", "transfer_allow_death", fields), ALICE)
            self.step()
        return self._people[name]

    def validator(self, name: str, look: Look = honest, stake: int = STAKE) -> Juror:
        """A bonded validator."""
        keys = self.person(name)
        self.world.post(staking.bond(StakeRole.VALIDATOR, stake), keys)
        self.step()
        juror = self.jurors[keys.public] = Juror(keys, random.Random(f"{self._seed}/{name}"), look)
        return juror

    def worker(self, name: str, stake: int = STAKE, reward: int = REWARD) -> Keypair:
        """A bonded worker with an offer."""
        keys = self.person(name)
        self.world.post(staking.bond(StakeRole.WORKER, stake), keys)
        self.step()
        price = reward * 1_000 // TOKENS
        self.world.post(
            registry.put_offer(toy.SPEC.id, endpoint="http://127.0.0.1:1", price_in=0, price_out=price), keys
        )
        self.step()
        return keys

    def deal(self, worker: Keypair, payer: Keypair, reward: int = REWARD, escrow: int = 100 * UNIT) -> Deal:
        """An open session with its seed."""
        price = reward * 1_000 // TOKENS
        call = sessions.open(
            worker.public, toy.SPEC.id, escrow=escrow, max_price_in=0, max_price_out=price, expires_in=90_000
        )
        self.must(call, payer)
        opened = [event for event in self.log if event.name == "SessionOpened"][-1]
        session = int(opened.fields["session"])
        seeded = self.until("Seeded", session=session)
        return Deal(session, bytes(seeded.fields["seed"]), worker, payer, price)

    def calibrate(self, calibration: Calibration) -> None:
        """Other thresholds for the model; what expires does so after the end."""
        self.world.sudo(registry.set_calibration(toy.SPEC.id, replace(calibration, expires_at=1 << 30)))
        self.step()

    def link(self, hot: Keypair, owner: Keypair) -> None:
        """Make one account the other's owner."""
        self.must(staking.propose_owner(owner.public), hot)
        self.must(staking.accept_owner(hot.public), owner)

    # -- selling

    def sell(
        self,
        deal: Deal,
        weights: bytes = toy.HONEST,
        *,
        temperature: int = 256,
        tokens: int = TOKENS,
        text: str | None = None,
        index: int | None = None,
        leaves: tuple[Leaf, ...] | None = None,
        **receipt: Any,
    ) -> Sale:
        """One answer. `leaves` puts others in their place; `receipt` changes fields of the receipt that is committed."""
        place = deal.next_index if index is None else index
        if index is None:
            deal.next_index += 1
        question = f"question {place} of {deal.session}" if text is None else text
        request = Request(deal.session, place, (Message.of(Role.USER, question),), temperature, tokens)
        seed = proof.request_seed(deal.seed, place, request.hash)
        prompt = question.encode()
        made = toy.generate(weights, prompt, seed, temperature, tokens) if leaves is None else leaves
        given = [leaf.token for leaf in made]
        answer = " ".join(map(str, given))
        fields = {
            "session": deal.session,
            "index": place,
            "request_hash": request.hash,
            "temperature": temperature,
            "output_hash": proof.output_hash(given),
            "text_hash": proof.text_hash(answer),
            "n_prompt": _N_PROMPT,
            "n_out": len(given),
            "finish": FinishReason.LENGTH,
            "transcript_root": proof.merkle_root([leaf.encode() for leaf in made]),
        }
        signed = Receipt(**{**fields, **receipt})
        return Sale(
            request,
            self.sign("request", request.encode(), deal.payer),
            signed,
            self.sign("receipt", signed.encode(), deal.worker),
            answer,
            made,
            toy.replay(toy.HONEST, prompt, seed, given),
            seed,
            deal.payer.public,
            self.world.genesis_hash,
        )

    def segment(self, deal: Deal, sales: Sequence[Sale], amount: int | None = None) -> Segment:
        """The sales as one segment at their price."""
        receipts = [sale.receipt for sale in sales]
        price = sum(proof.price(r.n_prompt, r.n_out, 0, deal.price_out) for r in receipts)
        root = proof.merkle_root([receipt.encode() for receipt in receipts])
        worth = price if amount is None else amount
        return Segment(deal.session, receipts[0].index, receipts[-1].index, root, worth)

    def commit(self, deal: Deal, sales: Sequence[Sale], amount: int | None = None) -> Batch:
        """A batch of one segment in an epoch of its own."""
        return self.commit_all(deal.worker, [(self.segment(deal, sales, amount), tuple(sales))])

    def commit_all(self, worker: Keypair, parts: Sequence[tuple[Segment, tuple[Sale, ...]]]) -> Batch:
        """A batch of several segments, in the first block of an epoch that has none of this worker's."""
        self.new_epoch()
        for _, sales in parts:
            self.sales.update((sale.place, sale) for sale in sales)
        segments = [segment for segment, _ in parts]
        self.must(spot_checks.commit_batch(segments), worker)
        committed = [event for event in self.log if event.name == "BatchCommitted"][-1]
        epoch = int(committed.fields["epoch"])
        placed = tuple(proof.place_segments(segments))
        batch = self.batches[worker.public, epoch] = Batch(
            worker, epoch, placed, tuple(sales for _, sales in parts)
        )
        return batch

    def commit_together(self, parts: Sequence[tuple[Deal, tuple[Sale, ...]]]) -> None:
        """Batches of several workers in one block. Raises CallFailed."""
        self.new_epoch()
        epoch = (self.world.block + 1) // int(self.world.constant("SpotChecks", "EpochLength"))
        for deal, sales in parts:
            self.sales.update((sale.place, sale) for sale in sales)
            segment = self.segment(deal, sales)
            placed = tuple(proof.place_segments([segment]))
            self.batches[deal.worker.public, epoch] = Batch(deal.worker, epoch, placed, (sales,))
            self._count(spot_checks.commit_batch([segment]), deal.worker)
            self.world.post(spot_checks.commit_batch([segment]), deal.worker)
        self.step()

    def new_epoch(self) -> None:
        """On to the first block of the next epoch."""
        length = int(self.world.constant("SpotChecks", "EpochLength"))
        self.step()
        while (self.world.block + 1) % length:
            self.step()

    def sign(self, name: str, payload: bytes, keys: Keypair) -> bytes:
        """A signature of the protocol on this chain."""
        return keys.sign(proof.signing_bytes(name, self.world.genesis_hash, payload))

    def voucher(self, deal: Deal, amount: int, answers: int, by: Keypair | None = None) -> bytes:
        """The payer's signature under so much, or somebody else's."""
        voucher = Voucher(deal.session, amount, answers)
        return self.sign("voucher", voucher.encode(), by or deal.payer)

    # -- time

    def must(self, call: Call, by: Keypair) -> None:
        """A call that has to succeed. Raises CallFailed."""
        self._count(call, by)
        self.world.post(call, by)
        self.step()

    def attempt(self, calls: Sequence[Call], by: Keypair) -> list[str]:
        """Calls in one block, or as few as have room for them; the names of their errors, "" for one that went through."""
        errors = [""] * len(calls)
        for number, call in enumerate(calls):

            def failed(error: str, number: int = number) -> None:
                errors[number] = error

            self._count(call, by)
            self.world.post(call, by, failed)
        self.step()
        while self.world.node.pending():  # what a full block left over
            self.step()
        return errors

    def bytes_of(self, *keys: Keypair) -> int:
        """What they have put on chain: the encoded calls, without signatures and fees."""
        return sum(self.sent.get(each.public, 0) for each in keys)

    def _count(self, call: Call, by: Keypair) -> None:
        size = len(self.world.runtime.encode_call(call))
        self.sent[by.public] = self.sent.get(by.public, 0) + size

    def step(self) -> tuple[Event, ...]:
        """One block, and what people do about it in the next."""
        events = self.world.step()
        self.log.extend(events)
        for event in events:
            handler = _HANDLERS.get(event.name) if event.pallet == "SpotChecks" else None
            if handler is not None:
                handler(self, event)
        return events

    def until(self, name: str, blocks: int = _PATIENCE, **fields: Any) -> Event:
        """The first event of this name and these fields from here on. Raises Stuck if it does not come."""
        for _ in range(blocks):
            for event in self.step():
                if event.name == name and all(event.fields[key] == value for key, value in fields.items()):
                    return event
        raise Stuck(f"no {name} within {blocks} blocks")

    def drawn(self, batch: Batch) -> list[int]:
        """The audits of a batch, when they are drawn, by ordinal."""
        self.until("AuditDrawn", worker=batch.worker.public, epoch=batch.epoch)
        place = batch.worker.public, batch.epoch
        found = [
            e for e in self.log if e.name == "AuditDrawn" and (e.fields["worker"], e.fields["epoch"]) == place
        ]
        return [int(event.fields["audit"]) for event in sorted(found, key=lambda e: int(e.fields["ordinal"]))]

    def verdicts(self, audits: Sequence[int], blocks: int = 200) -> list[Event]:
        """How audits end. Raises Stuck."""
        for _ in range(blocks):
            if all(audit in self.decided for audit in audits):
                return [self.decided[audit] for audit in audits]
            self.step()
        raise Stuck(
            f"audits {[a for a in audits if a not in self.decided]} are not decided within {blocks} blocks"
        )

    def settle(self) -> None:
        """Until what was committed is drawn and decided. Raises Stuck."""
        self.pass_blocks(
            2
            * int(
                self.world.constant("Beacon", "CommitBlocks") + self.world.constant("Beacon", "RevealBlocks")
            )
            + 1
        )
        self.verdicts(list(self.workers))

    def pass_blocks(self, count: int) -> None:
        """Let time go by."""
        for _ in range(count):
            self.step()

    # -- reading

    def wealth(self, keys: Keypair) -> int:
        """All that somebody owns, in plancks."""
        return self.world.wealth(keys.public)

    def stake(self, keys: Keypair) -> int:
        """What somebody has at stake, in plancks."""
        bond = self.world.query("Staking", "Bonds", keys.public)
        return 0 if bond is None else int(bond["stake"])

    def count(self, name: str, **fields: Any) -> int:
        """How many events of this name and these fields there were."""
        same = (event for event in self.log if event.name == name)
        return sum(all(event.fields[key] == value for key, value in fields.items()) for event in same)

    # -- what everybody does

    def opening_of(self, audit: int) -> Call:
        """The honest opening of an audit's receipt."""
        drawn = next(e for e in self.log if e.name == "AuditDrawn" and e.fields["audit"] == audit)
        batch = self.batches[drawn.fields["worker"], drawn.fields["epoch"]]
        segment, place, sale = batch.at(int(drawn.fields["ordinal"]))
        return spot_checks.open_receipt(
            audit,
            batch.placed[segment],
            batch.segment_proof(segment),
            sale.receipt,
            batch.receipt_proof(segment, place),
        )

    def leaves_of(self, audit: int) -> Call:
        """The honest opening of an audit's leaves."""
        place, positions = self.opened[audit]
        return spot_checks.open_leaves(audit, *self.sales[place].opening(positions))

    def keys_of(self, worker: bytes) -> Keypair:
        """Whose account it is."""
        return next(keys for keys in self._people.values() if keys.public == worker)

    def _duty(self, call: Call, keys: Keypair) -> None:
        """What somebody does by itself; refusals are remembered."""
        self._count(call, keys)
        self.world.post(call, keys, self.refused.append)

    def _on_drawn(self, event: Event) -> None:
        audit, worker = int(event.fields["audit"]), bytes(event.fields["worker"])
        self.panels[audit], self.workers[audit] = list(event.fields["panel"]), worker
        batch = self.batches.get((worker, int(event.fields["epoch"])))
        if batch is not None and self.serves("receipt", batch.at(int(event.fields["ordinal"]))[2]):
            self._duty(self.opening_of(audit), batch.worker)

    def _on_review(self, event: Event) -> None:
        audit, of = int(event.fields["audit"]), int(event.fields["of"])
        self.panels[audit], self.workers[audit] = list(event.fields["panel"]), self.workers[of]

    def _on_opened(self, event: Event) -> None:
        audit = int(event.fields["audit"])
        place = int(event.fields["session"]), int(event.fields["index"])
        positions = [int(position) for position in event.fields["positions"]]
        self.opened[audit] = place, positions
        sale = self.sales.get(place)
        for who in self.panels.get(audit, []):
            juror = self.jurors.get(who)
            if juror is not None and sale is not None:
                juror.sat += 1
                self._commit_reference(juror, audit, sale, positions)

    def _commit_reference(self, juror: Juror, audit: int, sale: Sale, positions: list[int]) -> None:
        if not juror.acts:
            return
        leaves = juror.look(juror, Case(audit, sale, tuple(self.panels[audit])))
        if leaves is None:
            self._duty(spot_checks.report_withheld(audit), juror.keys)
            return
        chosen, salt = [leaves[at] for at in positions], juror.rng.randbytes(32)
        juror.committed[audit] = chosen, salt
        commitment = proof.reference_commitment(audit, juror.keys.public, chosen, salt)
        self._duty(spot_checks.commit_reference(audit, commitment), juror.keys)

    def _on_leaves_due(self, event: Event) -> None:
        audit = int(event.fields["audit"])
        self.due.add(audit)
        sale = self.sales.get(self.opened[audit][0]) if audit in self.opened else None
        if sale is not None and self.serves("leaves", sale):
            self._duty(self.leaves_of(audit), self.keys_of(self.workers[audit]))

    def _on_leaves_opened(self, event: Event) -> None:
        audit = int(event.fields["audit"])
        for who in self.panels.get(audit, []):
            juror = self.jurors.get(who)
            if juror is not None and juror.reveals and audit in juror.committed:
                call = spot_checks.reveal_reference(audit, *juror.committed[audit])
                self._duty(call, juror.keys)

    def _on_decided(self, event: Event) -> None:
        self.decided[int(event.fields["audit"])] = event
        self.on_verdict(event)


_HANDLERS: dict[str, Callable[[Room, Event], None]] = {
    "AuditDrawn": Room._on_drawn,
    "ReviewBegun": Room._on_review,
    "ReceiptOpened": Room._on_opened,
    "LeavesDue": Room._on_leaves_due,
    "LeavesOpened": Room._on_leaves_opened,
    "Decided": Room._on_decided,
}
