"""`llmnet demo`: the whole network on this machine, three cheats included."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmnet.demo.director import Script

DESCRIPTION = """\
Starts a node, three validators, one honest worker and three that cheat (int8 weights; a layer
skipped; cheap decode with honest fingerprints), and a requester who asks them all. Every answer is
audited. Shows verdicts, balances and reputations, and draws the evidence over time.

Exit status: 0 if the honest worker was paid and unpunished, every cheat was slashed and the money
adds up; 1 otherwise; 2 wrong usage.
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="llmnet demo", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=6, metavar="N", help="questions to each worker (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="draws the questions (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome as JSON")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="SVG or PNG of the evidence (demo-out/evidence.svg)"
    )
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="logs and stores (default: a new temporary folder)"
    )
    parser.add_argument(
        "--max-tokens", type=int, default=24, metavar="N", help="tokens of an answer (%(default)s)"
    )
    parser.add_argument(
        "--honest-only", action="store_true", help="one worker, honest: how often is it accused?"
    )
    parser.add_argument("--node", metavar="URL", help="use a running node with a fresh development chain")
    parser.add_argument(
        "--limit", type=float, default=285.0, metavar="SECONDS", help="give up after (%(default)s)"
    )
    return parser


def script_of(args: argparse.Namespace) -> Script:
    """What to play."""
    from llmnet.demo.cast import BEHAVIOURS, HONEST
    from llmnet.demo.director import Script
    from llmnet.engine import ensure_default_model

    return Script(
        folder=args.folder or Path(tempfile.mkdtemp(prefix="llmnet-demo-")),
        model=ensure_default_model().path,
        rounds=args.rounds,
        seed=args.seed,
        max_tokens=args.max_tokens,
        limit_seconds=args.limit,
        behaviours=(HONEST,) if args.honest_only else BEHAVIOURS,
        node=args.node,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Play, then show."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    logging.basicConfig(level=logging.ERROR)
    from rich.console import Console

    from llmnet.chain import ChainError
    from llmnet.demo.director import CurtainError, Director
    from llmnet.demo.processes import DaemonDied
    from llmnet.demo.report import draw_evidence, evidence_table, outcome_table
    from llmnet.demo.stage import StageError

    # A pipe has no width of its own: make the table fit its content.
    console = Console() if sys.stdout.isatty() else Console(width=130)
    script = script_of(args)
    console.print(f"logs and stores: {script.folder}", highlight=False)
    try:
        outcome = asyncio.run(Director(script, lambda line: console.print(line, highlight=False)).play())
    except (StageError, CurtainError, DaemonDied, ChainError) as error:
        print(f"llmnet demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    console.print(outcome_table(outcome))
    if args.honest_only:
        console.print(evidence_table(outcome.workers))
    picture = args.picture or Path("demo-out") / "evidence.svg"
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw_evidence(outcome.workers, picture)
    money = "adds up" if outcome.issuance_ok else "DOES NOT ADD UP"
    console.print(f"picture: {picture} · total issuance {money} · {outcome.seconds:.0f} s", highlight=False)
    if args.json:
        args.json.write_text(outcome.to_json())
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main())
