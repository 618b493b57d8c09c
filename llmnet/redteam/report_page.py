"""The text around the tables. Every number in it is counted from the results."""

from __future__ import annotations

from collections.abc import Iterable

from llmnet.redteam import report_tables as tables
from llmnet.redteam.report_data import (
    ClassComparison,
    ClassResults,
    Comparison,
    MethodOnAttack,
    Results,
    in_order,
)
from llmnet.redteam.report_tables import Table, class_name, percent

_OURS = "sketches and margin (ours)"


def evidence_picture(found: ClassResults) -> str:
    """The name of a class's picture."""
    return f"evidence-{found.numerics.lower()}.svg"


def page(results: Results) -> str:
    """The whole page in Markdown."""
    parts = [
        _HEAD,
        _missing(results),
        _uncovered(results),
        _late(results),
        _section("Claimed", [_claims(results)]),
        _section("Accused without guilt", [_HONEST, *_texts(tables.honest(results))]),
        *(_class(found) for found in results.classes),
        _section("What the attacks do", _texts(tables.glossary(results))[:1], bare=True),
        _protocol(results),
        _comparison(results),
        _economics(results),
        _AGAIN,
    ]
    return "\n".join(part for part in parts if part)


def _section(title: str, texts: list[str], *, bare: bool = False) -> str:
    if not texts:
        return ""
    if bare:  # the table's own heading is the section's
        return "\n".join(texts).replace("### ", "## ", 1)
    return f"## {title}\n\n" + "\n".join(texts)


def _texts(found: Iterable[Table]) -> list[str]:
    return [table.markdown() for table in found]


def _missing(results: Results) -> str:
    if not results.missing:
        return ""
    return f"**Not measured yet, or not published:** {', '.join(f'`{name}`' for name in results.missing)}.\n"


def _uncovered(results: Results) -> str:
    found = tables.not_covered(results)
    if not found:
        return _section(
            "Not covered",
            [
                "No attack that was tried is without an answer. Attacks that nobody tried are not in the list.\n"
            ],
        )
    count = sum(len(table.rows) for table in found)
    text = f"**{count} of the rows below are not covered: whoever does this is not stopped by the protocol, or gains by it.**\n\n"
    return "## Not covered\n\n" + text + _rows(found)


def _late(results: Results) -> str:
    found = tables.late(results)
    if not found:
        return ""
    count = sum(len(table.rows) for table in found)
    text = f"**{_number(count, 'row is', 'rows are')} slashed, but later than the protocol aims at.** None of them pays.\n\n"
    return "## Later than aimed at\n\n" + text + _rows(found)


def _rows(found: Iterable[Table]) -> str:
    return "\n".join(table.markdown().split("\n\n", 1)[1] for table in found)


def _claims(results: Results) -> str:
    cells = [cell for found in results.classes for cell in found.cells]
    covered = [cell for cell in cells if cell.covered]
    names = ", ".join(class_name(found.numerics) for found in results.classes) or "none"
    lines = [
        f"- {len(cells)} cells: {len({cell.attack for cell in cells})} attacks on the answers in "
        f"{_number(len(results.classes), 'numerics class', 'numerics classes')} ({names}); "
        f"{sum(cell.as_expected for cell in cells)} came out as expected, {len(cells) - len(covered)} are listed as not covered.",
        f"- {sum(cell.value > 0 for cell in covered if cell.family != 'control')} covered attacks pay; the dearest brings "
        f"{max((cell.value for cell in covered if cell.family != 'control'), default=0.0):+.2f} R an answer.",
        f"- {len(results.outcomes)} attacks on the protocol on the real runtime, "
        f"{sum(found.as_expected for found in results.outcomes)} as expected, "
        f"{sum(not found.covered for found in results.outcomes)} not covered.",
    ]
    lines += [
        f"- {class_name(found.numerics)}: {found.honest.fail.k} of {found.honest.fail.n} honest answers fail their audit "
        f"(95 %: at most {percent(found.honest.fail.high)}); {found.honest.slash_100_audits.k} of "
        f"{found.honest.slash_100_audits.n} honest workers are slashed within 100 audits (at most "
        f"{percent(found.honest.slash_100_audits.high)})."
        for found in results.classes
    ]
    shortfalls = _texts(tables.unexpected(results))
    return "\n".join([*lines, "", *shortfalls])


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _class(found: ClassResults) -> str:
    picture = f"![Evidence over audits](verification-data/{evidence_picture(found)})\n"
    measured = f"Model {found.model}; thresholds from {found.calibrated_on.get('answers', 0)} honest answers; made by `{found.command}`.\n"
    drawn = [picture] if any(cell.curve for cell in found.cells) else []
    return _section(
        f"Attacks, {class_name(found.numerics)}", [measured, *drawn, *_texts(tables.attacks(found))]
    )


def _protocol(results: Results) -> str:
    if results.protocol is None:
        return ""
    made = f"Made by `{results.protocol.command}`.\n"
    return _section("Attacks on the protocol", [_PROTOCOL, made, *_texts(tables.protocol(results.outcomes))])


def _comparison(results: Results) -> str:
    if results.comparison is None:
        return ""
    texts = [
        _COMPARISON.format(window=results.comparison.window),
        *_texts(tables.methods(results)),
        "![Detection by method](verification-data/comparison.svg)\n",
        *_texts(tables.comparisons(results)),
        *_texts(tables.published(results)),
        _where_others_lead(results.comparison),
    ]
    return _section("Beside other methods", texts)


def _where_others_lead(found: Comparison) -> str:
    level = str(found.levels[0])
    leads = [
        f"- {class_name(numerics)}, {row.attack}: {row.method} detects {_share(row, level)}, "
        f"ours {_share(mine, level)}."
        for numerics, one in in_order(found.classes)
        for row, mine in _beside_ours(one)
        if _leads(row, mine, level)
    ]
    lines = ["### Where another method is better\n", *leads]
    if not leads:
        lines.append(f"- In detection at {percent(float(level))} false alarms: nowhere in these rows.")
    first = found.fullest
    mine = next((method.bytes_a_position for method in first.methods if method.name == _OURS), 0.0)
    smaller = [
        f"{method.name} {method.bytes_a_position:.1f}"
        for method in first.methods
        if method.bytes_a_position < mine
    ]
    lines.append(
        f"- In bytes a position (ours keeps {mine:.1f} off chain, and opens 16 leaves an audit): {', '.join(smaller) or 'nowhere'}."
    )
    return "\n".join(lines) + "\n"


def _beside_ours(found: ClassComparison) -> list[tuple[MethodOnAttack, MethodOnAttack]]:
    ours = {row.attack: row for row in found.rows if row.method == _OURS}
    return [(row, ours[row.attack]) for row in found.rows if row.method != _OURS and row.attack in ours]


def _leads(row: MethodOnAttack, ours: MethodOnAttack, level: str) -> bool:
    theirs, mine = row.detection.get(level), ours.detection.get(level)
    return theirs is not None and mine is not None and theirs[0] > mine[0]


def _share(row: MethodOnAttack, level: str) -> str:
    caught = row.detection.get(level)
    assert caught is not None
    return f"{percent(caught[0])} [{caught[1] * 100:.0f}, {caught[2] * 100:.0f}]"


def _economics(results: Results) -> str:
    if results.simulation is None:
        return ""
    played = results.simulation
    best = max(played.results, key=lambda found: found.value, default=None)
    text = _ECONOMICS.format(evidence=played.evidence, answers=played.answers, seeds=played.seeds)
    if best is not None:
        text += f"The most profitable deviation found is `{best.name}`: {best.value:+.4f} ± {best.error:.4f} R in {best.runs} runs.\n"
    return _section("What deviations earn", [text, *_texts(tables.economics(results))])


_HEAD = """\
# Verification: what is caught, what is not, and who is accused without guilt

Generated by `llmnet redteam report --write` from the files in `docs/verification-data`; a test makes it again and compares. The rules
that are tried here are in [protocol.md](protocol.md), sections 6 to 8; how honest workers were measured, and the thresholds that
came of it, in [calibration.md](calibration.md).

Everything was run with SmolLM2-135M-Instruct on a CPU. **The 16-bit classes are emulated**: weights and values are rounded as the class
says, sums are made in another order than on a GPU. Leaves of cheats are what a worker with that cheaper model would really post.
An audit is its sixteen drawn positions and what follows from them: an answer that passes is challenged where a validator's daemon would,
which looks at other positions too. Values are in R, the reward of one answer. Intervals are 95 %.
"""
_HONEST = """\
By the same machinery that judges the cheats, on all recorded honest answers, those included that the thresholds were fitted on. What
held-out answers say, with clustering and growth over the answer, is in [calibration.md](calibration.md).
"""
_PROTOCOL = """\
Each was run on the real runtime, or against the real daemon, with its inverse beside it: without the rule it succeeds.
"""
_COMPARISON = """\
All methods see the same answers: the first {window} positions, the same prompts and seeds, and one run of the verifier's fp32 graph. What
a method needs fitted is fitted on one part of the honest answers; the false-alarm rate is set on the others, so that the columns can
be compared. Intervals resample whole answers, honest and cheating. Where scores come in steps, the real false-alarm rate is below
the nominal one: it stands in each table's last row. A level is left out where the honest answers are too few to tell it. Times are of
one core of a shared, busy machine and compare only with one another.

TOPLOC is written anew from its paper, and looked at where hidden states were computed; its 128 values come from {window} positions
instead of 32. Its values are rounded to bfloat16 in every class, since its field holds sixteen bits. Methods that look at hidden
states cannot see a cheap decode behind an honest prefill, methods that look at tokens alone cannot see one that samples the same tokens.
"""
_ECONOMICS = """\
Agents on the real runtime, replaying `{evidence}`: {answers} answers a worker, {seeds} seeds, and more where that comes near to paying.
The value is what a deviation brings more than honesty does, an answer sold or an audit sat on. Signatures have random parts, and with
them the hashes that beacons are made of: two runs of one seed differ.
"""
_AGAIN = """\
## How to run it again

| what | command |
|---|---|
| honest answers, thresholds | `llmnet calibrate record FILE --numerics CLASS --answers 2100`, then `fit`, `report` |
| the same questions again | `llmnet calibrate again PACKED FILE --numerics CLASS`, then `pack` |
| one attack | `llmnet redteam run NAME` (`llmnet redteam list` names them) |
| attacks on the protocol | `python -m llmnet.redteam.protocol --out docs/verification-data/protocol.json` |
| what deviations earn | `make redteam`: its `llmnet sim run` names the evidence and the seeds |
| comparison | `python -m llmnet.redteam.rivals states`, then `python -m llmnet.redteam.rivals scores --out docs/verification-data` |
| all of it | `make redteam` |
| this page | `llmnet redteam report --write` |
"""
