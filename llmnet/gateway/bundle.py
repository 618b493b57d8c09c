"""The receipt file of one answer: all that is needed to check it again, offline, by anyone."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmnet import proof
from llmnet.proof import Calibration, Leaf, Receipt, Request, ServiceSpec

from .errors import BundleError

VERSION = 1
MAX_FILE = 64 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """One answer. `leaves` and `calibration` may be missing; `price` in plancks; accounts and signatures as bytes."""

    genesis_hash: bytes
    session: int
    index: int
    session_seed: bytes
    requester: bytes
    worker: bytes
    spec: ServiceSpec
    calibration: Calibration | None
    request: Request
    request_signature: bytes
    receipt: Receipt
    receipt_signature: bytes
    tokens: tuple[int, ...]
    text: str
    leaves: tuple[Leaf, ...] | None
    price: int

    def to_json(self) -> dict[str, Any]:
        """Plain values; bytes as hex without 0x, objects as hex of their SCALE encoding."""
        return {
            "version": VERSION,
            "genesis_hash": self.genesis_hash.hex(),
            "session": self.session,
            "index": self.index,
            "session_seed": self.session_seed.hex(),
            "requester": self.requester.hex(),
            "worker": self.worker.hex(),
            "spec": self.spec.encode().hex(),
            "calibration": None if self.calibration is None else self.calibration.encode().hex(),
            "request": self.request.encode().hex(),
            "request_signature": self.request_signature.hex(),
            "receipt": self.receipt.encode().hex(),
            "receipt_signature": self.receipt_signature.hex(),
            "tokens": list(self.tokens),
            "text": self.text,
            "leaves": None if self.leaves is None else proof.encode_leaves(self.leaves).hex(),
            "price": str(self.price),
        }

    @classmethod
    def from_json(cls, value: Any) -> Bundle:
        """Raises BundleError that names the field."""
        if not isinstance(value, dict):
            raise BundleError("a receipt file is a JSON object")
        fields = _Fields(value)
        if fields.number("version", 32) != VERSION:
            raise BundleError(f"version {value['version']} is not known here, only {VERSION}")
        return cls(
            genesis_hash=fields.hash("genesis_hash"),
            session=fields.number("session", 64),
            index=fields.number("index", 32),
            session_seed=fields.hash("session_seed"),
            requester=fields.hash("requester"),
            worker=fields.hash("worker"),
            spec=fields.decoded("spec", ServiceSpec.decode),
            calibration=fields.optional("calibration", Calibration.decode),
            request=fields.decoded("request", Request.decode),
            request_signature=fields.sized("request_signature", 64),
            receipt=fields.decoded("receipt", Receipt.decode),
            receipt_signature=fields.sized("receipt_signature", 64),
            tokens=fields.token_list(),
            text=fields.text("text"),
            leaves=fields.optional("leaves", proof.decode_leaves),
            price=fields.price(),
        )

    @classmethod
    def load(cls, path: Path) -> Bundle:
        """Raises BundleError."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            raise BundleError(f"{path} cannot be read: {error.strerror}") from None
        if len(data) > MAX_FILE:
            raise BundleError(f"{path} is larger than any receipt file")
        try:
            return cls.from_json(json.loads(data))
        except (ValueError, RecursionError):
            raise BundleError(f"{path} is not JSON") from None
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from None

    def save(self, path: Path) -> None:
        """Write the file in one step, mode 0600. An older answer of the same name (of a chain that was reset) is kept."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _keep_other(path, self)
        write_private(path, json.dumps(self.to_json(), indent=1) + "\n")

    def with_leaves(self, leaves: tuple[Leaf, ...]) -> Bundle:
        """Raises BundleError if the leaves are not those that the receipt commits to."""
        try:
            same = (
                len(leaves) == self.receipt.n_out
                and proof.transcript_root(leaves) == self.receipt.transcript_root
            )
        except proof.ProofError:  # not even in order
            same = False
        if not same:
            raise BundleError(
                "the leaves are not those of the receipt's transcript root: the worker cannot prove this answer"
            )
        return replace(self, leaves=leaves)


def write_private(path: Path, text: str) -> None:
    """Write a whole file of mode 0600, or nothing."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _keep_other(path: Path, new: Bundle) -> None:
    try:
        old = Bundle.load(path)
    except BundleError:
        path.replace(path.with_name(f"{path.stem}.unreadable{path.suffix}"))
        return
    if (old.session_seed, old.receipt) != (new.session_seed, new.receipt):
        path.replace(path.with_name(f"{path.stem}.{old.receipt.hash.hex()[:8]}{path.suffix}"))


class _Fields:
    """Reads the fields of a JSON object, each with its name in the error."""

    def __init__(self, value: dict[str, Any]) -> None:
        self._value = value

    def _get(self, name: str) -> Any:
        if name not in self._value:
            raise BundleError(f"{name} is missing")
        return self._value[name]

    def number(self, name: str, bits: int) -> int:
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << bits:
            raise BundleError(f"{name} must be a number of {bits} bits")
        return value

    def text(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise BundleError(f"{name} must be text")
        return value

    def hex(self, name: str) -> bytes:
        try:
            return bytes.fromhex(self.text(name))
        except ValueError:
            raise BundleError(f"{name} must be hex") from None

    def sized(self, name: str, size: int) -> bytes:
        value = self.hex(name)
        if len(value) != size:
            raise BundleError(f"{name} must have {size} bytes, got {len(value)}")
        return value

    def hash(self, name: str) -> bytes:
        return self.sized(name, 32)

    def decoded(self, name: str, decode: Any) -> Any:
        try:
            return decode(self.hex(name))
        except proof.ProofError as error:
            raise BundleError(f"{name}: {error}") from None

    def optional(self, name: str, decode: Any) -> Any:
        return None if self._value.get(name) is None else self.decoded(name, decode)

    def token_list(self) -> tuple[int, ...]:
        value = self._get("tokens")
        if not isinstance(value, list) or not all(
            type(item) is int and 0 <= item < 1 << 32 for item in value
        ):
            raise BundleError("tokens must be a list of token ids")
        return tuple(value)

    def price(self) -> int:
        value = self.text("price")
        if not value.isascii() or not value.isdigit() or len(value) > 39:
            raise BundleError("price must be plancks as decimal text")
        return int(value)
