"""The requester's side: choose a worker, open sessions, ask, check receipts, pay with vouchers, tell where the money is.

    async with Requester(client, keypair, home) as requester:
        session, _ = await requester.ensure_session("Why is the sky blue?", 64)
        await requester.wait_for_seed(session, print)
        answer = await requester.ask(session, "Why is the sky blue?", max_tokens=64)

One answer: `wallet` (session) -> `store` (index and signature, before anything is sent) -> `exchange` with `door` (HTTP) ->
`checks` (receipt) -> `store` (voucher) -> `bundle` (receipt file). `watch` compares what the worker commits and opens with the
receipts that it gave (`equivocation`). `account`, `recent`, `second_looks` and `explain` read the chain; `plants` is a planter's
book. Errors: `errors`.
"""

from .bundle import Bundle
from .checks import Claimed, Terms, check_answer
from .errors import (
    BundleError,
    EscrowLow,
    GatewayError,
    NoOffer,
    PlantError,
    ReceiptRefused,
    ReportError,
    RequestRefused,
    SeedTimeout,
    SessionOver,
    StoreError,
    UnknownSession,
    WorkerBroken,
    WorkerUnreachable,
)
from .exchange import Patience
from .ledger import ClientLedger, Ledger
from .offers import Choice, all_offers, choose
from .requester import AnswerRecord, Requester
from .wallet import Wallet, account_folder

__all__ = [
    "AnswerRecord",
    "Bundle",
    "BundleError",
    "Choice",
    "Claimed",
    "ClientLedger",
    "EscrowLow",
    "GatewayError",
    "Ledger",
    "NoOffer",
    "Patience",
    "PlantError",
    "ReceiptRefused",
    "ReportError",
    "RequestRefused",
    "Requester",
    "SeedTimeout",
    "SessionOver",
    "StoreError",
    "Terms",
    "UnknownSession",
    "Wallet",
    "WorkerBroken",
    "WorkerUnreachable",
    "account_folder",
    "all_offers",
    "check_answer",
    "choose",
]
