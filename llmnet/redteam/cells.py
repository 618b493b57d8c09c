"""One attack in one class, judged: what is seen, how soon, at which price, and what it is worth to the cheat."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmnet.measure import Recording
from llmnet.proof import Calibration, NumericsClass, ServiceSpec
from llmnet.redteam import sizes
from llmnet.redteam.attack import Attack, Grade, Source
from llmnet.redteam.careers import AUDITS, Careers, Pool, careers
from llmnet.redteam.errors import MissingRecordings
from llmnet.redteam.saving import Saving
from llmnet.redteam.trials import Effort, Trial, trials
from llmnet.redteam.value import Value, value
from llmnet.verifier.calibrate.judge import Audited
from llmnet.verifier.calibrate.statistics import Rate

LISTED = (1, 2, 3, 4, 5, 10, 20)
RARE = 0.01
"""A share of honest workers slashed in `AUDITS` audits that is no longer chance."""
Texts = Callable[[Sequence[int]], str]


@dataclass(frozen=True)
class Bench:
    """What all attacks of a class are judged with. `honest`: audits of honest answers at the same thresholds."""

    spec: ServiceSpec
    row: Calibration
    honest: Sequence[Sequence[Audited]]
    text_of: Texts
    effort: Effort = field(default=Effort())

    @property
    def numerics(self) -> NumericsClass:
        """The class."""
        return self.spec.numerics

    @property
    def honest_fails(self) -> Rate:
        """By answer: the first draw of each."""
        return Rate(sum(found[0].failed for found in self.honest), len(self.honest))


@dataclass(frozen=True)
class Cell:
    """All numbers of one attack in one class. Shares are of 1, evidence in nat, value in R an answer."""

    attack: Attack
    numerics: NumericsClass
    answers: int
    positions: int
    fails: Rate
    found: Careers
    decided: tuple[float, int] | None
    honest: Rate
    bytes_on: int
    bytes_off: int
    saves: float
    worth: Value

    @property
    def seen(self) -> Grade:
        """The strictest grade that the numbers allow."""
        if self.found.mean is not None and self.found.mean <= AUDITS:
            soon = [(3, Grade.WITHIN_3), (5, Grade.WITHIN_5), (AUDITS, Grade.SLASHED)]
            return next(grade for limit, grade in soon if self.found.mean <= limit)
        if self.worth.best < 0:
            return Grade.UNPROFITABLE
        untouched = self.found.within(AUDITS) <= RARE and self.fails.rate <= self.honest.high
        return Grade.UNACCUSED if untouched else Grade.NOT_COVERED

    @property
    def as_expected(self) -> bool:
        """Seen as soon as expected or sooner; the honest are to be left alone, and what must fail fails always."""
        expected = self.attack.expects(self.numerics)
        if expected is Grade.UNACCUSED:
            return self.found.within(AUDITS) <= RARE and self.fails.hits == 0
        if expected is Grade.NOT_COVERED:
            return True  # nothing is promised
        if self.attack.must_fail and self.fails.hits < self.fails.trials:
            return False
        return self.seen.rank <= expected.rank

    @property
    def covered(self) -> bool:
        """Whether it does not pay. Honest rows are."""
        return self.attack.expects(self.numerics) is Grade.UNACCUSED or self.worth.best < 0

    def as_json(self) -> dict[str, Any]:
        """For the files of results."""
        return {
            "attack": self.attack.name,
            "family": self.attack.family.value,
            "class": self.numerics.name,
            "does": self.attack.does,
            "expected": self.attack.expects(self.numerics).value,
            "seen": self.seen.value,
            "aim": self.attack.aim,
            "as_expected": self.as_expected,
            "answers": self.answers,
            "positions": self.positions,
            "fail": _rate(self.fails),
            "slash_within": {str(limit): round(self.found.within(limit), 4) for limit in LISTED},
            "audits_to_slash": {
                "mean": None if self.found.mean is None else round(self.found.mean, 2),
                "p90": self.found.p90,
                "censored": round(1 - self.found.within(AUDITS), 4),
            },
            "positions_to_decision": None
            if self.decided is None
            else {"mean": round(self.decided[0], 2), "p90": self.decided[1]},
            "curve": [list(point) for point in self.found.curve],
            "honest_false": _rate(self.honest),
            "bytes_on": self.bytes_on,
            "bytes_off": self.bytes_off,
            "saves": round(self.saves, 4),
            "saves_how": self.attack.saves.how,
            "value": round(self.worth.constant, 4),
            "value_careful": round(self.worth.careful, 4),
            "covered": self.covered,
            "note": self.attack.note,
        }


def judge_attack(attack: Attack, bench: Bench, recordings: Mapping[str, Sequence[Recording]]) -> Cell:
    """Raises MissingRecordings if the attack's transcripts are not there, or nobody is cheated by it."""
    missing = [name for name in attack.transcripts if not recordings.get(name)]
    if missing:
        raise MissingRecordings(
            f"{attack.name}: {', '.join(missing)} is not recorded for {bench.numerics.name}"
        )
    source = Source(bench.spec, recordings)
    sold = attack.answers(source)
    if not sold:
        raise MissingRecordings(f"{attack.name}: none of the recorded answers is one that it cheats on")
    tried = trials(sold, bench.spec, bench.row, bench.effort.draws)
    share = attack.cheated(source)
    cheating, honest = Pool.of(tried), Pool.of(bench.honest)
    saves = attack.saves.of(bench.numerics)
    return Cell(
        attack,
        bench.numerics,
        len(sold),
        sum(len(recording.leaves) for recording in sold),
        Rate(sum(found[0].failed for found in tried), len(tried)),
        careers(cheating, honest, share, workers=bench.effort.workers),
        _decided(tried),
        bench.honest_fails,
        round(statistics.mean(sizes.on_chain(recording) for recording in sold)),
        round(
            statistics.mean(sizes.off_chain(recording, bench.text_of(recording.tokens)) for recording in sold)
        ),
        saves,
        value(cheating, honest, share, _a_cheat(attack.saves, bench.numerics, attack.share), bench.effort),
    )


def _a_cheat(saves: Saving, numerics: NumericsClass, share: float) -> float:
    """What one cheated answer saves: a mixture's saving is stated over all its answers."""
    return saves.of(numerics) / share


def _decided(tried: Sequence[Sequence[Trial]]) -> tuple[float, int] | None:
    """Mean and 90 % point of the positions after which failing answers had failed."""
    found = sorted(
        trial.decided for one in tried for trial in one if trial.failed and trial.decided is not None
    )
    return (statistics.mean(found), found[(len(found) * 9 - 1) // 10]) if found else None


def _rate(rate: Rate) -> dict[str, float]:
    return {"k": rate.hits, "n": rate.trials, "low": round(rate.low, 5), "high": round(rate.high, 5)}
