"""How the work stands: tweets and batches by state, the oldest waiting, the rate, workers and failures."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db import clock, ledger, workers
from db.bulk import cardinality
from db.model_versions import active_id
from db.tables import Annotation, Batch, HourCount, Tweet

_RATE_WINDOW = 60.0  # seconds
_LATELY = 60.0  # seconds within which a worker's heartbeat counts


@dataclass(frozen=True)
class Failure:
    """A tweet that could not be tagged."""

    tweet_id: int
    model_version_id: int
    error: str


@dataclass(frozen=True)
class Status:
    """Counts at one moment. Times are in seconds, the rate in tweets a second over the last minute."""

    tweets: int
    tweets_waiting: int
    active_version: int | None
    read: dict[int, dict[str, int]]  # model version, the active one always -> done and dead tweets
    spans: int
    batches: dict[str, int]
    oldest_waiting_seconds: float | None
    tweets_per_second: float
    workers: dict[str, float]  # name -> seconds since its heartbeat
    failures: list[Failure]
    troubled: dict[int, str]  # batches that wait after an error -> the error


def read_status(session: Session, failures: int = 5) -> Status:
    """Count everything; `failures` limits how many of the latest are named."""
    batches = _counts(session, Batch.status)
    now = clock.read(session)
    is_open = Batch.status.in_(ledger.OPEN)
    lately = and_(Batch.finished_at > now - _RATE_WINDOW, Batch.status == ledger.DONE)
    oldest = oldest_open(session)
    active = active_id(session)
    finished = session.scalar(select(func.sum(_size(session))).where(lately)) or 0
    return Status(
        tweets=session.scalar(select(func.count()).select_from(Tweet)) or 0,
        tweets_waiting=session.scalar(select(func.sum(_size(session))).where(is_open)) or 0,
        active_version=active,
        read=_read_by_version(session, active),
        spans=session.scalar(select(func.sum(HourCount.mentions))) or 0,
        batches=batches,
        oldest_waiting_seconds=None if oldest is None else now - oldest,
        tweets_per_second=finished / _RATE_WINDOW,
        workers=workers.heartbeats(session, _LATELY),
        failures=list(_failures(session, failures)),
        troubled=_troubled(session, failures),
    )


def _counts(session: Session, column: InstrumentedAttribute[str]) -> dict[str, int]:
    rows = session.execute(select(column, func.count()).group_by(column))
    return {value: count for value, count in rows}


def oldest_open(session: Session) -> float | None:
    """Return when the oldest batch that waits or is leased was queued, in seconds since 1970."""
    return session.scalars(select(func.min(Batch.created_at)).where(Batch.status.in_(ledger.OPEN))).one()


def _read_by_version(session: Session, active: int | None) -> dict[int, dict[str, int]]:
    """Count by the maintained counts, and the dead by an index that holds no others."""
    done = select(HourCount.model_version_id, func.sum(HourCount.tweets)).group_by(HourCount.model_version_id)
    dead = select(Annotation.model_version_id, func.count()).where(Annotation.status == "dead")
    found = {} if active is None else {active: {"done": 0, "dead": 0}}
    for status, counted in (("done", done), ("dead", dead.group_by(Annotation.model_version_id))):
        for version_id, count in session.execute(counted):
            found.setdefault(version_id, {"done": 0, "dead": 0})[status] = int(count)
    return dict(sorted(found.items()))


def _size(session: Session) -> ColumnElement[int]:
    """The number of tweets in a batch."""
    return cardinality(session, Batch.tweet_ids)


def _failures(session: Session, limit: int) -> Sequence[Failure]:
    dead = select(Annotation).where(Annotation.status == "dead").order_by(Annotation.annotated_at.desc()).limit(limit)
    return [Failure(one.tweet_id, one.model_version_id, one.error or "") for one in session.scalars(dead)]


def _troubled(session: Session, limit: int) -> dict[int, str]:
    waits = and_(Batch.status.in_(ledger.OPEN), Batch.error.is_not(None))
    rows = session.execute(select(Batch.id, Batch.error).where(waits).order_by(Batch.id).limit(limit))
    return {batch_id: error or "" for batch_id, error in rows}
