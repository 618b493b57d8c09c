"""`python -m llmnet.redteam.protocol [NAME...] [--out FILE]`: run attacks on the protocol and write what came of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from llmnet.devnode import runtime_artifact
from llmnet.redteam.protocol import Outcome, Setting, attacks, run_all
from llmnet.redteam.protocol.room import REWARD
from llmnet.redteam.protocol.setting import observed_in

_HONEST = Path("docs/verification-data")


def as_page(outcomes: list[Outcome], setting: Setting, command: str, before: Path) -> str:
    """What is kept: how it was made, and every outcome. Rows that a file of the same scale has of other attacks stay."""
    kept = json.loads(before.read_text()) if before.is_file() else {}
    same = kept.get("scale") == setting.scale
    rows = {row["name"]: row for row in kept.get("attacks", []) if same}
    rows.update((outcome.name, outcome.as_json()) for outcome in outcomes)
    page: dict[str, Any] = {
        "command": command,
        "seed": setting.seed,
        "scale": setting.scale,
        "reward_plancks": REWARD,
        "attacks": [rows[name] for name in attacks() if name in rows],
    }
    return json.dumps(page, indent=1) + "\n"


def _tell(outcome: Outcome) -> None:
    found = outcome.found
    mark = "ok" if outcome.as_expected else "NOT AS EXPECTED"
    covered = "" if outcome.covered else ", not covered"
    sys.stdout.write(
        f"{mark:3} {outcome.family}: {outcome.name}: {found.effect.value} {found.caught}/{found.tried}, "
        f"value {outcome.value:+.2f} R{covered}\n"
    )
    sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    """Exit status 1 if something did not come out as expected."""
    parser = argparse.ArgumentParser(
        prog="python -m llmnet.redteam.protocol", description="Attack the protocol."
    )
    parser.add_argument("names", nargs="*", help="attacks or families (default: all)")
    parser.add_argument("--list", action="store_true", help="name the attacks and do nothing")
    parser.add_argument(
        "--out", type=Path, help="write the outcomes there as JSON, beside those of other attacks"
    )
    parser.add_argument(
        "--wasm", type=Path, help="the runtime (default: the one that comes with the package)"
    )
    parser.add_argument(
        "--honest",
        type=Path,
        default=_HONEST,
        help=f"folder of honest-*.jsonl.xz and again-*.jsonl.xz, for the family noise (default: {_HONEST})",
    )
    parser.add_argument("--seed", type=int, default=1, help="names accounts and prompts (default: 1)")
    parser.add_argument(
        "--scale", type=int, default=8, help="how often each is tried, times what tests do (default: 8)"
    )
    options = parser.parse_args(argv)
    if options.list:
        for attack in attacks().values():
            sys.stdout.write(f"{attack.family}: {attack.name}: {attack.does}\n")
        return 0
    honest, again = (observed_in(options.honest, kind) for kind in ("honest", "again"))
    setting = Setting(options.wasm or runtime_artifact(), None, options.seed, options.scale, honest, again)
    command = f"python -m llmnet.redteam.protocol --scale {setting.scale} --out docs/verification-data/protocol.json"

    def done(outcome: Outcome) -> None:
        _tell(outcome)
        if options.out is not None:  # at once: a run that is cut off keeps what it has
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(as_page([outcome], setting, command, options.out))

    outcomes = run_all(setting, options.names or None, done)
    return 0 if all(outcome.as_expected for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
