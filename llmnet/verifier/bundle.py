"""The file about one answer that its payer keeps, and that anybody can check (docs/protocol.md section 11)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmnet.proof import Calibration, Leaf, Receipt, Request, ServiceSpec, decode_leaves

from .errors import BundleError
from .fetch import hex_field, text_field, token_field
from .material import Material

VERSION = 1
MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A request, its answer, and what the chain says about both as the file's writer read it. `price` in plancks."""

    genesis_hash: bytes
    session: int
    index: int
    session_seed: bytes
    requester: bytes
    worker: bytes
    spec: ServiceSpec
    calibration: Calibration | None
    material: Material
    receipt_signature: bytes
    leaves: tuple[Leaf, ...] | None
    price: int


def load_bundle(path: Path | str) -> Bundle:
    """Read a receipt file. Raises BundleError."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BundleError(f"the receipt file {path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise BundleError(f"{path} is larger than {MAX_BYTES} bytes")
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON: {error}") from None
    return parse_bundle(fields)


def parse_bundle(fields: Any) -> Bundle:
    """The bundle in a decoded JSON object. Raises BundleError that names the field."""
    if not isinstance(fields, Mapping):
        raise BundleError("a receipt file holds one JSON object")
    if fields.get("version") != VERSION:
        raise BundleError(
            f"the receipt file has version {fields.get('version')!r}, this program reads {VERSION}"
        )
    read = _Reader(dict(fields))
    material = Material(
        request=read.made("request", Request.decode),
        request_signature=read.bytes("request_signature", 64),
        tokens=read.value("tokens", lambda: token_field(read.fields)),
        text=read.value("text", lambda: text_field(read.fields, "text")),
        receipt=read.made("receipt", Receipt.decode),
    )
    return Bundle(
        genesis_hash=read.bytes("genesis_hash", 32),
        session=read.number("session"),
        index=read.number("index"),
        session_seed=read.bytes("session_seed", 32),
        requester=read.bytes("requester", 32),
        worker=read.bytes("worker", 32),
        spec=read.made("spec", ServiceSpec.decode),
        calibration=read.maybe("calibration", Calibration.decode),
        material=material,
        receipt_signature=read.bytes("receipt_signature", 64),
        leaves=read.maybe("leaves", decode_leaves),
        price=read.price(),
    )


class _Reader:
    """Takes fields out of an object; every fault names its field."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def value(self, name: str, read: Any) -> Any:
        """`read()`, whose errors become BundleError."""
        try:
            return read()
        except KeyError:
            raise BundleError(f"the receipt file has no {name}") from None
        except (ValueError, TypeError) as error:  # ProofError is a ValueError
            raise BundleError(f"the receipt file's {name} is malformed: {error}") from None

    def bytes(self, name: str, size: int) -> bytes:
        """A hex field of `size` bytes."""
        found: bytes = self.value(name, lambda: hex_field(self.fields, name))
        if len(found) != size:
            raise BundleError(f"the receipt file's {name} must be {size} bytes in hex, it has {len(found)}")
        return found

    def made(self, name: str, decode: Any) -> Any:
        """A hex field that holds an encoded object."""
        return self.value(name, lambda: decode(hex_field(self.fields, name)))

    def maybe(self, name: str, decode: Any) -> Any:
        """The same, or None where the file says null or nothing."""
        return None if self.fields.get(name) is None else self.made(name, decode)

    def number(self, name: str) -> int:
        """A whole number."""
        found = self.value(name, lambda: self.fields[name])
        if type(found) is not int or found < 0:
            raise BundleError(f"the receipt file's {name} must be a whole number")
        return found

    def price(self) -> int:
        """A number of plancks, written as text because JSON's numbers may be too short for it."""
        text = self.value("price", lambda: text_field(self.fields, "price"))
        if not text.isascii() or not text.isdigit() or len(text) > 39:
            raise BundleError("the receipt file's price must be a whole number of plancks in quotes")
        return int(text)
