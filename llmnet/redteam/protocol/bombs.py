"""Bytes that are meant to break whoever reads them: each call of the runtime, with lengths that promise the world."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator

from llmnet.devnode.errors import DevnodeError, TransactionError
from llmnet.proof.scale import compact
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import Room
from llmnet.redteam.protocol.setting import Setting
from llmnet.verifier.errors import FetchError
from llmnet.verifier.fetch import parse_material

_FAMILY = "bombs"
_LARGEST = 5 * 1024 * 1024
_BARE, _SIGNED = b"\x04", b"\x84"
_LENGTHS = (
    compact((1 << 30) - 1),
    b"\x03\xff\xff\xff\xff",
    b"\x13" + b"\xff" * 8,
    b"\xff" * 12,
    compact(1 << 20),
)


def _framed(body: bytes) -> bytes:
    """An extrinsic with its length before it."""
    return compact(len(body)) + body


def _calls(room: Room) -> Iterator[tuple[int, int, str]]:
    """Indices and name of every call."""
    metadata = room.world.runtime.metadata
    for name, pallet in metadata.pallets.items():
        for call in metadata.variants(name, "calls").variants:
            yield pallet.index, call.index, f"{name}.{call.name}"


def _bodies(head: bytes, rng: random.Random) -> Iterator[bytes]:
    """Arguments of a call that promise more than they hold, end early, or are noise."""
    for length in _LENGTHS:
        yield head + length
        yield head + bytes(4) + length + rng.randbytes(8)
        yield head + bytes(32) + length
    yield head
    yield head + b"\xff" * 200
    yield head + rng.randbytes(rng.randrange(1, 400))


def _nested(room: Room, depth: int) -> Iterator[bytes]:
    """Batches in batches, and proxies in proxies, and no innermost call."""
    where = {name: bytes([pallet, call]) for pallet, call, name in _calls(room)}
    yield (where["Utility.batch"] + compact(1)) * depth
    yield (where["Utility.batch_all"] + compact(1)) * depth
    yield (where["Proxy.proxy"] + b"\0" * 33 + b"\0") * depth
    yield (where["Sudo.sudo"]) * depth
    yield (where["Utility.batch"] + compact((1 << 30) - 1)) * depth


class _Meter:
    """Sends extrinsics and keeps the slowest answer and the growth of memory."""

    def __init__(self, room: Room) -> None:
        self._room, self.tried, self.caught, self.size = room, 0, 0, 0
        self.slowest, self._memory = 0.0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def send(self, extrinsic: bytes) -> None:
        """One extrinsic that must not be taken."""
        began = time.perf_counter()
        self.tried, self.size = self.tried + 1, self.size + len(extrinsic)
        try:
            self._room.world.node.submit(extrinsic)
        except (TransactionError, DevnodeError):
            self.caught += 1
        self.slowest = max(self.slowest, time.perf_counter() - began)

    def found(self) -> Found:
        """Whether all were refused, and the chain goes on."""
        block = self._room.world.block
        self._room.step()
        alive = self._room.world.block == block + 1
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self._memory) / 1024
        effect = Effect.REFUSED if alive and self.caught == self.tried else Effect.SUCCEEDS
        note = f"slowest {self.slowest * 1000:.0f} ms, memory +{grown:.0f} MB, the chain goes on"
        return Found(
            effect,
            "MalformedTransaction",
            self.tried,
            self.caught,
            on_chain=self.size // self.tried,
            note=note,
        )


@attack(
    "lengths that promise the world",
    _FAMILY,
    "every call with vectors of 2^30 and more elements, cut short",
    Effect.REFUSED,
)
def promised(setting: Setting) -> Found:
    with setting.room(0) as room:
        meter = _Meter(room)
        for pallet, call, _ in _calls(room):
            for body in _bodies(bytes([pallet, call]), room.rng):
                if meter.tried < 600 * setting.scale:
                    meter.send(_framed(_BARE + body))
                    if setting.scale > 1:
                        meter.send(
                            _framed(
                                _SIGNED + b"\0" + room.rng.randbytes(32) + b"\1" + bytes(64) + bytes(4) + body
                            )
                        )
        return meter.found()


@attack("calls in calls in calls", _FAMILY, "nests calls ten thousand deep", Effect.REFUSED)
def nested(setting: Setting) -> Found:
    with setting.room(0) as room:
        meter = _Meter(room)
        for depth in (20, 300, 10_000, 100_000)[: 2 + 2 * setting.scale]:
            for body in _nested(room, depth):
                meter.send(_framed(_BARE + body)[:_LARGEST])
        return meter.found()


@attack(
    "the largest extrinsics there are",
    _FAMILY,
    "five megabytes of zeros, noise or lengths for each vector of leaves and proofs",
    Effect.REFUSED,
)
def largest(setting: Setting) -> Found:
    with setting.room(0) as room:
        meter = _Meter(room)
        where = {name: bytes([pallet, call]) for pallet, call, name in _calls(room)}
        names = [
            "SpotChecks.commit_batch",
            "SpotChecks.open_leaves",
            "SpotChecks.reveal_reference",
            "SpotChecks.report_segment",
        ]
        for name in names[: 2 + 2 * setting.scale]:
            for fill in (b"\0", b"\xfc", room.rng.randbytes(997)):
                body = _BARE + where[name] + bytes(4) + compact(1 << 20)
                body += (fill * (_LARGEST // len(fill)))[: _LARGEST - len(body) - 16]
                meter.send(_framed(body))
        return meter.found()


@attack(
    "answers to the panel that are no answers",
    _FAMILY,
    "a worker sends deep, huge, cut or wrong JSON to those who audit it",
    Effect.REFUSED,
)
def to_the_panel(setting: Setting) -> Found:
    rng, tried, caught, slowest = random.Random(setting.seed), 0, 0, 0.0
    bodies = [
        b"",
        b"null",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"\xff" * 1_000,
        b'{"tokens":[' + b"1," * 1_100_000 + b"1]}",
    ]
    bodies += [
        b'{"request":"' + b"00" * 100_000 + b'"}',
        b'{"request":"zz"}',
        b'{"request":"\\ud800"}',
        b"1e999999",
    ]
    bodies += [rng.randbytes(rng.randrange(200)) for _ in range(50 * setting.scale)]
    for body in bodies:
        began = time.perf_counter()
        tried += 1
        try:
            parse_material(body)
        except FetchError:
            caught += 1
        slowest = max(slowest, time.perf_counter() - began)
    effect = Effect.REFUSED if caught == tried else Effect.SUCCEEDS
    size = sum(map(len, bodies)) // tried
    return Found(effect, "FetchError", tried, caught, off_chain=size, note=f"slowest {slowest * 1000:.0f} ms")
