"""Which batches are due to be put in Redis: those that nobody works on and that no message there tells of."""

from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from db import clock
from db.ledger import LEASED, OPEN, WAITING, delay_is_over
from db.tables import Batch


def take_recovered(session: Session, limit: int, republish_after: float, queued: Collection[int] = ()) -> list[int]:
    """Pick up to `limit` batches that were in Redis before and should be again, mark them published, return their ids.

    Leases that ran out first, then messages that were not claimed for `republish_after` seconds (lost on the way).
    `queued` are the batches whose message was seen in Redis. On PostgreSQL several dispatchers pick different rows.
    """
    return _take(session, _recovered_conditions(clock.read(session), republish_after), limit, queued)


def take_new(session: Session, limit: int, queued: Collection[int] = ()) -> list[int]:
    """Pick up to `limit` batches that were never published since they wait, oldest first, otherwise likewise."""
    return _take(session, [_is_new(clock.read(session))], limit, queued) if limit > 0 else []


def forget_published(session: Session, before: float) -> None:
    """Count no batch as published that was before a time: Redis has been found empty, so those messages are lost."""
    lost = and_(Batch.status.in_(OPEN), Batch.published_at < before)
    session.execute(update(Batch).where(lost).values(published_at=None))


def _take(
    session: Session, conditions: Iterable[ColumnElement[bool]], limit: int, queued: Collection[int]
) -> list[int]:
    due: list[int] = []
    for condition in conditions:
        if len(due) < limit:
            rows = select(Batch.id).where(condition, Batch.id.not_in(queued)).order_by(Batch.published_at, Batch.id)
            due.extend(session.scalars(rows.limit(limit - len(due)).with_for_update(skip_locked=True)))
    if due:
        session.execute(update(Batch).where(Batch.id.in_(due)).values(published_at=clock.now()))
    return due


def _recovered_conditions(now: float, republish_after: float) -> Iterator[ColumnElement[bool]]:
    """The time is a number: PostgreSQL looks up no index for a clock that runs on."""
    long_ago = now - republish_after
    not_since_expiry = or_(
        Batch.published_at.is_(None), Batch.published_at < Batch.lease_expires_at, Batch.published_at < long_ago
    )
    yield and_(Batch.status == LEASED, Batch.lease_expires_at < now, not_since_expiry)
    yield and_(Batch.status == WAITING, Batch.published_at < long_ago, delay_is_over(now))


def _is_new(now: float) -> ColumnElement[bool]:
    return and_(Batch.status == WAITING, Batch.published_at.is_(None), delay_is_over(now))
