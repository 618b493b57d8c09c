"""The pallets' face against the committed runtime in a node of this process: what is written is read back."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmnet import proof
from llmnet.chain import Call, Client, DispatchFailed, Keypair, TxResult
from llmnet.devnode import Node, NodeConfig, NodeService, Seal, serve
from llmnet.pallets import beacon, registry, reputation, sessions, spot_checks, staking
from llmnet.pallets.reputation import Axis
from llmnet.pallets.spot_checks import BatchState, Evidence, Reason, Stage, Verdict
from llmnet.pallets.staking import StakeRole

from .conftest import WASM

UNIT = 10**12
WORKER, VALIDATOR, OTHER, REQUESTER, ALICE = (
    Keypair.from_uri("//" + name) for name in ("Worker1", "Validator1", "Validator2", "Requester1", "Alice")
)
SPEC = proof.ServiceSpec(
    name=b"tiny",
    weights_root=b"w" * 32,
    tokenizer_hash=b"t" * 32,
    template_hash=b"m" * 32,
    graph_hash=b"g" * 32,
    sampler_version=1,
    top_k=8,
    numerics=proof.NumericsClass.FP32,
    vocab_size=1_000,
    context_length=128,
    logit_shift=8,
    hidden_shift=8,
)
SPEC_ID = SPEC.id
CALIBRATION = proof.Calibration(10, 20, 30, 40, 5 << 16, 1_000, 10**6)
SECRET = b"s" * 32


@dataclass(frozen=True)
class Chain:
    """A client, and the node behind it, which makes a block for every transaction and whenever it is told."""

    client: Client
    service: NodeService

    async def submit(self, call: Call, signer: Keypair) -> TxResult:
        return await self.client.submit(call, signer, timeout=20)

    async def sudo(self, call: Call) -> TxResult:
        return await self.submit(self.client.call("Sudo", "sudo", call=call), ALICE)

    async def refused(self, error: str, call: Call, signer: Keypair) -> None:
        """The call is included and fails with this error of its own pallet."""
        with pytest.raises(DispatchFailed) as caught:
            await self.submit(call, signer)
        assert (caught.value.error.pallet, caught.value.error.name) == (call.pallet, error)

    async def forward(self, block: int) -> None:
        """Make empty blocks up to the number `block`."""
        while self.service.node.best.number < block:
            await self.service.produce()


@pytest.fixture
async def chain(wasm_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Chain]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    node = Node.from_preset(WASM, config=NodeConfig(cache_dir=wasm_cache))
    async with (
        serve(node, seal=Seal("instant")) as server,
        Client.connect(server.url, cache_dir=tmp_path, poll=0.05) as client,
    ):
        yield Chain(client, server.service)


async def open_market(chain: Chain) -> None:
    """A bonded worker offers a spec in two domains."""
    await chain.submit(staking.bond(StakeRole.WORKER, 150 * UNIT), WORKER)
    await chain.submit(registry.register_spec(SPEC), REQUESTER)
    await chain.sudo(registry.add_domain("law"))
    await chain.submit(
        registry.put_offer(
            SPEC_ID, endpoint="http://127.0.0.1:8100", price_in=10, price_out=20, domains=(0, 1)
        ),
        WORKER,
    )


async def open_session(chain: Chain, escrow: int = UNIT) -> int:
    call = sessions.open(
        WORKER.public, SPEC_ID, escrow=escrow, max_price_in=10, max_price_out=20, expires_in=200, domain=1
    )
    opened = (await chain.submit(call, REQUESTER)).find("Sessions", "SessionOpened")
    assert opened is not None
    return int(opened.fields["session"])


async def test_a_bond_and_its_owner(chain: Chain) -> None:
    assert await staking.bond_of(chain.client.at(), WORKER.public) is None
    result = await chain.submit(staking.bond(StakeRole.WORKER, 150 * UNIT), WORKER)
    await chain.submit(staking.bond_extra(UNIT), WORKER)
    await chain.submit(staking.propose_owner(REQUESTER.public), WORKER)
    await chain.submit(staking.accept_owner(WORKER.public), REQUESTER)
    bonded = staking.Bond(StakeRole.WORKER, 151 * UNIT, REQUESTER.public, result.block_number, None, False)
    assert await staking.bond_of(chain.client.at(), WORKER.public) == bonded
    assert staking.is_active(bonded)
    left = await chain.submit(staking.unbond(), WORKER)
    found = await staking.bond_of(chain.client.at(), WORKER.public)
    assert found is not None
    period = chain.client.constant("Staking", "UnbondingPeriod")
    assert (staking.is_active(found), found.unbonding_at) == (False, left.block_number + period)


async def test_staking_refuses_with_names(chain: Chain) -> None:
    await chain.refused("BelowMinimum", staking.bond(StakeRole.WORKER, UNIT), WORKER)
    await chain.refused("NotBonded", staking.unbond(), WORKER)
    await chain.submit(staking.bond(StakeRole.VALIDATOR, 100 * UNIT), VALIDATOR)
    assert await staking.validators(chain.client.at()) == ((VALIDATOR.public, 100 * UNIT),)
    await chain.refused("AlreadyBonded", staking.bond(StakeRole.WORKER, 200 * UNIT), VALIDATOR)
    await chain.refused("ZeroAmount", staking.bond_extra(0), VALIDATOR)
    await chain.submit(staking.unbond(), VALIDATOR)
    await chain.refused("TooEarly", staking.withdraw(), VALIDATOR)
    await chain.refused("NotProposed", staking.accept_owner(WORKER.public), REQUESTER)


async def test_the_market_is_read_back(chain: Chain) -> None:
    await open_market(chain)
    await chain.sudo(registry.set_calibration(SPEC_ID, CALIBRATION))
    beat = await chain.submit(registry.heartbeat(), WORKER)
    view = chain.client.at()
    assert await registry.spec(view, SPEC_ID) == SPEC
    assert await registry.specs(view) == {SPEC_ID: SPEC}
    assert await registry.calibration(view, SPEC_ID) == CALIBRATION
    domains = await registry.domains(view)
    assert domains[1] == registry.Domain("law", None)
    assert domains[registry.GENERAL_DOMAIN].parent is None
    offer = await registry.offer(view, SPEC_ID, WORKER.public)
    assert offer is not None
    assert (offer.endpoint, offer.price_in, offer.price_out) == ("http://127.0.0.1:8100", 10, 20)
    assert (offer.domains, offer.capacity, offer.version) == ((0, 1), 8, 1)
    assert await registry.offers(view, SPEC_ID) == {WORKER.public: offer}
    assert await registry.offers_in_domain(view, 1) == {(SPEC_ID, WORKER.public): offer}
    assert await registry.offers_in_domain(view, 7) == {}
    assert await registry.last_heartbeat(view, WORKER.public) == beat.block_number
    await chain.submit(registry.withdraw_offer(SPEC_ID), WORKER)
    assert await registry.offer(chain.client.at(), SPEC_ID, WORKER.public) is None
    await chain.refused("SpecInUse", registry.remove_spec(SPEC_ID), REQUESTER)


async def test_a_spec_that_was_never_offered_is_taken_back(chain: Chain) -> None:
    await chain.submit(registry.register_spec(SPEC), REQUESTER)
    await chain.submit(registry.remove_spec(SPEC_ID), REQUESTER)
    assert await registry.spec(chain.client.at(), SPEC_ID) is None


async def test_the_registry_refuses_with_names(chain: Chain) -> None:
    offer = registry.put_offer(SPEC_ID, endpoint="http://127.0.0.1:1", price_in=1, price_out=1)
    await chain.refused("NotActiveWorker", offer, WORKER)
    await chain.refused("NoOffer", registry.heartbeat(), WORKER)
    await open_market(chain)
    await chain.refused("SpecExists", registry.register_spec(SPEC), REQUESTER)
    await chain.refused("NotDepositor", registry.remove_spec(SPEC_ID), WORKER)
    await chain.refused("SpecOffered", registry.remove_spec(SPEC_ID), REQUESTER)
    await chain.refused("WorkerActive", registry.prune_offer(SPEC_ID, WORKER.public), REQUESTER)
    bad = registry.put_offer(SPEC_ID, endpoint="ftp://worker", price_in=1, price_out=1)
    await chain.refused("BadEndpoint", bad, WORKER)
    with pytest.raises(DispatchFailed, match="UnknownDomain"):
        await chain.sudo(registry.add_domain("contracts", parent=99))
    with pytest.raises(DispatchFailed, match="BadOrigin"):
        await chain.submit(registry.add_domain("contracts"), WORKER)
    await chain.submit(staking.unbond(), WORKER)
    assert await registry.offers(chain.client.at(), SPEC_ID) == {}
    await chain.submit(registry.prune_offer(SPEC_ID, WORKER.public), REQUESTER)
    assert await registry.offer(chain.client.at(), SPEC_ID, WORKER.public) is None


async def test_a_session_earns_after_its_batch(chain: Chain) -> None:
    await open_market(chain)
    number = await open_session(chain)
    await chain.submit(sessions.top_up(number, UNIT), REQUESTER)
    session = await sessions.session(chain.client.at(), number)
    assert session is not None
    assert (session.requester, session.worker, session.spec_id) == (REQUESTER.public, WORKER.public, SPEC_ID)
    assert (
        sessions.state(session),
        sessions.status_block(session),
        sessions.left(session),
        session.seed,
    ) == (
        "open",
        None,
        2 * UNIT,
        None,
    )
    assert await sessions.sessions_of(chain.client.at(), REQUESTER.public) == (number,)
    assert await sessions.money(chain.client.at(), REQUESTER.public) == sessions.Money(2 * UNIT, 0)
    assert await sessions.seed(chain.client.at(), number) is None
    await seeded(chain, number, session.seed_round)
    voucher = proof.Voucher(number, 1_000, 1)
    signature = REQUESTER.sign(proof.signing_bytes("voucher", chain.client.genesis_hash, voucher.encode()))
    claim = sessions.claim(number, 1_000, 1, signature)
    await chain.refused("NothingToClaim", claim, WORKER)
    await chain.refused("BadSignature", sessions.claim(number, 1_001, 1, signature), WORKER)
    segment = proof.Segment(number, 0, 0, b"r" * 32, 1_000)
    committed = await chain.submit(spot_checks.commit_batch([segment]), WORKER)
    event = committed.find("SpotChecks", "BatchCommitted")
    assert event is not None
    batch = await spot_checks.batch(chain.client.at(), WORKER.public, event.fields["epoch"])
    assert batch is not None
    assert (batch.segments, batch.receipts, batch.amount, batch.state) == (1, 1, 1_000, BatchState.SEALED)
    pot = await sessions.pot(chain.client.at())
    await chain.submit(claim, WORKER)
    fee = chain.client.constant("Sessions", "Fee") * 1_000 // 1_000_000
    assert await sessions.uncleared(chain.client.at(), WORKER.public) == {event.fields["epoch"]: 1_000 - fee}
    assert (await sessions.money(chain.client.at(), WORKER.public)).uncleared == 1_000 - fee
    assert await sessions.pot(chain.client.at()) == pot + fee


async def seeded(chain: Chain, number: int, round_: int) -> None:
    """Go on until the beacon has given the session its seed, which follows from the round's value."""
    length = chain.client.constant("Beacon", "CommitBlocks") + chain.client.constant("Beacon", "RevealBlocks")
    await chain.forward((round_ + 1) * length)
    value = await beacon.value_of(chain.client.at(), round_)
    assert value is not None
    assert await sessions.seed(chain.client.at(), number) == proof.session_seed(value, number)


async def test_closing_and_rating(chain: Chain) -> None:
    await open_market(chain)
    number = await open_session(chain)
    await chain.refused("NotSettled", sessions.rate(number, 5), REQUESTER)
    await chain.refused("BadStars", sessions.rate(number, 6), REQUESTER)
    await chain.refused("NotParty", sessions.close(number), VALIDATOR)
    closing = await chain.submit(sessions.close(number), REQUESTER)
    window = chain.client.constant("Sessions", "ClaimWindow")
    found = await sessions.session(chain.client.at(), number)
    assert found is not None
    assert found.status == sessions.StatusClosing(closing.block_number + window)
    await chain.refused("AlreadyClosing", sessions.close(number), REQUESTER)
    closed = await chain.submit(sessions.close(number), WORKER)
    found = await sessions.session(chain.client.at(), number)
    assert found is not None
    assert (found.status, sessions.left(found)) == (sessions.StatusClosed(closed.block_number), 0)
    assert await sessions.money(chain.client.at(), REQUESTER.public) == sessions.Money(0, 0)
    await chain.refused("NothingPaid", sessions.rate(number, 5), REQUESTER)


async def test_sessions_refuse_with_names(chain: Chain) -> None:
    await open_market(chain)
    terms = {"escrow": UNIT, "max_price_in": 10, "max_price_out": 20, "expires_in": 200}
    cases = [("PriceTooHigh", {"max_price_out": 19}), ("EscrowTooLow", {"escrow": 1})]
    cases += [("BadDuration", {"expires_in": 1}), ("DomainNotOffered", {"domain": 5})]
    for error, change in cases:
        await chain.refused(error, sessions.open(WORKER.public, SPEC_ID, **{**terms, **change}), REQUESTER)
    await chain.refused("NoOffer", sessions.open(VALIDATOR.public, SPEC_ID, **terms), REQUESTER)
    await chain.refused("UnknownSession", sessions.top_up(999, UNIT), REQUESTER)
    await chain.refused("UnknownSession", sessions.close_with_voucher(999, 1, 1, bytes(64)), WORKER)
    assert await sessions.session(chain.client.at(), 999) is None


async def test_a_round_of_the_beacon(chain: Chain) -> None:
    await chain.submit(staking.bond(StakeRole.VALIDATOR, 100 * UNIT), VALIDATOR)
    commits = chain.client.constant("Beacon", "CommitBlocks")
    length = commits + chain.client.constant("Beacon", "RevealBlocks")
    await chain.forward(length - 1)  # the next block begins round 1
    share = proof.domain_hash("beacon-commit", (1).to_bytes(4, "little") + VALIDATOR.public + SECRET)
    await chain.submit(beacon.commit(1, share), VALIDATOR)
    status = await beacon.status(chain.client.at())
    expected = beacon.BeaconStatus(1, True, length + commits, (VALIDATOR.public,), ())
    assert status == expected
    await chain.refused("AlreadyCommitted", beacon.commit(1, share), VALIDATOR)
    await chain.forward(length + commits - 1)
    await chain.refused("WrongSecret", beacon.reveal(1, b"x" * 32), VALIDATOR)
    await chain.submit(beacon.reveal(1, SECRET), VALIDATOR)
    status = await beacon.status(chain.client.at())
    assert (status.committing, status.revealed) == (False, (VALIDATOR.public,))
    assert await beacon.value_of(chain.client.at(), 1) is None
    await chain.forward(2 * length)
    value = await beacon.value_of(chain.client.at(), 1)
    assert value is not None
    assert len(value) == 32
    await chain.refused("WrongRound", beacon.commit(1, share), VALIDATOR)
    await chain.refused("NotValidator", beacon.commit(2, share), REQUESTER)


async def test_a_worker_without_a_record(chain: Chain) -> None:
    await chain.submit(staking.bond(StakeRole.WORKER, 150 * UNIT), WORKER)
    view = chain.client.at()
    assert await reputation.score(view, WORKER.public, 0, Axis.INTEGRITY) == 0.5
    assert await reputation.scores(view, WORKER.public) == {}
    assert await spot_checks.worker_state(view, WORKER.public) == spot_checks.WorkerState(
        Evidence(0, 0), 0, 0, 0, 0, 0, False
    )
    assert await spot_checks.audit_probability(view, WORKER.public) == 0.5
    assert await spot_checks.current_epoch(view) == 0
    await chain.sudo(spot_checks.set_audit_floor(1_000_000))
    assert await spot_checks.audit_probability(chain.client.at(), WORKER.public) == 1.0
    with pytest.raises(DispatchFailed, match="FloorTooHigh"):
        await chain.sudo(spot_checks.set_audit_floor(1_000_001))
    assert await spot_checks.audit(view, 0) is None
    assert await spot_checks.verdict_of(view, 0, 0) is None
    assert await spot_checks.positions(view, 0) == ()
    assert await spot_checks.due_of_worker(view, WORKER.public) == []
    assert await spot_checks.assignments(view, VALIDATOR.public) == []


CANDIDATES = tuple(proof.Candidate(token, -100 * (token + 1)) for token in range(SPEC.top_k))
LEAVES = [proof.Leaf(position, 0, CANDIDATES, (7,) * 8, (9,) * 8) for position in range(3)]


def receipt_of(session: int) -> proof.Receipt:
    """An answer of three tokens at temperature 0."""
    return proof.Receipt(
        session=session,
        index=0,
        request_hash=b"q" * 32,
        temperature=0,
        output_hash=proof.output_hash([0, 0, 0]),
        text_hash=proof.text_hash("..."),
        n_prompt=50,
        n_out=3,
        finish=proof.FinishReason.LENGTH,
        transcript_root=proof.transcript_root(LEAVES),
    )


async def drawn_audit(chain: Chain) -> tuple[int, int, proof.PlacedSegment, proof.Receipt]:
    """A market with two validators in which every answer is audited, and the audit of its first answer."""
    await open_market(chain)
    for validator in (VALIDATOR, OTHER):
        await chain.submit(staking.bond(StakeRole.VALIDATOR, 100 * UNIT), validator)
    await chain.sudo(registry.set_calibration(SPEC_ID, CALIBRATION))
    await chain.sudo(spot_checks.set_audit_floor(1_000_000))
    number = await open_session(chain)
    session = await sessions.session(chain.client.at(), number)
    assert session is not None
    await seeded(chain, number, session.seed_round)
    receipt = receipt_of(number)
    segment = proof.Segment(number, 0, 0, proof.receipts_root([receipt]), 1)
    (placed,) = proof.place_segments([segment])
    result = await chain.submit(spot_checks.commit_batch([segment]), WORKER)
    event = result.find("SpotChecks", "BatchCommitted")
    assert event is not None
    epoch = event.fields["epoch"]
    sealed = await spot_checks.batch(chain.client.at(), WORKER.public, epoch)
    assert sealed is not None
    assert sealed.root == proof.batch_root([placed])
    await chain.forward((sealed.round + 2) * 6)
    (duty,) = await spot_checks.due_of_worker(chain.client.at(), WORKER.public)
    assert duty.stage is Stage.DRAWN
    return duty.audit, epoch, placed, receipt


async def test_an_audit_from_the_draw_to_the_verdict(chain: Chain) -> None:
    number, epoch, placed, receipt = await drawn_audit(chain)
    early = spot_checks.commit_reference(number, bytes(32))
    await chain.refused("WrongStage", early, VALIDATOR)
    forged = dataclasses.replace(receipt, n_out=4)
    await chain.refused(
        "ReceiptProofInvalid", spot_checks.open_receipt(number, placed, [], forged, []), WORKER
    )
    opening = spot_checks.open_receipt(number, placed, [], receipt, [])
    await chain.refused("NotTheWorker", opening, REQUESTER)
    await chain.submit(opening, WORKER)
    view = chain.client.at()
    audit = await spot_checks.audit(view, number)
    assert audit is not None
    assert (audit.worker, audit.epoch, audit.session, audit.index) == (
        WORKER.public,
        epoch,
        receipt.session,
        0,
    )
    assert {member.validator for member in audit.panel} == {VALIDATOR.public, OTHER.public}
    assert audit.answer is not None
    assert (audit.answer.receipt, audit.answer.requester) == (receipt, REQUESTER.public)
    seed = await sessions.seed(view, receipt.session)
    assert seed is not None
    assert audit.answer.request_seed == proof.request_seed(seed, 0, receipt.request_hash)
    assert await spot_checks.positions(view, number) == (0, 1, 2)
    for validator, salt in ((VALIDATOR, b"1" * 32), (OTHER, b"2" * 32)):
        (duty,) = await spot_checks.assignments(chain.client.at(), validator.public)
        assert (duty.audit, duty.stage, duty.acted) == (number, Stage.RECEIPT_OPENED, False)
        commitment = proof.reference_commitment(number, validator.public, LEAVES, salt)
        await chain.submit(spot_checks.commit_reference(number, commitment), validator)
    (due,) = await spot_checks.due_of_worker(chain.client.at(), WORKER.public)
    assert due.stage is Stage.REFERENCED
    leaves_proof = proof.multiproof([leaf.encode() for leaf in LEAVES], [0, 1, 2])
    wrong = [dataclasses.replace(LEAVES[0], token=1), *LEAVES[1:]]
    await chain.refused("LeafProofInvalid", spot_checks.open_leaves(number, wrong, leaves_proof), WORKER)
    await chain.submit(spot_checks.open_leaves(number, LEAVES, leaves_proof), WORKER)
    await chain.refused("CommitmentMismatch", spot_checks.reveal_reference(number, LEAVES, bytes(32)), OTHER)
    for validator, salt in ((VALIDATOR, b"1" * 32), (OTHER, b"2" * 32)):
        await chain.submit(spot_checks.reveal_reference(number, LEAVES, salt), validator)
    await check_verdict(chain, number, epoch, receipt)


async def check_verdict(chain: Chain, number: int, epoch: int, receipt: proof.Receipt) -> None:
    view = chain.client.at()
    outcome = await spot_checks.verdict_of(view, receipt.session, 0)
    assert outcome is not None
    assert (outcome.audit, outcome.verdict, outcome.reason) == (number, Verdict.PASSED, Reason.CLEAN)
    # Three positions in the best bin, three hits, and sums that stay at zero.
    assert outcome.evidence == Evidence(3 * -64, 3 * -13)
    assert outcome.total == Evidence(0, 0)
    audit = await spot_checks.audit(view, number)
    assert audit is not None
    assert (audit.stage, audit.outcome) == (Stage.DECIDED, outcome)
    state = await spot_checks.worker_state(view, WORKER.public)
    assert (state.passed, state.failed, state.clean, state.removed) == (1, 0, 1, False)
    settled = await spot_checks.batch(view, WORKER.public, epoch)
    assert settled is not None
    assert (settled.state, settled.drawn, settled.pending) == (BatchState.SETTLED, 1, 0)
    score = await reputation.score(view, WORKER.public, 1, Axis.INTEGRITY)
    records = await reputation.scores(view, WORKER.public)
    assert records[1, Axis.INTEGRITY].score == score > 0.5
    assert records[1, Axis.INTEGRITY].bad == 0.0


async def test_two_validators_report_that_the_data_was_withheld(chain: Chain) -> None:
    number, _, placed, receipt = await drawn_audit(chain)
    await chain.submit(spot_checks.open_receipt(number, placed, [], receipt, []), WORKER)
    for validator in (VALIDATOR, OTHER):
        await chain.submit(spot_checks.report_withheld(number), validator)
    outcome = await spot_checks.verdict_of(chain.client.at(), receipt.session, 0)
    assert outcome is not None
    assert (outcome.verdict, outcome.reason, outcome.total.position) == (
        Verdict.FAILED,
        Reason.WITHHELD,
        1536,
    )
    assert await spot_checks.audit_probability(chain.client.at(), WORKER.public) == 1.0


async def test_two_receipts_for_one_request_end_a_worker(chain: Chain) -> None:
    await open_market(chain)
    number = await open_session(chain)
    first = receipt_of(number)
    second = dataclasses.replace(first, output_hash=b"o" * 32)
    signed = [
        WORKER.sign(proof.signing_bytes("receipt", chain.client.genesis_hash, receipt.encode()))
        for receipt in (first, second)
    ]
    same = spot_checks.report_equivocation(WORKER.public, first, signed[0], first, signed[0])
    await chain.refused("SameReceipt", same, REQUESTER)
    unsigned = spot_checks.report_equivocation(WORKER.public, first, signed[0], second, bytes(64))
    await chain.refused("SignatureInvalid", unsigned, REQUESTER)
    await chain.submit(
        spot_checks.report_equivocation(WORKER.public, first, signed[0], second, signed[1]), REQUESTER
    )
    found = await staking.bond_of(chain.client.at(), WORKER.public)
    assert found is not None
    assert (found.removed, staking.is_active(found)) == (True, False)
    assert (await spot_checks.worker_state(chain.client.at(), WORKER.public)).removed
