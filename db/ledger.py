"""The ledger: batches of tweets to be tagged, and who has them. Redis hands batches out; this decides who owns one.

A batch is claimed by one conditional UPDATE that writes the claimer's token, and finished only with that token, so that
a worker whose lease ran out cannot write over the one that took its place. Attempts are counted before the work: a
transient failure gives its attempt back, so what remains counts the ends that may lie in the batch itself: a kill, a
crash, an error that a retry is not sure to mend.

Whoever claims makes the token, and an ended batch keeps it: an answer of the database that was lost on the way does
no harm, since `claim` and `finish` may be called again with the same token.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, Update, and_, case, exists, func, insert, null, or_, select, update
from sqlalchemy.orm import Session

from db import clock
from db.bulk import elements
from db.model_versions import ACTIVE
from db.tables import Batch, Job, ModelAlias
from tagging.errors import ModelVersionError

WAITING, LEASED, DONE, DEAD, SPLIT, CANCELLED = "waiting", "leased", "done", "dead", "split", "cancelled"
OPEN = (WAITING, LEASED)
BATCH_SIZE = 2048  # tweets; see docs/decisions/batch-size.md
FAILURES_BEFORE_SPLIT = 2
FAILURES_BEFORE_DEATH = 3  # of a tweet that is alone in its batch
SPLIT_WAYS = 16


@dataclass(frozen=True)
class Claim:
    """A batch that this process owns until its lease runs out. `attempt` counts from 1."""

    batch_id: int
    job_id: int
    token: str
    model_version_id: int
    tweet_ids: list[int]
    attempt: int
    is_child: bool
    setbacks: int = 0  # how often it was given back after an error
    error: str | None = None  # what went wrong the last time, if that is known
    traceparent: str | None = None  # of the trace that its job was queued in

    @property
    def failed_before(self) -> bool:
        """Whether an attempt at it ended badly before, or one at the batch that it is a part of."""
        return self.is_child or self.attempt > 1

    @property
    def is_suspect(self) -> bool:
        """Whether the batch failed so often that it must be split (or, a single tweet, be given up)."""
        if len(self.tweet_ids) == 1:
            return self.attempt > FAILURES_BEFORE_DEATH
        return self.attempt > (1 if self.is_child else FAILURES_BEFORE_SPLIT)


def add_batches(
    session: Session,
    job_id: int,
    tweet_ids: Sequence[int],
    size: int = BATCH_SIZE,
    version_id: int | None = None,
) -> dict[int, list[int]]:
    """Cut tweets into batches of at most `size` that wait, and return the tweets of each by its id.

    They are for a model version, or each for the one that is active when it is first claimed.
    """
    parts = [list(tweet_ids[start : start + size]) for start in range(0, len(tweet_ids), size)]
    if not parts:
        return {}
    waiting = {"job_id": job_id, "model_version_id": version_id, "status": WAITING, "created_at": clock.read(session)}
    statement = insert(Batch).returning(Batch.id, sort_by_parameter_order=True)
    ids = session.scalars(statement, [{**waiting, "tweet_ids": part} for part in parts])
    return dict(zip(ids, parts, strict=True))


def written_after(session: Session, job_id: int, batch_id: int) -> dict[int, list[int]]:
    """Return the batches of a job above an id, parts of others left out: the tweets of each by its id."""
    written = select(Batch.id, Batch.tweet_ids).where(Batch.id > batch_id, Batch.job_id == job_id)
    return {row.id: list(row.tweet_ids) for row in session.execute(written.where(Batch.parent_id.is_(None)))}


def new_token() -> str:
    """Make a token for a claim."""
    return str(uuid.uuid4())


def version_of(session: Session, batch_id: int) -> int | None:
    """Return the model version that the batch would be tagged with now; None if it is not open.

    Raises ModelVersionError if it is for the active version and none is active.
    """
    wanted = select(func.coalesce(Batch.model_version_id, _active())).where(Batch.id == batch_id)
    row = session.execute(wanted.where(Batch.status.in_(OPEN))).one_or_none()
    return None if row is None else _known(row[0])


def is_overdue(session: Session, batch_id: int) -> bool:
    """Tell whether somebody has the batch whose lease has run out."""
    overdue = select(Batch.id).where(Batch.id == batch_id, Batch.status == LEASED, Batch.lease_expires_at < clock.now())
    return session.scalars(overdue).first() is not None


def claim(session: Session, batch_id: int, token: str, lease_seconds: float, worker: str = "") -> Claim | None:
    """Take a batch if it waits or its lease has run out; None if somebody else has it or it is done.

    With the token of a claim that counts, that claim is returned once more. The first claim fixes the model version:
    the one that is active now. A batch of a cancelled job is cancelled instead. Raises ModelVersionError if no version
    is active.
    """
    is_waiting = and_(Batch.status == WAITING, delay_is_over(clock.now()))
    is_mine = and_(Batch.status == LEASED, Batch.lease_token == token)
    is_expired = and_(Batch.status == LEASED, Batch.lease_expires_at < clock.now())
    is_cancelled = exists().where(Job.id == Batch.job_id, Job.cancelled_at.is_not(None))
    row = session.execute(
        update(Batch)
        .where(Batch.id == batch_id, or_(is_waiting, is_expired, is_mine))
        .values(
            status=case((is_cancelled, CANCELLED), else_=LEASED),
            attempts=Batch.attempts + case((is_mine, 0), else_=1),
            lease_token=token,
            leased_by=worker,
            lease_expires_at=clock.now() + lease_seconds,
            finished_at=case((is_cancelled, clock.now()), else_=null()),
            model_version_id=func.coalesce(Batch.model_version_id, _active()),
            error=case((is_expired, null()), else_=Batch.error),  # of an end that nobody explained
        )
        .returning(
            Batch.id,
            Batch.job_id,
            Batch.status,
            Batch.model_version_id,
            Batch.tweet_ids,
            Batch.attempts,
            Batch.parent_id,
            Batch.setbacks,
            Batch.error,
            select(Job.traceparent).where(Job.id == Batch.job_id).scalar_subquery().label("traceparent"),
        )
    ).one_or_none()
    if row is None or row.status == CANCELLED:
        return None
    return Claim(
        row.id,
        row.job_id,
        token,
        _known(row.model_version_id),
        list(row.tweet_ids),
        row.attempts,
        row.parent_id is not None,
        row.setbacks,
        row.error,
        row.traceparent,
    )


def renew(session: Session, claimed: Claim, lease_seconds: float) -> bool:
    """Put the end of the lease `lease_seconds` from now; False if the batch is no longer ours."""
    return _change(session, _owned(claimed).values(lease_expires_at=clock.now() + lease_seconds))


def finish(session: Session, claimed: Claim) -> bool:
    """Mark the batch done. False if it is no longer ours, and then nothing else of it may be written."""
    if _change(session, _ended(claimed, DONE).values(error=None)):
        return True
    mine = (Batch.id == claimed.batch_id, Batch.status == DONE, Batch.lease_token == claimed.token)
    return session.scalars(select(Batch.id).where(*mine)).first() is not None


def bury(session: Session, claimed: Claim, error: str) -> bool:
    """Mark the batch dead with its error; False if it is no longer ours."""
    return _change(session, _ended(claimed, DEAD).values(error=error))


def count_dead(session: Session, claimed: Claim, tweets: int) -> None:
    """Note with an ended batch how many tweets it marked dead; nothing with 0, since a finish may be repeated."""
    if tweets:
        session.execute(update(Batch).where(Batch.id == claimed.batch_id).values(dead_tweets=tweets))


def give_back(session: Session, claimed: Claim, error: str | None = None, delay: float = 0.0) -> bool:
    """Let the batch wait again, `delay` seconds at least, its attempt uncounted: the end is explained."""
    setback = 0 if error is None else 1
    changes = {"attempts": Batch.attempts - 1, "setbacks": Batch.setbacks + setback, "error": error}
    return _change(session, _owned(claimed).values(**_waiting(delay), **changes))


def fail(session: Session, claimed: Claim, error: str, delay: float = 0.0) -> bool:
    """Let the batch wait again, its attempt counted: something in it failed that no retry is sure to mend."""
    return _change(session, _owned(claimed).values(**_waiting(delay), error=error))


def held(session: Session, worker: str) -> dict[int, str]:
    """Return the batches that processes of a worker have in their hands, each with its process ("worker/process")."""
    mine = (Batch.status == LEASED, Batch.leased_by.startswith(f"{worker}/", autoescape=True))
    rows = session.execute(select(Batch.id, Batch.leased_by).where(*mine))
    return {batch_id: holder or "" for batch_id, holder in rows}


def fail_orphan(session: Session, batch_id: int, worker: str, error: str) -> bool:
    """Let a batch wait again, its attempt counted, if this process has it: it died."""
    orphan = update(Batch).where(Batch.id == batch_id, Batch.status == LEASED, Batch.leased_by == worker)
    return _change(session, orphan.values(**_waiting(0.0), error=error))


def note_error(session: Session, batch_id: int, error: str) -> None:
    """Say with a batch that waits what happened to the process that was to claim it, which costs it no attempt."""
    session.execute(update(Batch).where(Batch.id == batch_id, Batch.status == WAITING).values(error=error))


def split(session: Session, claimed: Claim, error: str) -> bool:
    """Replace the batch by up to SPLIT_WAYS children of the same version; False if it is no longer ours."""
    if not _change(session, _ended(claimed, SPLIT).values(error=error)):
        return False
    job_id = session.scalars(select(Batch.job_id).where(Batch.id == claimed.batch_id)).one()
    for tweet_ids in _parts(claimed.tweet_ids):
        session.execute(
            insert(Batch).values(
                job_id=job_id,
                parent_id=claimed.batch_id,
                model_version_id=claimed.model_version_id,
                tweet_ids=tweet_ids,
                status=WAITING,
                attempts=0,
                created_at=clock.now(),
            )
        )
    return True


def withdraw(session: Session, tweet_ids: Collection[int]) -> None:
    """Take tweets out of the open batches. Whoever is tagging one is not disturbed. Reads every open batch."""
    gone = set(tweet_ids)
    holds_one = exists().where(elements(session, Batch.tweet_ids).in_(gone))
    affected = select(Batch.id, Batch.tweet_ids).where(Batch.status.in_(OPEN), holds_one).order_by(Batch.id)
    for batch_id, batch_ids in session.execute(affected.with_for_update()).all():
        left = [tweet_id for tweet_id in batch_ids if tweet_id not in gone]
        session.execute(update(Batch).where(Batch.id == batch_id).values(tweet_ids=left))


def is_empty(session: Session, version_id: int | None = None) -> bool:
    """Tell whether no batch waits or is leased: none at all, or none that is bound to a model version."""
    open_batch = select(Batch.id).where(Batch.status.in_(OPEN)).limit(1)
    if version_id is not None:
        open_batch = open_batch.where(Batch.model_version_id == version_id)
    return session.scalars(open_batch).first() is None


def open_batches(session: Session, limit: int) -> int:
    """Count the batches that wait or are leased, up to `limit`: no more rows than that are looked at."""
    some = select(Batch.id).where(Batch.status.in_(OPEN)).limit(limit).subquery()
    return session.scalars(select(func.count()).select_from(some)).one()


def delay_is_over(now: float | ColumnElement[float]) -> ColumnElement[bool]:
    """Return the SQL for a batch that need not wait, or no longer, after an error."""
    return or_(Batch.next_attempt_at.is_(None), Batch.next_attempt_at <= now)


def _owned(claimed: Claim) -> Update:
    """Address the batch only while the claim's token is the one that counts: the fence."""
    return update(Batch).where(Batch.id == claimed.batch_id, Batch.status == LEASED, Batch.lease_token == claimed.token)


def _ended(claimed: Claim, status: str) -> Update:
    return _owned(claimed).values(status=status, finished_at=clock.now(), lease_expires_at=None)


def _waiting(delay: float) -> dict[str, object]:
    return {
        "status": WAITING,
        "lease_token": None,
        "lease_expires_at": None,
        "published_at": None,
        "next_attempt_at": clock.now() + delay if delay else None,
    }


def _active() -> ScalarSelect[int]:
    return select(ModelAlias.model_version_id).where(ModelAlias.name == ACTIVE).scalar_subquery()


def _known(version_id: int | None) -> int:
    if version_id is None:
        raise ModelVersionError("no model version is active; run `tweetspan train`, or `tweetspan models activate N`")
    return version_id


def _change(session: Session, statement: Update) -> bool:
    return session.execute(statement.returning(Batch.id)).first() is not None


def _parts(tweet_ids: Sequence[int]) -> list[list[int]]:
    size = -(-len(tweet_ids) // SPLIT_WAYS)
    return [list(tweet_ids[start : start + size]) for start in range(0, len(tweet_ids), size)]
