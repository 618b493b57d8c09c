"""Other ways of checking an answer, on the same runs as ours: what they catch, and what they cost.

Methods    Rival: commit(run) -> bytes, check(bytes, own run) -> Check(score, rejected), fitted(honest) -> Rival
           Evidence, SketchDistance, MarginAlone (ours and its halves), Toploc, TopLogprobs(k), TokenReplay; rivals(): all
Runs       Run(leaves, spec, request_seed, temperature, states); Answer(id, worker, own)
Judging    class_scores({variant: answers}) -> scores; compare({class: scores}) -> comparison.json
Errors     RivalError > BadCommitment, BadScores, NothingToCompare

`python -m llmnet.redteam.rivals` does it from recordings.
"""

from __future__ import annotations

from llmnet.redteam.rivals.base import Check, Honest, Rival, Run
from llmnet.redteam.rivals.comparing import compare
from llmnet.redteam.rivals.errors import BadCommitment, BadScores, NothingToCompare, RivalError
from llmnet.redteam.rivals.scores import Answer, class_scores, read_scores, rivals, write_scores

__all__ = [
    "Answer",
    "BadCommitment",
    "BadScores",
    "Check",
    "Honest",
    "NothingToCompare",
    "Rival",
    "RivalError",
    "Run",
    "class_scores",
    "compare",
    "read_scores",
    "rivals",
    "write_scores",
]
