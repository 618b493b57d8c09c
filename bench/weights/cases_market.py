"""The registry and sessions."""

from __future__ import annotations

from bench.weights.cases_roles import HOLDS, bonded
from bench.weights.lab import Lab, Piece, Sent, calls, work
from bench.weights.measure import Measured
from bench.weights.scene import NUMBER, UNIT, Scene
from llmnet import proof
from llmnet.chain import Keypair, Variant
from llmnet.pallets import registry, sessions
from llmnet.proof import NumericsClass, ServiceSpec, Voucher

TOP_K = 32
DOMAINS = 8  # of an offer
OFFERS = 16  # of a worker
TASKS = 32  # pieces of a block's own work that are measured together
EPOCHS = 32  # of a worker that wait for audits
TRANCHES = 65  # of a session
SESSION = 7
PRICE = 1_000  # plancks per 1,000 tokens
ESCROW = 500 * UNIT


def spec(number: int) -> ServiceSpec:
    """A spec with the longest name and the longest leaves."""
    weights, tokenizer, template, graph = (proof.blake2b_256(bytes([number, part])) for part in range(4))
    name = f"weighed {number}".ljust(64, ".").encode()
    return ServiceSpec(
        name, weights, tokenizer, template, graph, 1, TOP_K, NumericsClass.FP32, 150_000, 1 << 20, 9, 9
    )


def known_spec(scene: Scene, number: int, *, offers: int, idle_since: int | None = None) -> bytes:
    """A registered spec; returns its id."""
    found = spec(number)
    fields = {name: getattr(found, name) for name in ServiceSpec.__slots__}
    record = {
        "spec": {**fields, "numerics": Variant("Fp32")},
        "depositor": scene.stage.genesis_hash,
        "deposit": 10 * UNIT,
        "offers": offers,
        "idle_since": idle_since,
    }
    scene.put("Registry", "Specs", (found.id,), record)
    calibration = {"logit_q95": 100, "logit_q99": 200, "hidden_q95": 100, "hidden_q99": 200}
    rest = {"tau_sample": 1 << 16, "positions": 10_000, "expires_at": 1 << 31}
    scene.put("Registry", "Calibrations", (found.id,), {**calibration, **rest})
    return found.id


def domains(scene: Scene, count: int) -> None:
    """The domain tree."""
    for number in range(count):
        name = f"domain {number}".ljust(64, ".").encode()
        scene.put("Registry", "Domains", (number,), {"name": name, "parent": number - 1 if number else None})
    scene.put("Registry", "NextDomain", (), count)


def offering(scene: Scene, worker: Keypair, offers: int) -> list[bytes]:
    """A worker's offers, each in as many domains as it may name, for specs that have no room left."""
    specs = [known_spec(scene, number, offers=127) for number in range(offers)]
    offer = {
        "endpoint": b"http://" + b"w" * 121,
        "price_in": PRICE,
        "price_out": PRICE,
        "domains": list(range(DOMAINS)),
        "policy_digest": b"\1" * 32,
        "capacity": 16,
        "version": 1,
        "updated_at": 1,
    }
    for spec_id in specs:
        scene.put("Registry", "Offers", (spec_id, worker.public), offer)
    scene.put("Registry", "OffersOf", (worker.public,), specs)
    scene.put("Registry", "Heartbeats", (worker.public,), 1)
    return specs


def session(
    scene: Scene, worker: bytes, requester: bytes, number: int = SESSION, **changed: object
) -> dict[str, object]:
    """An open session whose seed only the beacon knows."""
    record: dict[str, object] = {
        "requester": requester,
        "worker": worker,
        "spec_id": spec(0).id,
        "domain": 0,
        "price_in": PRICE,
        "price_out": PRICE,
        "escrow": ESCROW,
        "committed": ESCROW,
        "claimed": UNIT,
        "answers": 1,
        "next_index": 0,
        "seed_round": 1,
        "seed": None,
        "status": Variant("Open"),
        "opened_at": 1,
        "expires_at": scene.number + 1_000,
        "rated": False,
        **changed,
    }
    scene.put("Sessions", "Sessions", (number,), record)
    scene.put("Sessions", "Agenda", (scene.number + 1_000, number), ())
    scene.put("Sessions", "AwaitingSeed", (1, number), ())
    scene.put("Beacon", "Values", (1,), b"\2" * 32)
    return record


def earning(scene: Scene, worker: bytes, epochs: int = EPOCHS, tranches: int = TRANCHES) -> None:
    """Earnings of `epochs` that wait for audits, and a session's tranches of those and of settled ones in turn."""
    waiting = [scene.epoch - 1 - 2 * number for number in range(epochs)][::-1]
    scene.put("Sessions", "Uncleared", (worker,), [{"epoch": epoch, "amount": UNIT} for epoch in waiting])
    first = waiting[0] - 1 if waiting else 0
    each = (ESCROW - UNIT) // tranches
    amounts = [each] * (tranches - 1) + [ESCROW - UNIT - each * (tranches - 1)]
    found = [{"epoch": first + place, "amount": amount} for place, amount in enumerate(amounts)]
    scene.put("Sessions", "Unclaimed", (SESSION,), found)


def _account(lab: Lab, number: int = NUMBER) -> tuple[Scene, Keypair]:
    scene, keys = Scene(lab.stage, number), lab.cast("caller")
    scene.account(keys.public, HOLDS)
    return scene, keys


def _register_spec(lab: Lab, _: int) -> Sent:
    scene, keys = _account(lab)
    scene.put("Registry", "CounterForSpecs", (), 63)
    return scene, registry.register_spec(spec(99)), keys


def _remove_spec(lab: Lab, _: int) -> Sent:
    scene, keys = _account(lab, 10 * NUMBER)
    spec_id = known_spec(scene, 1, offers=0, idle_since=1)
    runtime = lab.stage.runtime
    entry = runtime.storage("Registry", "Specs")
    raw = scene.read(runtime.storage_key(entry, (spec_id,)))
    record = runtime.storage_value(entry, raw)
    scene.put("Registry", "Specs", (spec_id,), {**record, "depositor": keys.public})
    scene.put("Registry", "CounterForSpecs", (), 64)
    return scene, registry.remove_spec(spec_id), keys


def _set_calibration(lab: Lab, _: int) -> Sent:
    scene = Scene(lab.stage)
    spec_id = known_spec(scene, 1, offers=1)
    row = proof.Calibration(100, 200, 100, 200, 1 << 16, 10_000, 1 << 31)
    return scene, registry.set_calibration(spec_id, row), lab.cast.root


def _add_domain(lab: Lab, there: int) -> Sent:
    scene = Scene(lab.stage)
    domains(scene, there)
    return scene, registry.add_domain("new".ljust(64, "."), there - 1), lab.cast.root


def _worker(lab: Lab, offers: int) -> tuple[Scene, Keypair, list[bytes]]:
    scene, keys = Scene(lab.stage), lab.cast("worker")
    bonded(scene, keys, "Worker", owner=lab.cast("owner").public)
    domains(scene, 256)
    return scene, keys, offering(scene, keys, offers)


def _put_offer(lab: Lab, _: int) -> Sent:
    scene, keys, _specs = _worker(lab, OFFERS - 1)
    spec_id = known_spec(scene, 50, offers=127)
    scene.put("Registry", "FormerEndpoints", (keys.public,), b"http://" + b"f" * 121)
    call = registry.put_offer(
        spec_id,
        endpoint="http://" + "n" * 121,
        price_in=PRICE,
        price_out=PRICE,
        domains=list(range(248, 256)),
        policy_digest=b"\3" * 32,
        capacity=1,
    )
    return scene, call, keys


def _change_offer(lab: Lab, _: int) -> Sent:
    scene, keys, specs = _worker(lab, OFFERS)
    endpoint = "http://" + "n" * 121
    call = registry.put_offer(
        specs[-1],
        endpoint=endpoint,
        price_in=1,
        price_out=1,
        domains=list(range(248, 256)),
        policy_digest=b"\3" * 32,
    )
    return scene, call, keys


def _withdraw_offer(lab: Lab, _: int) -> Sent:
    scene, keys, specs = _worker(lab, OFFERS)
    return scene, registry.withdraw_offer(specs[0]), keys


def _withdraw_last(lab: Lab, _: int) -> Sent:
    scene, keys, _specs = _worker(lab, 0)
    (spec_id,) = offering(scene, keys, 1)
    return scene, registry.withdraw_offer(spec_id), keys


def _prune_offer(lab: Lab, _: int) -> Sent:
    scene, keys, specs = _worker(lab, OFFERS)
    bonded(scene, keys, "Worker", unbonding_at=5)
    sweeper = lab.cast("sweeper")
    scene.account(sweeper.public)
    return scene, registry.prune_offer(specs[0], keys.public), sweeper


def _heartbeat(lab: Lab, _: int) -> Sent:
    scene, keys, _specs = _worker(lab, OFFERS)
    return scene, registry.heartbeat(), keys


def _parties(lab: Lab) -> tuple[Scene, Keypair, Keypair]:
    scene, worker, _specs = _worker(lab, OFFERS)
    requester = lab.cast("requester")
    bonded(scene, requester, "Worker", owner=lab.cast("sweeper").public)
    scene.put("Sessions", "OpenSessions", (requester.public,), [*range(SESSION, SESSION + 63)])
    scene.put("Sessions", "NextSession", (), 1_000)
    return scene, worker, requester


def _open(lab: Lab, _: int) -> Sent:
    scene, worker, requester = _parties(lab)
    call = sessions.open(
        worker.public,
        spec(0).id,
        domain=DOMAINS - 1,
        escrow=ESCROW,
        max_price_in=PRICE,
        max_price_out=PRICE,
        expires_in=1_000,
    )
    return scene, call, requester


def _running(lab: Lab) -> tuple[Scene, Keypair, Keypair]:
    scene, worker, requester = _parties(lab)
    session(scene, worker.public, requester.public)
    earning(scene, worker.public)
    return scene, worker, requester


def _top_up(lab: Lab, _: int) -> Sent:
    scene, _other, requester = _running(lab)
    return scene, sessions.top_up(SESSION, UNIT), requester


def _voucher(lab: Lab, requester: Keypair) -> tuple[int, int, int, bytes]:
    voucher = Voucher(SESSION, ESCROW, 9)
    signed = requester.sign(proof.signing_bytes("voucher", lab.stage.genesis_hash, voucher.encode()))
    return SESSION, ESCROW, 9, signed


def _claim(lab: Lab, _: int) -> Sent:
    scene, _other, requester = _running(lab)
    anybody = lab.cast("sweeper")
    scene.account(anybody.public)
    return scene, sessions.claim(*_voucher(lab, requester)), anybody


def _close_as_worker(lab: Lab, _: int) -> Sent:
    scene, worker, _other = _running(lab)
    return scene, sessions.close(SESSION), worker


def _close_as_requester(lab: Lab, _: int) -> Sent:
    scene, _other, requester = _running(lab)
    return scene, sessions.close(SESSION), requester


def _rate(lab: Lab, _: int) -> Sent:
    scene, worker, requester = _parties(lab)
    session(scene, worker.public, requester.public, status=Variant("Closed", {"at": 5}))
    key = (0, Variant("Quality"))
    scene.put("Reputation", "Scores", (worker.public, key), {"r": 1 << 20, "s": 1 << 20})
    scene.put("Reputation", "AveragePrices", (key,), UNIT)
    return scene, sessions.rate(SESSION, 5), requester


def _idle_base(lab: Lab, _: int) -> Measured:
    """The whole end of an empty block: more than what the pallet does there, which cannot be told apart."""
    return lab.finalize(Scene(lab.stage))


def _with_sessions(lab: Lab, count: int, kind: str) -> Scene:
    """Sessions that expire, are forgotten or get their seeds in the block, each with other parties."""
    scene = Scene(lab.stage)
    scene.put("Sessions", "AgendaAt", (), scene.number)
    for number in range(count):
        worker, requester = (proof.blake2b_256(bytes([number, part])) for part in range(2))
        scene.account(requester, HOLDS)
        status = Variant("Closed", {"at": 5}) if kind == "forgotten" else Variant("Open")
        session(scene, worker, requester, number, expires_at=scene.number, status=status)
        open_ones = [number, *range(1_000, 1_063)]
        scene.put("Sessions", "OpenSessions", (requester,), open_ones)
        scene.put("Sessions", "Unclaimed", (number,), [{"epoch": n, "amount": 1} for n in range(TRANCHES)])
        if kind != "seeded":
            scene.put("Sessions", "Agenda", (scene.number, number), ())
        else:
            scene.put("Sessions", "AwaitingSeed", (scene.round - 1, number), ())
    if kind == "seeded":
        scene.put("Sessions", "SeedRound", (), scene.round - 1)
    return scene


def _expired(lab: Lab, _: int) -> Scene:
    return _with_sessions(lab, TASKS, "expired")


def _forgotten(lab: Lab, _: int) -> Scene:
    return _with_sessions(lab, TASKS, "forgotten")


def _seeded(lab: Lab, _: int) -> Scene:
    return _with_sessions(lab, TASKS, "seeded")


def _steps_over_nothing(lab: Lab, _: int) -> Scene:
    scene = Scene(lab.stage)
    scene.put("Sessions", "AgendaAt", (), scene.number + 1 - TASKS)
    return scene


def _quiet(lab: Lab) -> Scene:
    return Scene(lab.stage)


PIECES: tuple[Piece, ...] = (
    calls("registry", "register_spec", "`register_spec`.", _register_spec),
    calls("registry", "remove_spec", "`remove_spec`.", _remove_spec),
    calls("registry", "set_calibration", "`set_calibration`.", _set_calibration),
    calls(
        "registry", "add_domain", "`add_domain` with `n` domains there already.", _add_domain, n=(1, 64, 255)
    ),
    calls("registry", "put_offer", "`put_offer`.", _put_offer, _change_offer),
    calls(
        "registry",
        "withdraw_offer",
        "`withdraw_offer` and `prune_offer`.",
        _withdraw_offer,
        _withdraw_last,
        _prune_offer,
    ),
    calls("registry", "heartbeat", "`heartbeat`.", _heartbeat),
    calls("sessions", "open", "`open`.", _open),
    calls("sessions", "top_up", "`top_up`.", _top_up),
    calls("sessions", "claim", "`claim`.", _claim),
    calls("sessions", "close", "`close`.", _close_as_worker, _close_as_requester),
    calls("sessions", "rate", "`rate`.", _rate),
    Piece("sessions", "idle_base", "What `on_idle` costs when nothing is due.", _idle_base),
    work(
        "sessions",
        "idle_step",
        "One session brought to its end, removed or given its seed; or one step of a cursor.",
        _quiet,
        _expired,
        _forgotten,
        _seeded,
        _steps_over_nothing,
        count=TASKS,
    ),
)
