"""Dead tweets: those that a version could not tag. Listed, queued again, or forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from db.tables import Annotation, Tweet

DEAD, FORGOTTEN = "dead", "forgotten"

Key = tuple[int, int]  # tweet id, model version


@dataclass(frozen=True)
class Choice:
    """Which dead tweets: all conditions must hold, None asks nothing.

    `reason` is how the error begins; `until` is in seconds since 1970, included.
    """

    tweet_ids: tuple[int, ...] | None = None
    reason: str | None = None
    model_version_id: int | None = None
    until: float | None = None


@dataclass(frozen=True)
class Reason:
    """An error, and how many tweets a version could not tag for it; `latest` is in seconds since 1970."""

    model_version_id: int
    error: str
    tweets: int
    latest: float


@dataclass(frozen=True)
class Failure:
    """A tweet that a version could not tag; `failed_at` is in seconds since 1970."""

    tweet_id: int
    model_version_id: int
    error: str
    failed_at: float
    text: str


def reasons(session: Session, choice: Choice) -> list[Reason]:
    """Group the dead tweets by version and error, the most frequent first."""
    count, latest = func.count().label("tweets"), func.max(Annotation.annotated_at)
    grouped = select(Annotation.model_version_id, Annotation.error, count, latest).where(*_conditions(choice))
    grouped = grouped.group_by(Annotation.model_version_id, Annotation.error)
    rows = session.execute(grouped.order_by(count.desc(), Annotation.model_version_id, Annotation.error))
    return [Reason(version_id, error or "", tweets, seconds) for version_id, error, tweets, seconds in rows]


def listed(session: Session, choice: Choice, limit: int) -> list[Failure]:
    """Return dead tweets with their texts, the latest first."""
    columns = (Annotation.tweet_id, Annotation.model_version_id, Annotation.error, Annotation.annotated_at, Tweet.text)
    chosen = select(*columns).join(Tweet, Tweet.id == Annotation.tweet_id).where(*_conditions(choice))
    rows = session.execute(chosen.order_by(Annotation.annotated_at.desc(), Annotation.tweet_id).limit(limit))
    return [Failure(tweet_id, version_id, error or "", at, text) for tweet_id, version_id, error, at, text in rows]


def pick(session: Session, choice: Choice, limit: int) -> list[Key]:
    """Return the keys of up to `limit` dead tweets, those of one version together."""
    chosen = select(Annotation.tweet_id, Annotation.model_version_id).where(*_conditions(choice))
    rows = session.execute(chosen.order_by(Annotation.model_version_id, Annotation.tweet_id).limit(limit))
    return [(row.tweet_id, row.model_version_id) for row in rows]


def revive(session: Session, keys: Sequence[Key]) -> list[Key]:
    """Take the marks off dead tweets, so that they can be read again; return those that were still dead."""
    gone = delete(Annotation).where(_is_one_of(keys), Annotation.status == DEAD)
    rows = session.execute(gone.returning(Annotation.tweet_id, Annotation.model_version_id))
    return sorted((row.tweet_id, row.model_version_id) for row in rows)


def forget(session: Session, keys: Sequence[Key]) -> int:
    """Stop listing dead tweets; their marks stay, so they are not read again. Return how many were still dead."""
    forgotten = update(Annotation).where(_is_one_of(keys), Annotation.status == DEAD).values(status=FORGOTTEN)
    return len(session.execute(forgotten.returning(Annotation.tweet_id)).all())


def _conditions(choice: Choice) -> list[ColumnElement[bool]]:
    conditions = [Annotation.status == DEAD]
    if choice.tweet_ids is not None:
        conditions.append(Annotation.tweet_id.in_(choice.tweet_ids))
    if choice.reason is not None:
        conditions.append(Annotation.error.startswith(choice.reason, autoescape=True))
    if choice.until is not None:
        conditions.append(Annotation.annotated_at <= choice.until)
    if choice.model_version_id is not None:
        conditions.append(Annotation.model_version_id == choice.model_version_id)
    return conditions


def _is_one_of(keys: Sequence[Key]) -> ColumnElement[bool]:
    return tuple_(Annotation.tweet_id, Annotation.model_version_id).in_(keys)
