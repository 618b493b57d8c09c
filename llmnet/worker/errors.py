"""What a worker refuses, and why.

WorkerError
├── ApiError          an HTTP answer in OpenAI's error shape
│   ├── BadRequest 400, Unauthorised 401, PaymentRequired 402, NotFound 404, Conflict 409, TooLarge 413, Unprocessable 422,
│   └── Busy 429, Unavailable 503 (both may carry `retry_after` seconds)
├── SetupError        the worker cannot start: the message says what to do
└── StoreError        the store is of another version or of another account
"""

from __future__ import annotations


class WorkerError(Exception):
    """Any error of this package."""


class SetupError(WorkerError):
    """The worker cannot start; the message says what to do."""


class StoreError(WorkerError):
    """The store cannot be used."""


class ApiError(WorkerError):
    """An error that a client is told. `code` is stable, the message is for people."""

    status = 500
    kind = "api_error"

    def __init__(self, code: str, message: str, *, retry_after: int | None = None, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.details = details

    def body(self) -> dict[str, object]:
        """OpenAI's error object."""
        return {"error": {"message": self.message, "type": self.kind, "code": self.code, **self.details}}


class BadRequest(ApiError):
    """The body is malformed or contradicts itself."""

    status, kind = 400, "invalid_request_error"


class Unauthorised(ApiError):
    """A signature is missing, wrong, or not of somebody who may ask."""

    status, kind = 401, "authentication_error"


class PaymentRequired(ApiError):
    """Escrow or vouchers do not cover it."""

    status, kind = 402, "payment_required"


class NotFound(ApiError):
    """No such session, audit or answer."""

    status, kind = 404, "not_found_error"


class Conflict(ApiError):
    """The index is used, or not the next one."""

    status, kind = 409, "conflict_error"


class TooLarge(ApiError):
    """The body is too large."""

    status, kind = 413, "invalid_request_error"


class Unprocessable(ApiError):
    """Well formed, but not to be served like this."""

    status, kind = 422, "invalid_request_error"


class Busy(ApiError):
    """Too many requests at a time."""

    status, kind = 429, "rate_limit_error"


class Unavailable(ApiError):
    """Not now: the chain, the beacon or the model is not ready."""

    status, kind = 503, "unavailable_error"
