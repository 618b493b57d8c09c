"""Values that cross the border between node and runtime, decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmnet.devnode.errors import InvalidTransaction, TransactionError, UndecidableTransaction
from llmnet.devnode.scale import Reader

_CORE_API = bytes.fromhex("df6acb689907609b")
# Names of `InvalidTransaction` and what a node says about each (the texts clients match on).
_INVALID: tuple[tuple[str, str], ...] = (
    ("call", "Transaction call is not expected"),
    ("payment", "Inability to pay some fees (e.g. account balance too low)"),
    ("future", "Transaction will be valid in the future"),
    ("stale", "Transaction is outdated"),
    ("bad_proof", "Transaction has a bad signature"),
    ("ancient_birth_block", "Transaction has an ancient birth block"),
    ("exhausts_resources", "Transaction would exhaust the block limits"),
    ("custom", "InvalidTransaction custom error"),
    ("bad_mandatory", "A call was labelled as mandatory, but resulted in an Error."),
    ("mandatory_validation", "Transaction dispatch is mandatory; transactions must not be validated."),
    ("bad_signer", "Invalid signing address"),
    ("indeterminate_implicit", "The implicit data was unable to be calculated"),
    ("unknown_origin", "The transaction extension did not authorize any origin"),
)
_UNKNOWN: tuple[str, ...] = (
    "Could not lookup information required to validate the transaction",
    "Could not find an unsigned validator for the unsigned transaction",
    "UnknownTransaction custom error",
)
_CUSTOM_INVALID, _CUSTOM_UNKNOWN = 7, 2


@dataclass(frozen=True)
class RuntimeVersion:
    """What a runtime says about itself."""

    spec_name: str
    impl_name: str
    authoring_version: int
    spec_version: int
    impl_version: int
    apis: tuple[tuple[bytes, int], ...]
    transaction_version: int
    system_version: int

    @classmethod
    def decode(cls, data: bytes) -> RuntimeVersion:
        """Reads the result of `Core_version`; fields that old runtimes lack count as 0."""
        reader = Reader(data)
        names = reader.text(), reader.text()
        versions = reader.uint(4), reader.uint(4), reader.uint(4)
        apis = tuple((reader.take(8), reader.uint(4)) for _ in range(reader.count(12)))
        transaction = reader.uint(4) if reader.at < len(data) else 0
        system = reader.uint(1) if reader.at < len(data) else 0
        return cls(*names, *versions, apis, transaction, system)

    @property
    def state_version(self) -> int:
        """The state version with which this runtime writes the trie."""
        return min(self.system_version, 1)

    def core_version(self) -> int:
        """The version of the `Core` API, 0 if it has none."""
        return next((version for name, version in self.apis if name == _CORE_API), 0)

    def as_json(self) -> dict[str, Any]:
        """As `state_getRuntimeVersion` answers."""
        return {
            "specName": self.spec_name,
            "implName": self.impl_name,
            "authoringVersion": self.authoring_version,
            "specVersion": self.spec_version,
            "implVersion": self.impl_version,
            "apis": [["0x" + name.hex(), version] for name, version in self.apis],
            "transactionVersion": self.transaction_version,
            "systemVersion": self.system_version,
            "stateVersion": self.system_version,
        }


@dataclass(frozen=True)
class ValidTransaction:
    """What the runtime says about a valid transaction; `longevity` counts blocks."""

    priority: int
    requires: tuple[bytes, ...]
    provides: tuple[bytes, ...]
    longevity: int
    propagate: bool


def decode_validity(data: bytes) -> ValidTransaction:
    """Reads the result of `validate_transaction`; raises the error that it holds."""
    reader = Reader(data)
    if reader.flag():
        raise read_validity_error(reader)
    priority = reader.uint(8)
    requires = tuple(reader.vector() for _ in range(reader.count(1)))
    provides = tuple(reader.vector() for _ in range(reader.count(1)))
    return ValidTransaction(priority, requires, provides, reader.uint(8), reader.flag())


def read_validity_error(reader: Reader) -> TransactionError:
    """Reads a `TransactionValidityError` and makes the exception for it."""
    if reader.uint(1) == 0:
        index = reader.uint(1)
        kind, text = _INVALID[index] if index < len(_INVALID) else ("other", f"unknown reason {index}")
        return InvalidTransaction(kind, f"{text}: {reader.uint(1)}" if index == _CUSTOM_INVALID else text)
    index = reader.uint(1)
    text = _UNKNOWN[index] if index < len(_UNKNOWN) else f"unknown reason {index}"
    return UndecidableTransaction(f"{text}: {reader.uint(1)}" if index == _CUSTOM_UNKNOWN else text)


@dataclass(frozen=True)
class Applied:
    """What became of an extrinsic in a block: `error` is the encoded DispatchError if its dispatch failed."""

    error: bytes | None

    @property
    def succeeded(self) -> bool:
        """Whether the call was dispatched without an error."""
        return self.error is None


def decode_applied(data: bytes) -> Applied:
    """Reads an `ApplyExtrinsicResult`; raises the validity error of an extrinsic that has no place there."""
    reader = Reader(data)
    if reader.flag():
        raise read_validity_error(reader)
    return Applied(data[reader.at :] if reader.flag() else None)


_DISPATCH_CLASSES = ("normal", "operational", "mandatory")


def decode_query_info(data: bytes) -> dict[str, Any]:
    """Reads `RuntimeDispatchInfo` as `payment_queryInfo` answers it."""
    reader = Reader(data)
    weight = {"ref_time": reader.compact(), "proof_size": reader.compact()}
    kind = reader.uint(1)
    return {
        "weight": weight,
        "class": _DISPATCH_CLASSES[kind] if kind < len(_DISPATCH_CLASSES) else str(kind),
        "partialFee": str(reader.uint(16)),
    }


def decode_fee_details(data: bytes) -> dict[str, Any]:
    """Reads `FeeDetails` as `payment_queryFeeDetails` answers it."""
    reader = Reader(data)
    fee = None
    if reader.flag():
        names = ("baseFee", "lenFee", "adjustedWeightFee")
        fee = {name: hex(reader.uint(16)) for name in names}
    return {"inclusionFee": fee}
