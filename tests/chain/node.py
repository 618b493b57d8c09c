"""A small chain in memory that speaks the node's RPC: blocks, pool, forks, finality, subscriptions.

It encodes blocks and events with a real runtime's metadata, checks signatures and nonces as a node would, and
can be told to misbehave. Both transports are tested against it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from llmnet.chain import Client, RpcError, Subscription, Variant, decode_extrinsic, ss58_decode, verify
from llmnet.chain.fake import FakeTransport
from llmnet.chain.hashing import blake2_256
from llmnet.chain.runtime import Runtime
from llmnet.chain.scale import Reader, encode_bytes

WEIGHT = {"ref_time": 1, "proof_size": 1}
INFO = {"weight": WEIGHT, "class": "Normal", "pays_fee": "Yes"}


@dataclass
class FakeBlock:
    number: int
    hash: bytes
    parent: bytes
    body: list[bytes] = field(default_factory=list)
    events: bytes | None = None
    version: int = 1


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


class FakeNode:
    """auto: seal a block for every transaction that arrives. lag: how many blocks finality is behind."""

    def __init__(self, runtime: Runtime, metadata: dict[int, bytes], auto: bool = True, lag: int = 0) -> None:
        self.runtime, self.metadata, self.auto, self.lag = runtime, metadata, auto, lag
        genesis = FakeBlock(0, self._hash(b"genesis"), bytes(32))
        self.blocks: dict[bytes, FakeBlock] = {genesis.hash: genesis}
        self.chain: list[FakeBlock] = [genesis]  # the best chain
        self.pool: list[tuple[bytes, Any]] = []
        self.nonces: dict[bytes, int] = {}
        self.storage: dict[bytes, bytes] = {}
        self.watched: dict[bytes, list[Subscription]] = {}
        self.heads: dict[str, list[Subscription]] = {"New": [], "Finalized": []}
        self.fail_next = 0  # how many of the next transactions shall fail when executed
        self.submitted: list[bytes] = []
        self.version = 1
        self.salt = 0

    # What a test does

    def seal(self, count: int = 1) -> FakeBlock:
        for _ in range(count):
            self._seal()
        return self.chain[-1]

    def reorganise(self, depth: int) -> None:
        """Replaces the last blocks by as many empty ones and one more."""
        self.salt += 1
        del self.chain[-depth:]
        self.seal(depth + 1)

    @property
    def finalized(self) -> FakeBlock:
        return self.chain[max(len(self.chain) - 1 - self.lag, 0)]

    # How blocks come about

    @staticmethod
    def _hash(data: bytes) -> bytes:
        return hashlib.blake2b(data, digest_size=32).digest()

    def _seal(self) -> None:
        parent, number = self.chain[-1], len(self.chain)
        ready, self.pool = self._ready()
        body = [self._inherent(number)] + [data for data, _ in ready]
        block_hash = self._hash(parent.hash + bytes([self.salt]) + b"".join(body))
        block = FakeBlock(number, block_hash, parent.hash, body, self._events(ready), self.version)
        self.blocks[block_hash] = block
        self.chain.append(block)
        for data, _ in ready:
            for subscription in self.watched.get(data, []):
                subscription.push({"inBlock": to_hex(block_hash)})
        self._announce()

    def _announce(self) -> None:
        final = self.finalized
        for data in final.body:
            for subscription in self.watched.pop(data, []):
                subscription.push({"finalized": to_hex(final.hash)})
        for kind, block in (("New", self.chain[-1]), ("Finalized", final)):
            for subscription in self.heads[kind]:
                subscription.push(self._json_header(block))

    def _ready(self) -> tuple[list[Any], list[Any]]:
        """Transactions whose nonce is next, in order; the others wait."""
        ready, rest, progress = [], list(self.pool), True
        while progress:
            progress = False
            for entry in list(rest):
                decoded = entry[1]
                if decoded.extensions["CheckNonce"] == self.nonces.get(decoded.signer, 0):
                    self.nonces[decoded.signer] = self.nonces.get(decoded.signer, 0) + 1
                    ready.append(entry)
                    rest.remove(entry)
                    progress = True
        return ready, rest

    def _inherent(self, number: int) -> bytes:
        call = self.runtime.call("Timestamp", "set", {"now": number * 6000})
        return encode_bytes(b"\x05" + self.runtime.encode_call(call))

    def _events(self, ready: list[Any]) -> bytes:
        records = [self._record(0, "System", "ExtrinsicSuccess", {"dispatch_info": INFO})]
        for index, (_, decoded) in enumerate(ready, 1):
            paid = {"who": decoded.signer, "actual_fee": 7, "tip": 0}
            records.append(self._record(index, "TransactionPayment", "TransactionFeePaid", paid))
            if self.fail_next:
                self.fail_next -= 1
                error = Variant("Module", {"index": self._balances(), "error": b"\x02\0\0\0"})
                fields: dict[str, Any] = {"dispatch_error": error, "dispatch_info": INFO}
                records.append(self._record(index, "System", "ExtrinsicFailed", fields))
            else:
                remark = {"sender": decoded.signer, "hash": blake2_256(repr(decoded.call).encode())}
                records.append(self._record(index, "System", "Remarked", remark))
                records.append(self._record(index, "System", "ExtrinsicSuccess", {"dispatch_info": INFO}))
        return self.runtime.codec.encode(self.runtime.storage("System", "Events").value, records)

    def _balances(self) -> int:
        return self.runtime.metadata.pallet("Balances").index

    @staticmethod
    def _record(index: int, pallet: str, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        event = Variant(pallet, Variant(name, fields))
        return {"phase": Variant("ApplyExtrinsic", index), "event": event, "topics": []}

    # What a client asks

    def accept(self, data: bytes) -> None:
        """Into the pool, or an error as Substrate gives it."""
        self.submitted.append(data)
        decoded = decode_extrinsic(self.runtime, data)
        if any(known == data for known, _ in self.pool):
            raise RpcError(1013, "Transaction Already Imported", None)
        if not self._signature_is_right(data, decoded):
            raise RpcError(1010, "Invalid Transaction", "Transaction has a bad signature")
        assert decoded.extensions is not None
        nonce = decoded.extensions["CheckNonce"]
        if nonce < self.nonces.get(decoded.signer, 0):
            raise RpcError(1010, "Invalid Transaction", "Transaction is outdated")
        if any(
            (other.signer, other.extensions["CheckNonce"]) == (decoded.signer, nonce)
            for _, other in self.pool
        ):
            raise RpcError(1014, "Priority is too low", None)
        self.pool.append((data, decoded))

    def _signature_is_right(self, data: bytes, decoded: Any) -> bool:
        """Rebuilds the payload by hand: call, extensions, then what is only signed."""
        body = Reader(data).bytes()
        signature, rest = body[35:99], body[99:]
        call = self.runtime.encode_call(decoded.call)
        explicit = rest[: len(rest) - len(call)]
        era = explicit[:2] if explicit[0] else explicit[:1]
        birth = self._era_birth(era)
        version = self.runtime.version
        implicit = version.spec_version.to_bytes(4, "little") + version.transaction_version.to_bytes(
            4, "little"
        )
        payload = call + explicit + implicit + self.chain[0].hash + birth + b"\0"
        return verify(decoded.signer, blake2_256(payload) if len(payload) > 256 else payload, signature)

    def _era_birth(self, era: bytes) -> bytes:
        from llmnet.chain import Era

        decoded = Era.decode(era, len(self.chain))
        return self.chain[0].hash if decoded is None else self.chain[decoded.birth].hash

    def watch(self, subscription: Subscription, data_hex: str) -> None:
        data = bytes.fromhex(data_hex[2:])
        self.accept(data)
        self.watched.setdefault(data, []).append(subscription)
        subscription.push("ready")
        if self.auto:
            self.seal()

    def submit(self, data_hex: str) -> str:
        data = bytes.fromhex(data_hex[2:])
        self.accept(data)
        if self.auto:
            self.seal()
        return to_hex(blake2_256(data))

    def block(self, block_hash: str | None = None) -> FakeBlock:
        return self.chain[-1] if block_hash is None else self.blocks[bytes.fromhex(block_hash[2:])]

    def next_index(self, address: str) -> int:
        account = ss58_decode(address)
        nonce = self.nonces.get(account, 0)
        waiting = {entry.extensions["CheckNonce"] for _, entry in self.pool if entry.signer == account}
        while nonce in waiting:
            nonce += 1
        return nonce

    def block_hash(self, number: int | None = None) -> str | None:
        number = len(self.chain) - 1 if number is None else number
        return to_hex(self.chain[number].hash) if number < len(self.chain) else None

    def header(self, block_hash: str | None = None) -> dict[str, Any] | None:
        try:
            return self._json_header(self.block(block_hash))
        except KeyError:
            return None

    def json_block(self, block_hash: str | None = None) -> dict[str, Any] | None:
        try:
            return {"block": {"extrinsics": [to_hex(data) for data in self.block(block_hash).body]}}
        except KeyError:
            return None

    @staticmethod
    def _json_header(block: FakeBlock) -> dict[str, Any]:
        roots = {name: to_hex(bytes(32)) for name in ("stateRoot", "extrinsicsRoot")}
        return {
            "number": hex(block.number),
            "parentHash": to_hex(block.parent),
            "digest": {"logs": []},
            **roots,
        }

    def get_storage(self, key: str, at: str | None = None) -> str | None:
        raw = bytes.fromhex(key[2:])
        events = self.runtime.storage_key(self.runtime.storage("System", "Events"), ())
        value = self.block(at).events if raw == events else self.storage.get(raw)
        return None if value is None else to_hex(value)

    def keys_paged(self, prefix: str, count: int, start: str | None, at: str | None = None) -> list[str]:
        del at
        first = bytes.fromhex((start or "0x")[2:])
        wanted = bytes.fromhex(prefix[2:])
        return [to_hex(key) for key in sorted(self.storage) if key.startswith(wanted) and key > first][:count]

    def query_storage(self, keys: list[str], at: str | None = None) -> list[dict[str, Any]]:
        return [{"block": at, "changes": [[key, self.get_storage(key, at)] for key in keys]}]

    def runtime_version(self, at: str | None = None) -> dict[str, Any]:
        version = self.runtime.version
        words = {"specName": version.spec_name, "specVersion": self.block(at).version, "authoringVersion": 1}
        return {
            **words,
            "implVersion": version.impl_version,
            "transactionVersion": version.transaction_version,
        }

    def state_call(self, method: str, data: str, at: str | None = None) -> str:
        del at
        raw = bytes.fromhex(data[2:])
        if method == "Metadata_metadata_versions":
            listed = b"".join(version.to_bytes(4, "little") for version in sorted(self.metadata))
            return to_hex(bytes([len(self.metadata) << 2]) + listed)
        if method == "Metadata_metadata_at_version":
            found = self.metadata.get(int.from_bytes(raw, "little"))
            return to_hex(b"\0" if found is None else b"\1" + encode_bytes(found))
        if method == "AccountNonceApi_account_nonce":
            return to_hex(self.nonces.get(raw, 0).to_bytes(4, "little"))
        raise RpcError(4003, "Client error: Execution failed", f"{method} is not exported", "state_call")

    def answers(self) -> dict[str, Any]:
        return {
            "author_pendingExtrinsics": lambda: [to_hex(data) for data, _ in self.pool],
            "author_submitExtrinsic": self.submit,
            "chain_getBlock": self.json_block,
            "chain_getBlockHash": self.block_hash,
            "chain_getFinalizedHead": lambda: to_hex(self.finalized.hash),
            "chain_getHeader": self.header,
            "state_call": self.state_call,
            "state_getKeysPaged": self.keys_paged,
            "state_getRuntimeVersion": self.runtime_version,
            "state_getStorage": self.get_storage,
            "state_getStorageHash": lambda key, at=None: to_hex(self._hash(bytes([self.block(at).version]))),
            "state_queryStorageAt": self.query_storage,
            "system_accountNextIndex": self.next_index,
        }

    def streams(self) -> dict[str, Any]:
        return {
            "author_submitAndWatchExtrinsic": self.watch,
            "chain_subscribeFinalizedHeads": self.heads["Finalized"].append,
            "chain_subscribeNewHeads": self.heads["New"].append,
        }

    def transport(self) -> FakeTransport:
        return FakeTransport(self.answers(), self.streams())


def remark(client: Client, text: bytes = b"hello") -> Any:
    return client.call("System", "remark_with_event", remark=text)


def landed(node: FakeNode) -> list[bytes]:
    """The remarks on the best chain, in order."""
    found = []
    for block in node.chain:
        for data in block.body:
            decoded = decode_extrinsic(node.runtime, data)
            if decoded.signer is not None:
                found.append(decoded.call.args["remark"])
    return found
