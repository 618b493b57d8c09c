"""JSON-RPC errors with the codes that Substrate's clients know."""

from __future__ import annotations

from typing import Any

from llmnet.devnode import errors as node

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = (
    -32700,
    -32600,
    -32601,
    -32602,
    -32603,
)
TOO_MANY_SUBSCRIPTIONS, REQUEST_TOO_BIG, RESPONSE_TOO_BIG, BATCH_TOO_BIG = -32006, -32007, -32008, -32010
# The new methods: too many follow subscriptions, unknown blocks, calls where the runtime is not followed,
# `continue` out of turn, hashes named twice.
TOO_MANY_FOLLOWS, INVALID_BLOCK, WITHOUT_RUNTIME = -32800, -32801, -32802
INVALID_CONTINUE, DUPLICATE_HASHES = -32803, -32804
DISPATCH_RUNTIME, DISPATCH_DECODING = 1, 2
BLOCK_RANGE, TOO_BIG_NUMBER, OFFCHAIN_KIND, AUTHOR_CLIENT = 4001, 3001, 5001, 1040
BAD_FORMAT, VERIFICATION, INVALID, UNKNOWN_VALIDITY, BANNED = 1001, 1002, 1010, 1011, 1012
ALREADY_IMPORTED, LOW_PRIORITY, DROPPED, TOO_MANY_KEYS, STATE_CLIENT, DEV = 1013, 1014, 1016, 4002, 4003, 9000


class RpcError(Exception):
    """An error answer."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        """The `error` member of the answer."""
        answer = {"code": self.code, "message": self.message}
        return answer if self.data is None else {**answer, "data": self.data}


def translate(error: node.DevnodeError) -> RpcError:
    """The error answer for a fault of the node."""
    match error:
        case node.InvalidTransaction():
            return RpcError(INVALID, "Invalid Transaction", error.text)
        case node.UndecidableTransaction():
            return RpcError(UNKNOWN_VALIDITY, "Unknown Transaction Validity", str(error))
        case node.MalformedTransaction():
            return RpcError(BAD_FORMAT, f"Extrinsic has invalid format: {error}")
        case node.AlreadyInPool():
            return RpcError(ALREADY_IMPORTED, "Transaction Already Imported")
        case node.TemporarilyBanned():
            return RpcError(BANNED, "Transaction is temporarily banned")
        case node.PriorityTooLow():
            text = "The transaction has too low priority to replace another transaction already in the pool."
            return RpcError(LOW_PRIORITY, f"Priority is too low: {error}", text)
        case node.PoolFull():
            return RpcError(DROPPED, "Immediately Dropped", str(error))
        case node.RuntimeFault():
            return RpcError(STATE_CLIENT, f"Client error: Execution failed: {error}")
        case node.UnknownBlock():
            return RpcError(STATE_CLIENT, f"Client error: UnknownBlock: {error}")
        case node.AuthoringError():
            return RpcError(DEV, str(error))
        case _:
            return RpcError(INTERNAL, f"{type(error).__name__}: {error}")
