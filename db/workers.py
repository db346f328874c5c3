"""Heartbeats of workers."""

from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from db import clock
from db.tables import Worker

SILENT = 10.0  # seconds without a heartbeat after which a worker is in doubt; it beats every two


def beat(session: Session, name: str) -> None:
    """Note that the worker lives."""
    now = clock.now()
    seen = update(Worker).where(Worker.name == name).values(seen_at=now, stopped_at=None).returning(Worker.name)
    if session.execute(seen).first() is None:
        session.execute(insert(Worker).values(name=name, started_at=now, seen_at=now))


def stop(session: Session, name: str) -> None:
    """Note that the worker ended as it should."""
    session.execute(update(Worker).where(Worker.name == name).values(stopped_at=clock.now()))


def heartbeats(session: Session, seconds: float) -> dict[str, float]:
    """Return the seconds since the heartbeat of each worker that did not stop and was seen within so many."""
    now = clock.read(session)
    return {one.name: max(0.0, now - one.seen_at) for one in seen_within(session, seconds)}


def seen_within(session: Session, seconds: float) -> Sequence[Worker]:
    """Return the workers that did not stop and were seen within so many seconds."""
    lately = select(Worker).where(Worker.stopped_at.is_(None), Worker.seen_at > clock.now() - seconds)
    return session.scalars(lately.order_by(Worker.name)).all()
