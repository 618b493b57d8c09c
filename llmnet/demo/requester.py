"""`python -m llmnet.demo.requester … WORKER…`: asks every worker its questions, checks the receipts, pays.

One JSON object a line on standard output for every answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path

from llmnet.chain import Client
from llmnet.gateway import GatewayError, Requester

from .cast import questions
from .stage import key

ESCROW = 10**12
EXPIRES_IN = 2000
PARALLEL = 6  # answers of one session at a time: below what a worker lets go unpaid


async def ask_worker(requester: Requester, spec: bytes, worker: str, args: argparse.Namespace) -> None:
    """Open a session with one worker and ask everything, a few questions at a time."""
    session = await requester.open_session(
        worker=key(worker).public, spec_id=spec, escrow=ESCROW, expires_in=EXPIRES_IN
    )
    await requester.wait_for_seed(session)
    turns = asyncio.Semaphore(PARALLEL)
    await asyncio.gather(
        *(
            ask(requester, session, worker, text, turns, args)
            for text in questions(args.seed, args.rounds, worker)
        )
    )


async def ask(
    requester: Requester,
    session: int,
    worker: str,
    text: str,
    turns: asyncio.Semaphore,
    args: argparse.Namespace,
) -> None:
    """Ask one question and print what came of it."""
    async with turns:
        answer = await requester.ask(session, text, max_tokens=args.max_tokens, temperature=args.temperature)
    line = {"worker": worker, "session": session, "index": answer.index, "question": text}
    print(json.dumps({**line, "answer": answer.text, "price": answer.price}), flush=True)  # noqa: T201


async def run(args: argparse.Namespace) -> None:
    """All workers side by side."""
    async with (
        Client.connect(args.node) as client,
        Requester(client, key(args.dev_key), args.home) as requester,
    ):
        await asyncio.gather(
            *(ask_worker(requester, bytes.fromhex(args.spec), name, args) for name in args.workers)
        )


def main() -> int:
    """Exit status 0 when every answer came, was right by its receipt, and was paid."""
    parser = argparse.ArgumentParser(prog="llmnet.demo.requester")
    parser.add_argument("--node", required=True)
    parser.add_argument("--dev-key", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--spec", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--max-tokens", type=int, required=True)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("workers", nargs="+", metavar="WORKER")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        asyncio.run(run(args))
    except GatewayError as error:
        print(f"requester: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
