"""Jobs: batches that were queued together, how far they are, and how to stop them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from db import clock
from db.bulk import cardinality
from db.ledger import CANCELLED, DEAD, DONE, LEASED, OPEN, SPLIT, WAITING
from db.tables import Batch, Job
from tagging.errors import JobError


@dataclass(frozen=True)
class Progress:
    """How far a job is; the counts are of tweets. `created_at` is in seconds since 1970.

    `state` is running, done or cancelled; a cancelled job may still have batches in the hands of workers.
    """

    job_id: int
    name: str
    created_at: float
    state: str
    waiting: int
    leased: int
    done: int
    dead: int
    cancelled: int

    @property
    def open(self) -> int:
        """Tweets that wait or are being tagged."""
        return self.waiting + self.leased

    @property
    def total(self) -> int:
        """All tweets of the job."""
        return self.open + self.done + self.dead + self.cancelled


def open_job(session: Session, name: str, token: str | None = None, traceparent: str | None = None) -> int:
    """Write a job and return its id. Whoever opens it may make a token, to find it where this answer is lost, and name
    the trace that it belongs to."""
    values = {"name": name, "token": token, "created_at": clock.now(), "traceparent": traceparent}
    return session.scalars(insert(Job).values(**values).returning(Job.id)).one()


def with_token(session: Session, token: str) -> int | None:
    """Return the id of the job that was opened with a token, None if none was."""
    return session.scalars(select(Job.id).where(Job.token == token)).one_or_none()


def find(session: Session, name: str) -> int:
    """Return the id of a job by its number, or of the newest with that name. Raises JobError if there is none."""
    if name.isdecimal() and len(name) < 19 and session.get(Job, int(name)) is not None:
        return int(name)
    newest = session.scalars(select(Job.id).where(Job.name == name).order_by(Job.id.desc()).limit(1)).first()
    if newest is None:
        raise JobError(f"there is no job {name!r}; see `tweetspan jobs list`")
    return newest


def progress(session: Session, job_id: int) -> Progress:
    """Return how far one job is."""
    return _progress(session, [session.get_one(Job, job_id)])[0]


def newest(session: Session, limit: int) -> list[Progress]:
    """Return how far the newest jobs are, newest first."""
    return _progress(session, session.scalars(select(Job).order_by(Job.id.desc()).limit(limit)).all())


def cancel(session: Session, job_id: int) -> int:
    """Take the waiting batches of a job out of the queue and return how many.

    Those that are being tagged are finished; one that comes back to the queue is cancelled when it is claimed again.
    """
    session.execute(update(Job).where(Job.id == job_id, Job.cancelled_at.is_(None)).values(cancelled_at=clock.now()))
    waiting = select(Batch.id).where(Batch.job_id == job_id, Batch.status == WAITING)
    locked = waiting.order_by(Batch.id).with_for_update()  # in the order in which `withdraw` locks them
    taken = update(Batch).where(Batch.id.in_(locked)).values(status=CANCELLED, finished_at=clock.now())
    return len(session.scalars(taken.returning(Batch.id)).all())


def refuse_cancelled(session: Session, job_id: int | None) -> None:
    """Raise JobError if the job, where there is one yet, was cancelled: nothing more is queued for it."""
    if session.scalars(select(Job.cancelled_at).where(Job.id == job_id)).one_or_none() is not None:
        raise JobError(f"job {job_id} was cancelled; what was read before is stored, the rest is not")


def _progress(session: Session, found: Sequence[Job]) -> list[Progress]:
    tweets: dict[int, Counter[str]] = {job.id: Counter() for job in found}
    columns = (func.sum(cardinality(session, Batch.tweet_ids)), func.sum(Batch.dead_tweets))
    mine = select(Batch.job_id, Batch.status, *columns).where(Batch.job_id.in_(tweets), Batch.status != SPLIT)
    for job_id, status, all_of_them, dead in session.execute(mine.group_by(Batch.job_id, Batch.status)):
        tweets[job_id] += Counter({DEAD: int(dead)}) + Counter({status: int(all_of_them) - int(dead)})
    return [_of(job, tweets[job.id]) for job in found]


def _of(job: Job, tweets: Counter[str]) -> Progress:
    is_open = any(tweets[status] for status in OPEN)
    state = "cancelled" if job.cancelled_at is not None else "running" if is_open else "done"
    counts = (tweets[status] for status in (WAITING, LEASED, DONE, DEAD, CANCELLED))
    return Progress(job.id, job.name, job.created_at, state, *counts)
