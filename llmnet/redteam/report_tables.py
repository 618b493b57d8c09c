"""The tables of the published page, for Markdown and for the terminal alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table as RichTable

from llmnet.redteam.report_data import (
    Cell,
    ClassComparison,
    ClassResults,
    MethodOnAttack,
    ProtocolOutcome,
    Rate,
    Results,
    in_order,
)

FAMILIES = {
    "forward": "Another forward pass",
    "sampling": "Another token",
    "forgery": "Forged leaves",
    "control": "Controls",
}
CLASSES = {
    "FP32": "fp32",
    "FP16": "fp16",
    "BF16_FP32_RESIDUAL": "bf16 with fp32 residual",
    "BF16": "bf16",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, the names of the columns, and text in rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """With its heading."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        body = "\n".join("| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in lines)
        return f"### {self.title}\n\n{body}\n"

    def terminal(self) -> RichTable:
        """For rich."""
        table = RichTable(title=self.title)
        for column in self.columns:
            table.add_column(column, overflow="fold")
        for row in self.rows:
            table.add_row(*(cell.replace("**", "").replace("[", "\\[") for cell in row))
        return table


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def class_name(numerics: str) -> str:
    """In words."""
    return CLASSES.get(numerics, numerics)


def rate(found: Rate) -> str:
    """`k` of `n` with its limits."""
    return f"{found.k} of {found.n} ({percent(found.low)} to {percent(found.high)})"


def percent(share: float) -> str:
    """With as many digits as are worth printing."""
    hundred = share * 100
    return f"{hundred:.0f} %" if hundred in (0, 100) or hundred >= 10 else f"{hundred:.2g} %"


def not_covered(results: Results) -> list[Table]:
    """Attacks that the protocol does not stop, or that pay; none if there are none."""
    rows = [
        (
            class_name(found.numerics),
            f"**{cell.attack}**",
            cell.does,
            cell.seen,
            _signed(cell.value),
            cell.note,
        )
        for found in results.classes
        for cell in found.cells
        if not cell.covered
    ]
    protocol = [
        (
            "protocol",
            f"**{found.name}**",
            found.does,
            found.effect,
            _signed(found.value),
            found.why or found.note,
        )
        for found in results.outcomes
        if not found.covered
    ]
    columns = ("class", "attack", "what it does", "seen", "value, R", "why, and what would help")
    return [Table("Not covered", columns, tuple(rows + protocol))] if rows or protocol else []


def late(results: Results) -> list[Table]:
    """Attacks that are slashed later than aimed at; none if there are none."""
    rows = tuple(
        (
            class_name(found.numerics),
            f"**{cell.attack}**",
            cell.does,
            f"{cell.aim}",
            "never" if cell.audits_to_slash.mean is None else f"{cell.audits_to_slash.mean:.1f}",
            _signed(cell.value),
            cell.note,
        )
        for found in results.classes
        for cell in found.cells
        if cell.covered and cell.late
    )
    columns = ("class", "attack", "what it does", "aim, audits", "audits to the slash", "value, R", "why")
    return [Table("Later than aimed at", columns, rows)] if rows else []


def unexpected(results: Results) -> list[Table]:
    """Covered rows whose outcome was not the expected one; none if there are none."""
    rows = [
        (class_name(found.numerics), cell.attack, cell.expected, cell.seen, _signed(cell.value), cell.note)
        for found in results.classes
        for cell in found.cells
        if cell.covered and not cell.as_expected
    ]
    protocol = [
        ("protocol", found.name, found.expected, found.effect, _signed(found.value), found.note)
        for found in results.outcomes
        if found.covered and not found.as_expected
    ]
    columns = ("class", "attack", "expected", "seen", "value, R", "note")
    return [Table("Short of what is expected", columns, tuple(rows + protocol))] if rows or protocol else []


def honest(results: Results) -> list[Table]:
    """How often the honest are accused, by class."""
    rows = tuple(
        (
            class_name(found.numerics),
            str(found.calibrated_on.get("answers", "")),
            rate(found.honest.fail),
            rate(found.honest.slash_100_audits),
            ", ".join(
                str(found.calibration[name])
                for name in ("logit_q95", "logit_q99", "hidden_q95", "hidden_q99")
            ),
        )
        for found in results.classes
    )
    columns = (
        "class",
        "calibrated on, answers",
        "honest answers that fail their audit",
        "honest workers slashed within 100 audits, resampled",
        "thresholds (logit q95, q99, hidden q95, q99)",
    )
    return [Table("Honest workers", columns, rows)] if rows else []


def attacks(found: ClassResults) -> list[Table]:
    """One table a family, in one class."""
    families = list(dict.fromkeys([*FAMILIES, *(cell.family for cell in found.cells)]))
    grouped = {name: [cell for cell in found.cells if cell.family == name] for name in families}
    return [
        Table(FAMILIES.get(name, name), _COLUMNS, tuple(_attack(cell) for cell in cells))
        for name, cells in grouped.items()
        if cells
    ]


_COLUMNS = (
    "attack",
    "expected",
    "seen",
    "answers that fail alone",
    "positions to a decision, mean and 90 %",
    "slashed within 1, 2, 3, 5 audits",
    "audits to the slash, mean and 90 %",
    "bytes an audit, on and off chain",
    "saves",
    "value, R an answer",
)


def _attack(cell: Cell) -> tuple[str, ...]:
    name = cell.attack if cell.covered else f"**{cell.attack}**"
    return (
        name,
        cell.expected,
        cell.seen if cell.as_expected else f"**{cell.seen}**",
        rate(cell.fail),
        _to_decision(cell),
        ", ".join(percent(cell.slash_within.get(count, 0.0)) for count in ("1", "2", "3", "5")),
        _to_slash(cell),
        f"{cell.bytes_on:,.0f}, {cell.bytes_off:,.0f}",
        percent(cell.saves),
        f"{_signed(cell.value)} (careful: {_signed(cell.value_careful)})",
    )


def _to_decision(cell: Cell) -> str:
    found = cell.positions_to_decision
    return "none" if found is None else f"{found.mean:.1f}, {found.p90:.0f}"


def _to_slash(cell: Cell) -> str:
    found = cell.audits_to_slash
    if found.mean is None:
        return "never" if found.censored == 1 else f"{percent(1 - found.censored)} within 100"
    within = "over 100" if found.p90 is None else f"{found.p90:.0f}"
    return f"{found.mean:.1f}, {within}"


def glossary(results: Results) -> list[Table]:
    """What each attack does, once for all classes."""
    rows = {cell.attack: (cell.attack, cell.does) for found in results.classes for cell in found.cells}
    return [Table("What the attacks do", ("attack", "what it does"), tuple(rows.values()))] if rows else []


def protocol(outcomes: Sequence[ProtocolOutcome]) -> list[Table]:
    """One table a family."""
    columns = (
        "attack",
        "what it does",
        "outcome",
        "by",
        "caught",
        "answers, audits",
        "bytes on, off",
        "value, R",
    )
    families = dict.fromkeys(found.family for found in outcomes)
    return [
        Table(
            family.capitalize(),
            columns,
            tuple(_outcome(found) for found in outcomes if found.family == family),
        )
        for family in families
    ]


def _outcome(found: ProtocolOutcome) -> tuple[str, ...]:
    return (
        found.name if found.covered else f"**{found.name}**",
        found.does,
        found.effect if found.as_expected else f"**{found.effect}, not {found.expected}**",
        found.by,
        f"{found.caught} of {found.tried}",
        f"{found.answers}, {found.audits}",
        f"{found.on_chain:,}, {found.off_chain:,}",
        _signed(found.value),
    )


def methods(results: Results) -> list[Table]:
    """What each way of checking costs. Bytes are the same in all classes; times are of one."""
    if results.comparison is None:
        return []
    first = results.comparison.fullest
    columns = (
        "method",
        "source",
        "bytes a position",
        "of 16 tokens",
        "of 512 tokens",
        "own check, ms",
        "whole check against decoding",
    )
    rows = tuple(
        (
            method.name,
            method.source,
            f"{method.bytes_a_position:.1f}",
            f"{method.bytes_a_position * 16:,.0f}",
            f"{_long_bytes(method.name, method.bytes_a_position):,.0f}",
            f"{method.check_ms:.2f}",
            _ratio(first, method.check_ms),
        )
        for method in first.methods
    )
    return [Table("What the methods cost", columns, rows)]


def _long_bytes(name: str, bytes_a_position: float) -> float:
    """TOPLOC's proofs are of 32 tokens each, and as large for 16."""
    return bytes_a_position * (256 if name.startswith("TOPLOC") else 512)


def _ratio(found: ClassComparison, check_ms: float) -> str:
    timing = found.timing
    if not timing:
        return "not measured"
    return f"{(timing['verifier_ms'] + check_ms) / timing['decode_ms']:.2f}"


def comparisons(results: Results) -> list[Table]:
    """One table a class: detection at the first level that both sides share, and the area under the curve."""
    if results.comparison is None:
        return []
    return [
        _compared(class_name(numerics), found, level)
        for numerics, found in in_order(results.comparison.classes)
        for level in results.comparison.levels
        if any(row.detection.get(str(level)) for row in found.rows)
    ]


def _compared(title: str, found: ClassComparison, level: float) -> Table:
    names = [method.name for method in found.methods]
    rows = []
    for attack in dict.fromkeys(row.attack for row in found.rows):
        by_method = {row.method: row for row in found.rows if row.attack == attack}
        best = max(_detected(by_method[name], level) for name in names)
        count = max(row.answers for row in by_method.values())
        rows.append((f"{attack} ({count})", *(_beside(by_method[name], level, best) for name in names)))
    false = [f"{percent(method.false_rate.get(str(level), 0.0))}" for method in found.methods]
    rows.append(("*honest held-out answers above the limit*", *false))
    return Table(
        f"{title}: detection of one answer at {percent(level)} false alarms (area under the curve)",
        ("attack (answers)", *names),
        tuple(rows),
    )


def _detected(row: MethodOnAttack, level: float) -> float:
    caught = row.detection.get(str(level))
    return caught[0] if caught else 0.0


def _beside(row: MethodOnAttack, level: float, best: float) -> str:
    caught = row.detection.get(str(level))
    if caught is None:
        return "-"
    text = f"{percent(caught[0])} [{caught[1] * 100:.0f}, {caught[2] * 100:.0f}] ({row.area[0]:.3f})"
    return f"**{text}**" if caught[0] == best > 0 else text


def published(results: Results) -> list[Table]:
    """What the methods that come with limits of their own say at those, ours included."""
    if results.comparison is None:
        return []
    rows = []
    for numerics, found in in_order(results.comparison.classes):
        for method in found.methods:
            if method.published_false is None:
                continue
            caught = [row for row in found.rows if row.method == method.name and row.published is not None]
            seen = ", ".join(f"{row.attack} {row.published} of {row.answers}" for row in caught)
            rows.append(
                (class_name(numerics), method.name, f"{method.published_false} of {found.held_out}", seen)
            )
    columns = ("class", "method", "honest answers rejected", "cheating answers rejected")
    return [Table("At the limits that each method comes with", columns, tuple(rows))] if rows else []


def economics(results: Results) -> list[Table]:
    """What was played on the real runtime, the dearest for the protocol first."""
    if results.simulation is None:
        return []
    ordered = sorted(results.simulation.results, key=lambda found: -found.value)
    columns = (
        "deviation",
        "of a",
        "value, R",
        "standard error",
        "runs",
        "of them slashed",
        "honest workers punished",
    )
    rows = tuple(
        (
            found.name,
            found.role,
            f"**{_signed(found.value)}**" if found.pays else _signed(found.value),
            f"{found.error:.2f}",
            str(found.runs),
            f"{found.lost:.1f}",
            str(found.honest_punished),
        )
        for found in ordered
    )
    return [Table("Deviations played on the real runtime", columns, rows)]


def every(results: Results) -> list[Table]:
    """All tables, in the order of the page."""
    parts: Iterable[list[Table]] = (
        not_covered(results),
        unexpected(results),
        honest(results),
        *(
            [
                Table(f"{class_name(found.numerics)}: {table.title}", table.columns, table.rows)
                for table in attacks(found)
            ]
            for found in results.classes
        ),
        protocol(results.outcomes),
        methods(results),
        comparisons(results),
        published(results),
        economics(results),
    )
    return [table for tables in parts for table in tables]


def _signed(value: float) -> str:
    return f"{value:+.2f}"
