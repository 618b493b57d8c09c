"""The same chain on polkadot-sdk's own node and on ours, compared call by call.

    python -m tests.devnode.differential --calls 600 --seed 1
    python -m tests.devnode.differential --import-from http://127.0.0.1:9944

Random extrinsics go to three pools: that node's, and those of two nodes of ours. What the pools say must
agree. The blocks that polkadot-sdk's node then makes are imported by the first of ours, and made once more
by the second, which must come to the same block hash.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmnet.devnode import Block, ChainSpec, Node, NodeConfig, Runtime, State, TransactionError, read_code
from llmnet.devnode.author import TIMESTAMP_KEY
from llmnet.devnode.executor import default_cache_dir
from llmnet.devnode.hashing import twox_128
from llmnet.devnode.proofs import read_proven
from llmnet.devnode.rpc.errors import translate
from llmnet.devnode.scale import compact

from .peer import PeerError, Rpc, polkadot_node, unhex, with_length, write_spec
from .random_calls import CallMaker
from .raw_signer import ADDRESS_ID, FORCE_SET_BALANCE, SUDO, RawSigner, account, mortal, transfer_call
from .support import UNIT, Signer, artifact

EVENTS_KEY = twox_128(b"System") + twox_128(b"Events")
_SUDO = "//Alice"
_SIGNERS = ("//Bob", "//Charlie", "//Dave", "//Eve", "//Ferdie", "//Worker1", "//Worker2", "//Validator1")
# Drawn from; the pallets of this project come twice.
_PALLETS = ("Beacon", "Registry", "Sessions", "SpotChecks", "Staking",
            "Balances", "Beacon", "Multisig", "Proxy", "Registry", "Sessions", "SpotChecks",
            "Staking", "Sudo", "System", "Utility")  # fmt: skip
# Codes whose text is the node's own: a runtime trap, bytes that are no extrinsic.
_OWN_TEXT = (1001, 1002, 1040)


class DifferenceError(AssertionError):
    """The two nodes disagree."""


@dataclass
class Tally:
    """What a run has seen."""

    submitted: int = 0
    blocks: int = 0
    verdicts: collections.Counter[str] = field(default_factory=collections.Counter)
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    calls: collections.Counter[str] = field(default_factory=collections.Counter)
    keys: int = 0
    proofs: int = 0
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """The tally for people."""
        return [
            f"{self.submitted} extrinsics, {self.blocks} blocks, {self.seconds:.1f} s",
            f"pool: {dict(self.verdicts.most_common())}",
            f"dispatched: {dict(self.outcomes.most_common())}",
            f"succeeded: {dict(sorted(self.calls.items()))}",
            f"whole state at the end: {self.keys} keys, equal; {self.proofs} read proofs, equal",
        ]


def _expect(ours: object, theirs: object, what: str) -> None:
    if ours != theirs:
        raise DifferenceError(f"{what}: here {ours!r:.400}, on polkadot-sdk's node {theirs!r:.400}")


class Comparison:
    """The three nodes and the calls for them."""

    def __init__(self, peer: Rpc, spec: ChainSpec, seed: int, cache_dir: Path | None = None) -> None:
        self._now = 0.0
        settings: dict[str, Any] = {"wall_clock": lambda: self._now}
        if cache_dir is not None:
            settings["cache_dir"] = cache_dir
        self.peer = peer
        self.importer = Node(spec, NodeConfig(**settings))
        self.author = Node(spec, NodeConfig(**settings))
        self.signer = Signer(self.importer)
        self.signer.chain.init_runtime()
        self.keys = RawSigner(self.importer)
        self.random = random.Random(seed)
        accounts = [account(uri) for uri in (_SUDO, *_SIGNERS, "//Nobody")]
        self.calls = CallMaker(self.signer.chain.metadata, accounts, seed)
        self.tally = Tally()
        # Whether to look into events (by the metadata of the genesis), not only to compare them.
        self.reads_events = True
        self._poor = False

    def close(self) -> None:
        self.importer.close()
        self.author.close()

    def run(self, calls: int) -> Tally:
        """Submits this many extrinsics; raises DifferenceError at the first difference."""
        started = time.perf_counter()
        _expect(self.importer.genesis_hash.hex(), self.peer("chain_getBlockHash", 0)[2:], "genesis hash")
        while self.tally.submitted < calls:
            for extrinsic in self._next():
                self.submit(extrinsic)
            if self.tally.submitted % 100 < 2:
                self._compare_state()
        self._compare_state()
        self.tally.seconds = time.perf_counter() - started
        return self.tally

    def follow_all(self) -> Tally:
        """Takes over all blocks that the other node has by now."""
        started = time.perf_counter()
        _expect(self.importer.genesis_hash.hex(), self.peer("chain_getBlockHash", 0)[2:], "genesis hash")
        for number in range(1, self.peer.head() + 1):
            block = self.peer.block(number)
            self.importer.import_block(block)
            self._compare_events(number)
            ours = self._author(block)
            _expect(ours.header, block.header, f"header of block {number}")
            self.tally.blocks += 1
            self._count()
        self._compare_state(self.importer.best.hash)
        self.tally.seconds = time.perf_counter() - started
        return self.tally

    # -- what is submitted

    def _next(self) -> list[bytes]:
        """One extrinsic, or a few of one account of which the last makes the others ready."""
        if self.tally.submitted % 20 == 0:
            return [self._refill(_SUDO)]
        if self._poor:
            return [self._refill(min(_SIGNERS, key=self.signer.free))]
        choice = self.random.random()
        if choice < 0.06:
            return [self._broken()]
        uri = _SUDO if choice < 0.25 else self.random.choice(_SIGNERS)
        nonce = self.importer.account_nonce(account(uri))
        if choice < 0.80:
            return [self._signed(uri, nonce)]
        if choice < 0.88:
            return [self._signed(uri, nonce + 1), self._signed(uri, nonce)]
        if choice < 0.92:
            return [self._signed(uri, max(0, nonce - 1))]
        if choice < 0.94:
            return [self._signed(uri, nonce, tip=10**30)]
        if choice < 0.97:
            return [self._signed(uri, nonce, period=self.random.choice((4, 64)))]
        return [self._forged(self._signed(uri, nonce))]

    def _refill(self, uri: str) -> bytes:
        """Gives an account enough to go on."""
        target, amount = account(uri), compact(10**6 * UNIT)
        call = SUDO + FORCE_SET_BALANCE + ADDRESS_ID + target + amount
        return self.keys.sign(_SUDO, call, self.importer.account_nonce(account(_SUDO)))

    def _call(self, uri: str) -> bytes:
        if uri == _SUDO:
            return self.calls.call(
                "Sudo", self.random.choice(("sudo", "sudo", "sudo_unchecked_weight", "sudo_as"))
            )
        if self.random.random() < 0.1:
            return transfer_call(self.random.choice(self.calls.accounts), UNIT)
        return self.calls.call(*self.calls.pick(_PALLETS))

    def _signed(self, uri: str, nonce: int, tip: int = 0, period: int | None = None) -> bytes:
        if period is None:
            return self.keys.sign(uri, self._call(uri), nonce, tip=tip)
        best = self.importer.best
        era = mortal(period, best.number)
        return self.keys.sign(uri, self._call(uri), nonce, tip=tip, era=era, born=best.hash)

    def _broken(self) -> bytes:
        """Bytes that are no extrinsic, or one with a fault in it."""
        whole = self._signed("//Bob", self.importer.account_nonce(account("//Bob")))
        start = 1 if whole[0] & 3 == 0 else 2 if whole[0] & 3 == 1 else 4
        body = whole[start:]
        match self.random.randrange(5):
            case 0:
                return with_length(self.random.randbytes(self.random.choice((0, 1, 40, 200))))
            case 1:
                return with_length(body[: self.random.randrange(len(body))])
            case 2:
                return with_length(bytes((self.random.randrange(256),)) + body[1:])
            case 3:
                return with_length(body + b"\0")
            case _:
                return whole[:-1]

    def _forged(self, extrinsic: bytes) -> bytes:
        at = self.random.randrange(40, 100)
        return extrinsic[:at] + bytes((extrinsic[at] ^ 1,)) + extrinsic[at + 1 :]

    # -- what is compared

    def _verdict_here(self, node: Node, extrinsic: bytes) -> tuple[Any, ...]:
        try:
            return ("accepted", "0x" + node.submit(extrinsic).hex())
        except TransactionError as error:
            answer = translate(error)
            return (answer.code, answer.data)

    def _verdict_there(self, extrinsic: bytes) -> tuple[Any, ...]:
        try:
            return ("accepted", self.peer("author_submitExtrinsic", "0x" + extrinsic.hex()))
        except PeerError as error:
            return (error.code, error.data)

    def submit(self, extrinsic: bytes) -> None:
        """Submits to all three nodes, compares what they say, and follows the block if there is one."""
        self.tally.submitted += 1
        here, again = (self._verdict_here(node, extrinsic) for node in (self.importer, self.author))
        there = self._verdict_there(extrinsic)
        _expect(again, here, "two pools of this node")
        same = here == there or (here[0] in _OWN_TEXT and there[0] in _OWN_TEXT)
        same = same or (here[0] == there[0] == 1013)
        if not same:
            raise DifferenceError(f"pool on 0x{extrinsic.hex()}: here {here}, on polkadot-sdk's node {there}")
        self.tally.verdicts[f"{there[0]} {there[1]}" if there[0] == 1010 else str(there[0])] += 1
        self._poor = "Inability to pay" in str(there[1])
        if self.importer.pool.ready_count:
            self._follow()

    def _follow(self) -> None:
        """Takes over the block that polkadot-sdk's node makes now, and makes it here as well."""
        number = self.importer.best.number + 1
        self.peer.wait_for(number)
        theirs = self.peer.block(number)
        self.importer.import_block(theirs)
        self._compare_events(number)
        _expect(self.importer.pool.ready_count, 0, f"ready transactions after block {number}")
        ours = self._author(theirs)
        _expect(ours.body, theirs.body, f"extrinsics of block {number}")
        _expect(ours.header, theirs.header, f"header of block {number}")
        self.tally.blocks += 1
        self._count()

    def _compare_events(self, number: int) -> None:
        theirs = self.peer.storage(EVENTS_KEY, self.importer.best.hash)
        _expect(self.importer.storage(EVENTS_KEY), theirs, f"events of block {number}")

    def _author(self, theirs: Block) -> Block:
        """Makes the other node's block from the pool, or from what it holds beside the inherents."""
        milliseconds = int.from_bytes(self.importer.storage(TIMESTAMP_KEY) or b"", "little")
        self._now = (milliseconds + 0.5) / 1000
        pooled = self.author.pool.ready_count > 0
        produced = self.author.produce_block(() if pooled else theirs.body[1:])
        succeeded = sum(result.succeeded for result in produced.results)
        self.tally.outcomes["extrinsics succeeded"] += succeeded
        self.tally.outcomes["extrinsics failed"] += len(produced.results) - succeeded
        return produced.block

    def _count(self) -> None:
        """Counts what happened by the events, and keeps hashes in them for later calls."""
        if not self.reads_events:
            return
        for event in self.signer.chain.get_events("0x" + self.importer.best.hash.hex()):
            value = event.value
            name = f"{value['module_id']}.{value['event_id']}"
            if value["extrinsic_idx"]:
                self.tally.calls[name] += 1
            for text in _texts(value["attributes"]):
                if len(text) == 66 and text.startswith("0x"):
                    self.calls.hashes.append(bytes.fromhex(text[2:]))

    def _compare_state(self, at: bytes | None = None) -> None:
        theirs = self.peer.whole_state(at)
        state = self.importer.chain.state
        ours = {key: state.get(key) for key in state.keys()}  # noqa: SIM118 - not a dictionary
        if ours != theirs:
            keys = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
            raise DifferenceError(f"{len(keys)} values differ, the first at 0x{keys[0].hex()}")
        self.tally.keys = len(ours)
        self._compare_proofs(sorted(ours), state)

    def _compare_proofs(self, keys: list[bytes], state: State) -> None:
        """A proof of some keys, there and not there: the same nodes, and ours reads theirs."""
        best = self.importer.best
        wanted = self.random.sample(keys, min(10, len(keys))) + [self.random.randbytes(20) for _ in range(3)]
        answer = self.peer("state_getReadProof", ["0x" + key.hex() for key in wanted], "0x" + best.hash.hex())
        theirs = sorted(unhex(item) for item in answer["proof"])
        _expect(state.prove(wanted), theirs, f"read proof at block {best.number}")
        values = read_proven(best.header.state_root, theirs, wanted)
        _expect(values, {key: state.get(key) for key in wanted}, "values read from the proof")
        self.tally.proofs += 1


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list | tuple) else []


def compare(spec: ChainSpec, folder: Path, calls: int, seed: int, cache_dir: Path | None = None) -> Tally:
    """Starts polkadot-sdk's node on `spec` and submits random extrinsics to it and to ours."""
    path = write_spec(spec, Runtime(spec.code, cache_dir=cache_dir), folder / "spec.json")
    with polkadot_node(path, "--instant-seal") as peer:
        comparison = Comparison(peer, spec, seed, cache_dir)
        try:
            return comparison.run(calls)
        finally:
            comparison.close()


def import_all(peer: Rpc, spec: ChainSpec) -> Tally:
    """Imports every block of a running node, each with its events compared, and compares the last state."""
    comparison = Comparison(peer, spec, 0)
    try:
        return comparison.follow_all()
    finally:
        comparison.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--import-from", metavar="URL", help="take all blocks of this node instead")
    parser.add_argument(
        "--chain", type=Path, help="a specification (default: the artifact's development chain)"
    )
    options = parser.parse_args()
    if options.chain:
        spec = ChainSpec.read(options.chain)
    else:
        code = read_code(artifact())
        spec = ChainSpec.from_preset(code, Runtime(code, cache_dir=default_cache_dir()))
    if options.import_from:
        with Rpc(options.import_from) as peer:
            tally = import_all(peer, spec)
    else:
        with tempfile.TemporaryDirectory() as folder:
            tally = compare(spec, Path(folder), options.calls, options.seed)
    sys.stdout.write("\n".join(tally.lines()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
