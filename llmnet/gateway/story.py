"""Sentences from the facts of `explain`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmnet.chain import ss58_encode

from .amounts import tokens

NAT = 256
SLASH_AT = 5120
_AMOUNTS = ("amount", "fee", "paid", "refunded", "forfeited", "restored", "returned", "bond")
Facts = dict[str, Any]

REASONS = {
    "Clean": "nothing wrong was found",
    "Positions": "too many positions lie too far from the reference: it was not computed as promised",
    "SelfConsistency": "a leaf is malformed, or its token does not follow from its own candidates",
    "Token": "a leaf names another token than the one that was delivered",
    "Margin": "too many tokens are not those that the reference would have sampled",
    "ReceiptMissed": "the worker did not open the receipt in time",
    "LeavesMissed": "the worker did not open the leaves in time",
    "Withheld": "a quorum of validators was refused the data",
    "NoQuorum": "fewer references than a quorum",
    "Disagreement": "the references contradict each other",
    "NotCalibrated": "the model has no calibration, or it has expired",
    "Abandoned": "the worker was removed meanwhile",
    "Overturned": "a larger panel found that the worker had been right",
    "Accumulated": "with what was found in earlier answers, which passed alone as this one would have, it is enough for a slash",
    "Planted": "the answer was wrong on purpose, to see whether the panel looks",
}
STAGES = {
    "drawn": "the worker has to open the receipt",
    "receipt_opened": "the validators compute their references",
    "referenced": "the worker has to open its leaves",
    "leaves_opened": "the validators reveal their references",
    "decided": "decided",
}


def name_of(account: str) -> str:
    """The address of an account given as hex."""
    return ss58_encode(bytes.fromhex(account[2:]))


def narrate(facts: Facts, name: Callable[[str], str] = name_of) -> list[str]:
    """One line a fact, in the order in which it happened."""
    return [
        *_session(facts["session"], name),
        *_answer(facts["answer"]),
        *_batch(facts),
        *_audit(facts, name),
        *_evidence(facts["evidence"]),
        *_outcome(facts["outcome"]),
        *_reviews(facts.get("reviews", []), name),
        *_money(facts["money"], name),
        *(f"Note: {line}." for line in facts.get("disorder", [])),
    ]


def _session(session: Facts, name: Callable[[str], str]) -> list[str]:
    price_in, price_out = tokens(int(session["price_in"])), tokens(int(session["price_out"]))
    return [
        f"Session {session['number']}: {name(session['requester'])} pays {name(session['worker'])} for answers of "
        f"{session['model'] or session['spec_id']}, {price_in} in and {price_out} out per 1,000 tokens.",
        f"Opened in block {session['opened_at']}, {session['status'].lower()} now; {tokens(int(session['claimed']))} of "
        f"{tokens(int(session['escrow']))} tokens in escrow are claimed.",
    ]


def _answer(answer: Facts) -> list[str]:
    lines = [f"Answer {answer['index']}."]
    if "price" in answer:
        lines = [
            f"Answer {answer['index']}: {answer['n_prompt']} tokens of prompt, {answer['n_out']} of answer, ended by "
            f"{answer['finish'].replace('_', ' ')}; price {tokens(int(answer['price']))}. Receipt {answer['receipt_hash']}."
        ]
    if answer.get("same_receipt_on_chain") is False:
        lines.append(
            "THE WORKER OPENED ANOTHER RECEIPT THAN IT GAVE YOU: that is equivocation, `llmnet report opened` reports it."
        )
    return lines


def _batch(facts: Facts) -> list[str]:
    batch, committed = facts["batch"], facts["answer"]["committed"]
    if batch is None:
        return (
            [f"Committed in a batch that blocks since {facts['searched_from']} do not show."]
            if committed
            else ["Not committed yet: the worker cannot be paid for it before it is."]
        )
    state = "" if batch["state"] is None else f"; the batch is {batch['state'].lower()}"
    return [
        f"Committed in block {batch['block']} (epoch {batch['epoch']}) among {batch['receipts']} answers under root "
        f"{batch['root']}{state}."
    ]


def _audit(facts: Facts, name: Callable[[str], str]) -> list[str]:
    audit = facts["audit"]
    if audit is None:
        return (
            ["Not drawn for an audit, as far as the chain remembers."] if facts["answer"]["committed"] else []
        )
    lines = [
        f"Audit {audit['number']} drew it: {STAGES[audit['stage']]}"
        + ("." if audit["stage"] == "decided" else f" (until block {audit['deadline']}).")
    ]
    if audit["positions"]:
        lines.append("Positions looked at: " + ", ".join(map(str, audit["positions"])) + ".")
    lines += [f"  validator {name(member['validator'])} {_member(member)}." for member in audit["panel"]]
    return lines


def _member(member: Facts) -> str:
    if member["commitment"] is None:
        return "has committed nothing"
    if member["commitment"] == "withheld":
        return "reported that the worker withheld the data"
    return f"committed {member['commitment']}" + (" and revealed it" if member["revealed"] else "")


def _evidence(evidence: list[Facts] | None) -> list[str]:
    if not evidence:
        return []
    return [
        "Evidence by position, recomputed from what both sides published (nat; above 0 speaks against the worker):"
    ] + [
        f"  {row['position']:>5}: {row['evidence'] / NAT:+.2f}, squared distances {row['d2_logit']} (logits) and "
        f"{row['d2_hidden']} (hidden), token {row['margin'].replace('_', ' ')}"
        + ("" if row["self_consistent"] else ", NOT SELF-CONSISTENT")
        + ("" if row["token_matches"] else ", ANOTHER TOKEN")
        for row in evidence
    ]


def _outcome(outcome: Facts | None) -> list[str]:
    if outcome is None:
        return []
    position, margin = outcome["position_evidence"] / NAT, outcome["margin_evidence"] / NAT
    totals = max(outcome["position_total"], outcome["margin_total"])
    return [
        f"Verdict in block {outcome['block']}: {outcome['verdict'].upper()}, {REASONS.get(outcome['reason'], outcome['reason'])}.",
        f"It added {position:+.2f} (positions) and {margin:+.2f} (margin) nat; the worker stood at {totals / NAT:.2f} of "
        f"{SLASH_AT / NAT:.0f} afterwards.",
    ]


_ENDINGS = {
    (
        "challenge",
        "Failed",
    ): "the answer failed after all: the challenger has its bond back and a tenth of the fine",
    ("challenge", "Passed"): "the answer stands, the challenger's bond is lost",
    ("appeal", "Failed"): "the verdict stands, the worker's bond is lost",
    ("appeal", "Passed"): "the verdict was taken back, and those whose references had failed it were fined",
    ("plant", "Failed"): "the first panel had looked away and was fined, these five got the jackpot",
    ("plant", "Passed"): "nothing was wrong: the planter's bond is lost",
}


def _reviews(reviews: list[Facts], name: Callable[[str], str]) -> list[str]:
    lines = []
    for review in reviews:
        where = f" at positions {', '.join(map(str, review['positions']))}" if review["positions"] else ""
        head = f"Review {review['number']}: {review['kind']} of audit {review['of']} by {name(review['by'])}{where}"
        if review["verdict"] is None:
            stage = STAGES.get(review["stage"], review["stage"])
            lines.append(f"{head}, bond {tokens(int(review['bond']))}: {stage}.")
        else:
            end = _ENDINGS.get((review["kind"], review["verdict"]), "no verdict, the bond is back")
            lines.append(
                f"{head}: {review['verdict'].upper()} in block {review['block']} "
                f"({REASONS.get(review['reason'], review['reason'])}); {end}."
            )
    return lines


def _money(money: list[Facts] | None, name: Callable[[str], str]) -> list[str]:
    if money is None:
        return ["What money moved then, this node does not remember: ask one that keeps old states."]
    return money_lines(money, name)


def money_lines(money: list[Facts], name: Callable[[str], str] = name_of) -> list[str]:
    """One line an event."""
    lines = []
    for row in money:
        parts = []
        for key, value in row.items():
            if key in ("block", "event"):
                continue
            shown = name(value) if value.startswith("0x") and len(value) == 66 else value
            amount = key in _AMOUNTS and value.isdigit()
            parts.append(f"{key} {tokens(int(value)) if amount else shown}")
        lines.append(f"Block {row['block']}: {row['event']} ({', '.join(parts)}).")
    return lines
