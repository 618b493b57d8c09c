"""`python -m llmnet.demo.worker --behaviour NAME …`: the worker daemon, honest or not."""

from __future__ import annotations

import sys

from llmnet.cli.worker import build_parser, run

from .cast import BEHAVIOURS
from .cheats import backend_for


def main() -> int:
    """Run the daemon with the backend of the behaviour."""
    parser = build_parser("llmnet.demo.worker")
    parser.add_argument("--behaviour", choices=BEHAVIOURS, required=True)
    args = parser.parse_args()
    args.skip_self_test = True  # it would keep the cheats from offering, and audits are to find them
    return run(parser, args, backend_for(args.behaviour))


if __name__ == "__main__":
    sys.exit(main())
