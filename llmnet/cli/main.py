"""The console script `llmnet`: the requester's commands, accounts, models and keys.

Only the parser is imported at start; a command imports what it needs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from . import (
    accounts,
    asking,
    calibrate,
    chain,
    keys,
    models,
    plants,
    proxies,
    receipts,
    redteam,
    reports,
    sessions,
    sim,
    specs,
    stakes,
)
from .output import fail

EPILOG = (
    "Settings: option > environment (LLMNET_NODE, LLMNET_KEY_FILE, LLMNET_DEV_KEY, LLMNET_HOME, LLMNET_TIMEOUT) > "
    "file (--config, LLMNET_CONFIG, or config.toml in the user's configuration directory) > default. "
    "Exit status: 0 fine, 1 refused or failed, 2 wrong usage, 3 node or worker unreachable."
)

app = typer.Typer(
    name="llmnet",
    help="Ask language models for answers that are checked and settled on a chain.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # loading its library takes longer than most commands
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

asking.add(app)
accounts.add(app)
sessions.add(app)
receipts.add(app)
models.add(app)
keys.add(app)
stakes.add(app)
proxies.add(app)
specs.add(app)
calibrate.add(app)
sim.add(app)
redteam.add(app)
plants.add(app)
reports.add(app)
chain.add(app)


@app.command(
    "demo",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    help="The whole network on this machine, three cheats included. `llmnet demo --help` tells its options.",
)
def _demo(context: typer.Context) -> None:
    from .demo import main as play

    raise typer.Exit(play(context.args))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    try:
        app(args=None if argv is None else list(argv), prog_name="llmnet", standalone_mode=True)
    except SystemExit as end:
        code = end.code
        if isinstance(code, int):
            return code
        return 0 if code is None else fail(str(code), 1, as_json=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
