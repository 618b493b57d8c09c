"""What a worker cannot have signed honestly: another receipt than it gave before, committed in a batch, or opened in an audit.

Each function gives the call that reports it, or raises ReportError that says why there is nothing to report. The worker is slashed at
once, and a tenth of the slash goes to whoever reports first (docs/protocol.md section 12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmnet import proof
from llmnet.chain import Call, Client, View
from llmnet.pallets import spot_checks
from llmnet.proof import PlacedSegment, Receipt

from .errors import ReportError
from .trail import Entry, calls, sort_out

MOST_RECEIPTS = 32  # of a segment that can be reported by its receipts alone
Signed = tuple[Receipt, bytes]


@dataclass(frozen=True, slots=True)
class CommittedSegment:
    """A segment as it stands in a batch on chain, with the proof of that."""

    worker: bytes
    epoch: int
    place: int
    placed: PlacedSegment
    proof: tuple[bytes, ...]

    @property
    def indices(self) -> range:
        """The requests that it covers."""
        return range(self.placed.segment.first, self.placed.segment.last + 1)


async def committed_segments(
    client: Client, worker: bytes, session: int, first: int, last: int
) -> list[CommittedSegment]:
    """The segments of a session in the batches of blocks `first..=last`; each is what the chain holds, not what a call asked for."""
    found = []
    for entry in await calls(client, first, last):
        found += await _of_batch(client.at(), entry, worker, session)
    return found


async def _of_batch(view: View, entry: Entry, worker: bytes, session: int) -> list[CommittedSegment]:
    if (entry.call.pallet, entry.call.function) != ("SpotChecks", "commit_batch"):
        return []
    ours = sort_out([entry], worker, session, None, None).batches
    if not ours:
        return []
    placed = proof.place_segments(ours[0][1])
    epoch = entry.block // await view.constant(spot_checks.constants.EpochLength)
    batch = await spot_checks.batch(view, worker, epoch)
    if batch is None or batch.root != proof.batch_root(placed):
        return []  # a call that failed: another batch stands in that epoch
    encoded = [item.encode() for item in placed]
    return [
        CommittedSegment(worker, epoch, place, item, tuple(proof.single_proof(encoded, place)))
        for place, item in enumerate(placed)
        if item.segment.session == session
    ]


def equivocation(worker: bytes, first: Signed, second: Signed) -> Call:
    """Two different receipts for one answer."""
    if first[0] == second[0]:
        raise ReportError("the two receipts are the same")
    answers = [(receipt.session, receipt.index) for receipt, _ in (first, second)]
    if answers[0] != answers[1]:
        raise ReportError(f"the receipts are of different answers: {answers[0]} and {answers[1]}")
    return spot_checks.report_equivocation(worker, *first, *second)


def opened(audit: int, receipt: Receipt, signed: Signed) -> Call:
    """A receipt that differs from the one opened in an audit."""
    if receipt == signed[0]:
        raise ReportError("the receipt is the one that was opened")
    return spot_checks.report_opened(audit, *signed)


def segment(committed: CommittedSegment, signed: Mapping[int, Signed]) -> Call:
    """The signed receipts of a whole segment, by index, whose root is not the committed one."""
    if len(committed.indices) > MOST_RECEIPTS:
        raise ReportError(
            f"the segment has {len(committed.indices)} answers, at most {MOST_RECEIPTS} can be reported"
        )
    missing = [index for index in committed.indices if index not in signed]
    if missing:
        raise ReportError(f"the signed receipts of answers {missing} are needed too")
    receipts = [signed[index] for index in committed.indices]
    if proof.receipts_root([receipt for receipt, _ in receipts]) == committed.placed.segment.receipts_root:
        raise ReportError("the signed receipts are those that were committed")
    place = committed.worker, committed.epoch, committed.place, committed.placed, committed.proof
    return spot_checks.report_segment(*place, receipts)


def committed(found: CommittedSegment, receipts: Sequence[Receipt], signed: Signed) -> Call:
    """A receipt that differs from the one committed for its answer; `receipts` are those of the segment as committed."""
    if [receipt.index for receipt in receipts] != list(found.indices):
        raise ReportError(
            f"all committed receipts {found.indices.start}..{found.indices.stop - 1} are needed"
        )
    if proof.receipts_root(receipts) != found.placed.segment.receipts_root:
        raise ReportError("these are not the receipts that the worker committed")
    place = signed[0].index - found.indices.start
    if not 0 <= place < len(receipts):
        raise ReportError(f"answer {signed[0].index} is not in the segment")
    if receipts[place] == signed[0]:
        raise ReportError("the receipt is the one that was committed")
    nodes = proof.single_proof([receipt.encode() for receipt in receipts], place)
    where = found.worker, found.epoch, found.place, found.placed, found.proof
    return spot_checks.report_committed(*where, receipts[place], nodes, *signed)
