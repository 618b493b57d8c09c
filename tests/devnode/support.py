"""What several tests need: runtimes written as WAT, a signer, an in-process door to a node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime

from llmnet.devnode import Node, Overlay, Runtime, State
from llmnet.devnode.keystore import Keystore
from llmnet.devnode.rpc.hub import header_json
from llmnet.devnode.scale import Reader

HEAP_BASE = 65536
UNIT = 10**12


@dataclass(frozen=True)
class Ptr:
    """Bytes that a host function takes by pointer, their length being known."""

    data: bytes


@dataclass(frozen=True)
class Long:
    """An integer that a host function takes as 64 bits."""

    value: int


def wat_code(body: str, imports: str = "", pages: int = 2) -> bytes:
    """A runtime of hand-written functions with an imported memory, as FRAME runtimes have it."""
    text = f"""(module (import "env" "memory" (memory {pages})) {imports}
      (global (export "__heap_base") i32 (i32.const {HEAP_BASE})) {body})"""
    return bytes(wasmtime.wat2wasm(text))


class HostScript:
    """A runtime whose entry point `run` makes the given host calls and returns what the last one returned.

    Arguments: bytes are passed as a span, `Ptr` as a pointer, integers as i32, `Long` as i64. `result` is None, "i32",
    "u64" (both as numbers), "i64" (a span) or the length of the bytes that a returned pointer leads to.
    """

    def __init__(self) -> None:
        self._imports: list[str] = []
        self._data: list[str] = []
        self._steps: list[str] = []
        self._at = 1024

    def _place(self, data: bytes) -> int:
        at, self._at = self._at, self._at + len(data) + 8
        escaped = "".join(f"\\{byte:02x}" for byte in data)
        self._data.append(f'(data (i32.const {at}) "{escaped}")')
        return at

    def _argument(self, value: Any) -> tuple[str, str]:
        match value:
            case bytes():
                return "i64", f"(i64.const {self._place(value) | len(value) << 32})"
            case Ptr(data):
                return "i32", f"(i32.const {self._place(data)})"
            case Long(number):
                return "i64", f"(i64.const {number})"
            case _:
                return "i32", f"(i32.const {value})"

    def call(self, name: str, *arguments: Any, result: str | int | None = None) -> HostScript:
        kinds, values = [], []
        for kind, value in map(self._argument, arguments):
            kinds.append(kind)
            values.append(value)
        returned = {None: "", "i64": "(result i64)", "u64": "(result i64)"}.get(result, "(result i32)")  # type: ignore[arg-type]
        function = f"$f{len(self._imports)}"
        self._imports.append(
            f'(import "env" "{name}" (func {function} (param {" ".join(kinds)}) {returned}))'
        )
        call = f"(call {function} {' '.join(values)})"
        match result:
            case None:
                self._steps.append(call)
            case "i64":
                self._steps.append(f"(local.set $r {call})")
            case "i32":
                self._steps.append(f"(i32.store (i32.const 0) {call}) (local.set $r (i64.const {4 << 32}))")
            case "u64":
                self._steps.append(f"(i64.store (i32.const 0) {call}) (local.set $r (i64.const {8 << 32}))")
            case _:
                size = f"(i64.const {int(result) << 32})"
                self._steps.append(f"(local.set $r (i64.or (i64.extend_i32_u {call}) {size}))")
        return self

    def code(self) -> bytes:
        run = '(func (export "run") (param i32 i32) (result i64) (local $r i64)'
        body = "".join(self._data) + run + "".join(self._steps) + "(local.get $r))"
        return wat_code(body, "".join(self._imports))

    def run(self, overlay: Overlay | None = None, keystore: Keystore | None = None) -> bytes:
        target = Overlay(State()) if overlay is None else overlay
        return Runtime(self.code()).call("run", b"", target, keystore=keystore)


class InProcess:
    """substrate-interface's transport, answered by a node in the same process."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def close(self) -> None:
        """Nothing is open."""

    def connect(self) -> None:
        """Nothing to connect."""

    def rpc_request(self, payload: dict[str, Any], result_handler: Any = None) -> dict[str, Any]:
        method, params = payload["method"], payload["params"]
        return {"jsonrpc": "2.0", "id": payload["id"], "result": self._answer(method, params)}

    def _answer(self, method: str, params: list[Any]) -> Any:
        node = self.node
        at = (
            bytes.fromhex(params[-1][2:])
            if params and isinstance(params[-1], str) and len(params[-1]) == 66
            else None
        )
        match method:
            case "rpc_methods":
                return {
                    "methods": [
                        "state_getStorageAt",
                        "state_getRuntimeVersion",
                        "chain_getHead",
                        "state_call",
                    ]
                }
            case "chain_getHead" | "chain_getFinalizedHead":
                return "0x" + node.best.hash.hex()
            case "chain_getBlockHash":
                return (
                    "0x"
                    + node.chain.block(
                        params[0] if params and params[0] is not None else node.best.number
                    ).hash.hex()
                )
            case "chain_getHeader":
                return header_json(node.chain.at(at)[0])
            case "state_getRuntimeVersion":
                return node.version(at).as_json()
            case "state_getMetadata":
                return "0x" + Reader(node.call("Metadata_metadata", b"", at)).vector().hex()
            case "state_getStorageAt":
                value = node.storage(bytes.fromhex(params[0][2:]), at)
                return None if value is None else "0x" + value.hex()
            case "system_properties":
                return dict(node.spec.properties)
            case "system_chain":
                return node.spec.name
            case "system_name":
                return "in process"
            case "system_version":
                return "0"
        raise ValueError(f"the peer of these tests does not know {method}: add it here")


class Signer:
    """Signs calls for a node with well-known keys and reads its storage and events."""

    def __init__(self, node: Node) -> None:
        from substrateinterface import Keypair, SubstrateInterface

        self.node = node
        self._keypair = Keypair
        self.chain = SubstrateInterface(
            url="http://local.invalid", ss58_format=42, use_remote_preset=False, auto_discover=False
        )
        self.chain.transport = InProcess(node)

    def key(self, uri: str) -> Any:
        return self._keypair.create_from_uri(uri)

    def account(self, uri: str) -> bytes:
        return bytes(self.key(uri).public_key)

    def sign(
        self, uri: str, module: str, function: str, arguments: dict[str, Any], nonce: int, **rest: Any
    ) -> bytes:
        call = self.chain.compose_call(module, function, arguments)
        extrinsic = self.chain.create_signed_extrinsic(call, self.key(uri), nonce=nonce, **rest)
        return bytes(extrinsic.data.data)

    def transfer(self, source: str, target: str, amount: int, nonce: int, **rest: Any) -> bytes:
        arguments = {"dest": self.key(target).ss58_address, "value": amount}
        return self.sign(source, "Balances", "transfer_keep_alive", arguments, nonce, **rest)

    def free(self, uri: str) -> int:
        return int(self.chain.query("System", "Account", [self.key(uri).ss58_address]).value["data"]["free"])

    def events(self) -> list[tuple[str, str]]:
        found = self.chain.get_events("0x" + self.node.best.hash.hex())
        return [(event.value["module_id"], event.value["event_id"]) for event in found]


def artifact() -> Path:
    """The committed runtime."""
    folder = Path(__file__).resolve().parents[2] / "runtime_spec" / "artifacts"
    names = ("llmnet_runtime.compact.compressed.wasm", "llmnet_runtime.wasm")
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[-1])
