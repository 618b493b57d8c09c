"""What can go wrong on the requester's side.

GatewayError
├── NoOffer             nobody offers what was asked for
├── UnknownSession      the session does not exist, or is not ours
├── SessionOver         the session cannot be used any more: open another one
├── SeedTimeout         the beacon did not give the session its seed in time
├── EscrowLow           the escrow does not cover the answer: top up or ask for less
├── RequestRefused      the worker refuses the request: .status, .code
├── WorkerUnreachable   no connection, or no end of an answer, after all tries
├── WorkerBroken        the worker answers, but not as the protocol says
├── ReceiptRefused      the receipt is not what was asked for: .field; no voucher was signed
├── PlantError          a fault cannot be planted or revealed
├── ReportError         there is nothing that can be reported
├── BundleError         a receipt file cannot be read or contradicts itself
└── StoreError          the store cannot be used
"""

from __future__ import annotations


class GatewayError(Exception):
    """Any error of this package; the message says what happened and what to do."""


class NoOffer(GatewayError):
    """Nobody offers what was asked for."""


class UnknownSession(GatewayError):
    """The session does not exist, or is not ours."""


class SessionOver(GatewayError):
    """The session cannot be used any more."""


class SeedTimeout(GatewayError):
    """The beacon did not give the session its seed in time."""


class EscrowLow(GatewayError):
    """The escrow does not cover the answer. `missing` in plancks, if known."""

    def __init__(self, message: str, missing: int | None = None) -> None:
        super().__init__(message)
        self.missing = missing


class RequestRefused(GatewayError):
    """The worker refuses the request."""

    def __init__(self, message: str, status: int, code: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class WorkerUnreachable(GatewayError):
    """No connection, or no end of an answer, after all tries. The request stays in the store and is resent as it is."""


class WorkerBroken(GatewayError):
    """The worker answers, but not as the protocol says."""


class ReceiptRefused(GatewayError):
    """The receipt is not what was asked for. `field` names what is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class PlantError(GatewayError):
    """A fault cannot be planted or revealed."""


class ReportError(GatewayError):
    """There is nothing that can be reported."""


class BundleError(GatewayError):
    """A receipt file cannot be read or contradicts itself."""


class StoreError(GatewayError):
    """The store cannot be used."""
