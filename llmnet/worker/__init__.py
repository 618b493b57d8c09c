"""The daemon that sells answers: HTTP, sessions, receipts, batch commitments, openings.

    Worker(config, client, signer, files, spec, EngineBackend(engine)).serve(listener, stop)

One answer: `body` (parse) -> `admission` (check) -> `answering` (compute, sign, store) -> `app` (reply);
`keeper` commits it on chain, opens what audits draw and claims the money; `appeals` contradicts verdicts that its own record
contradicts; `doors` hands records to panels and payers. `plants` are answers that are wrong by a planter's order.
"""

from .backend import Backend, EngineBackend, Finished, Piece
from .config import WorkerConfig
from .daemon import Worker
from .errors import ApiError, SetupError, StoreError, WorkerError
from .store import Answer, Store

__all__ = [
    "Answer",
    "ApiError",
    "Backend",
    "EngineBackend",
    "Finished",
    "Piece",
    "SetupError",
    "Store",
    "StoreError",
    "Worker",
    "WorkerConfig",
    "WorkerError",
]
