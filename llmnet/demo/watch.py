"""Turns the chain's events into what the demo shows."""

from __future__ import annotations

from collections import Counter

from llmnet.chain import Event

from .report import Point, WorkerResult


class Watcher:
    """Keeps the score of every worker from finalised events."""

    def __init__(self, workers: dict[bytes, WorkerResult]) -> None:
        self.workers = workers
        self.open_audits: dict[int, bytes] = {}
        self.batches: Counter[str] = Counter()

    def take(self, event: Event) -> str | None:
        """Count an event; returns a line for people, or None if it is of no interest."""
        handler = getattr(self, f"_on_{event.pallet}_{event.name}", None)
        return None if handler is None else handler(event)

    def _name(self, who: bytes) -> str:
        return self.workers[who].name if who in self.workers else "0x" + who.hex()[:8]

    def _on_SpotChecks_BatchCommitted(self, event: Event) -> str:  # noqa: N802 - the chain's names
        return f"{self._name(event.fields['worker'])} committed {event.fields['receipts']} answers"

    def _on_SpotChecks_AuditDrawn(self, event: Event) -> str:  # noqa: N802
        self.open_audits[event.fields["audit"]] = event.fields["worker"]
        return f"audit {event.fields['audit']} drawn: an answer of {self._name(event.fields['worker'])}"

    def _on_SpotChecks_Decided(self, event: Event) -> str:  # noqa: N802
        fields = event.fields
        self.open_audits.pop(fields["audit"], None)
        verdict, reason = fields["verdict"].name, fields["reason"].name
        if fields["worker"] in self.workers:
            names = ("position_evidence", "margin_evidence", "position_total", "margin_total")
            point = Point(event.block_number, verdict, reason, *(fields[name] for name in names))
            self.workers[fields["worker"]].points.append(point)
        return f"audit {fields['audit']}: {self._name(fields['worker'])} {verdict.lower()} ({reason})"

    def _on_SpotChecks_WorkerFined(self, event: Event) -> str:  # noqa: N802
        if event.fields["worker"] in self.workers:
            self.workers[event.fields["worker"]].fined += event.fields["amount"]
        return f"{self._name(event.fields['worker'])} fined"

    def _on_SpotChecks_WorkerSlashed(self, event: Event) -> str:  # noqa: N802
        if event.fields["worker"] in self.workers:
            self.workers[event.fields["worker"]].slashed += event.fields["amount"]
        return f"{self._name(event.fields['worker'])} SLASHED and removed"

    def _on_SpotChecks_ReferenceRejected(self, event: Event) -> str:  # noqa: N802
        return f"audit {event.fields['audit']}: a validator's reference was out of band"

    def _on_SpotChecks_AuditSkipped(self, event: Event) -> str:  # noqa: N802
        return f"no audit of {self._name(event.fields['worker'])}: {event.fields['reason'].name}"

    def _on_Sessions_Cleared(self, event: Event) -> str | None:  # noqa: N802
        if event.fields["worker"] not in self.workers or not event.fields["amount"]:
            return None
        self.workers[event.fields["worker"]].earned += event.fields["amount"]
        return f"{self._name(event.fields['worker'])} was paid"

    def finished(self, answers: int) -> bool:
        """Whether every worker has been slashed, or has been paid after audits of all its answers."""
        return all(
            worker.slashed > 0 or (len(worker.points) >= answers and worker.earned > 0)
            for worker in self.workers.values()
        )
