"""What a monitor asks every few seconds: from maintained counts and small indexes, however much is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db import clock, events, ledger, model_versions, workers
from db.events import Event
from db.status import oldest_open
from db.tables import Annotation, Batch, HourCount

_REMEMBERED = 3600.0  # seconds without a heartbeat after which a worker that did not sign off is no longer shown


@dataclass(frozen=True)
class Metrics:
    """Counts at one moment; those by a number are by model version. Times are in seconds."""

    batches: Mapping[str, int]  # by status
    overdue: int  # batches whose lease has run out and which nobody has taken over yet
    leased: Mapping[int, int]  # batches in the hands of workers
    oldest_waiting_seconds: float  # since the oldest open batch was queued, 0 if none is open
    read: Mapping[int, int]  # tweets
    spans: Mapping[int, int]
    dead: Mapping[int, int]  # tweets
    active: int | None
    heartbeats: Mapping[str, float]  # worker -> seconds since its last
    events: Mapping[Event, float]

    @property
    def workers(self) -> int:
        """The workers that live."""
        return sum(seconds < workers.SILENT for seconds in self.heartbeats.values())


def read_metrics(session: Session) -> Metrics:
    """Read everything at once."""
    now, oldest = clock.read(session), oldest_open(session)
    is_overdue = (Batch.status == ledger.LEASED, Batch.lease_expires_at < now)
    return Metrics(
        batches=_number(session, Batch.status),
        overdue=session.scalars(select(func.count()).select_from(Batch).where(*is_overdue)).one(),
        leased=_number(session, Batch.model_version_id, Batch.status == ledger.LEASED),
        oldest_waiting_seconds=0.0 if oldest is None else max(0.0, now - oldest),
        read=_sum(session, HourCount.tweets),
        spans=_sum(session, HourCount.mentions),
        dead=_number(session, Annotation.model_version_id, Annotation.status == "dead"),
        active=model_versions.active_id(session),
        heartbeats=workers.heartbeats(session, _REMEMBERED),
        events=events.totals(session),
    )


def _number(session: Session, column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]) -> dict[Any, int]:
    counted = select(column, func.count()).where(*conditions).group_by(column)
    return {value: count for value, count in session.execute(counted)}


def _sum(session: Session, column: InstrumentedAttribute[int]) -> dict[int, int]:
    summed = select(HourCount.model_version_id, func.sum(column)).group_by(HourCount.model_version_id)
    return {version_id: int(total) for version_id, total in session.execute(summed)}
