"""Maintained counts of what each version has found, so that the common questions stay quick however much is stored.

They are kept in the transaction that stores or removes spans, and so are never behind. Counts are of entities as they
were found: what was merged or hidden is applied when asked.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, delete, distinct, func, literal, select, true, union_all
from sqlalchemy.orm import Session

from db.bulk import dialect_insert, is_one_of
from db.columns import Base
from db.periods import DAY, HOUR, number_in_sql
from db.tables import Annotation, EntityCount, HourCount, Span, Tweet

EVER = 2**31 - 1  # as a day: the sum over all of them


def add(session: Session, version_id: int, tweet_ids: Collection[int]) -> None:
    """Count in stored tweets that a version has just read. Their spans are stored."""
    _change(session, version_id, tweet_ids, 1)


def subtract(session: Session, version_id: int, tweet_ids: Collection[int]) -> None:
    """Count out tweets that a version has read, before their marks and spans are removed."""
    read = _locked_marks(session, version_id, tweet_ids)
    _change(session, version_id, read, -1)
    found = select(Span.entity_id).where(Span.model_version_id == version_id, is_one_of(session, Span.tweet_id, read))
    of_them = (EntityCount.model_version_id == version_id, EntityCount.entity_id.in_(found), EntityCount.mentions == 0)
    session.execute(delete(EntityCount).where(*of_them))
    session.execute(delete(HourCount).where(HourCount.model_version_id == version_id, HourCount.tweets == 0))


def _locked_marks(session: Session, version_id: int, tweet_ids: Collection[int]) -> Sequence[int]:
    """Return which of the tweets the version has read; who removes the same marks at once waits, and finds none."""
    mine = (Annotation.model_version_id == version_id, Annotation.status == "done")
    marks = select(Annotation.tweet_id).where(*mine, is_one_of(session, Annotation.tweet_id, tweet_ids))
    return session.scalars(marks.order_by(Annotation.tweet_id).with_for_update()).all()


def _change(session: Session, version_id: int, tweet_ids: Collection[int], sign: int) -> None:
    if not tweet_ids:
        return
    # In the order of their keys, entities first: two workers that count at once must not deadlock.
    _upsert(session, EntityCount, _by_entity(session, version_id, tweet_ids, sign))
    _upsert(session, HourCount, _by_hour(session, version_id, tweet_ids, sign))


def _by_entity(session: Session, version_id: int, tweet_ids: Collection[int], sign: int) -> Select[Any]:
    day = number_in_sql(session, Tweet.created_at, DAY)
    mine = (Span.model_version_id == version_id, is_one_of(session, Span.tweet_id, tweet_ids))
    counted = (sign * func.count(), sign * func.count(distinct(Span.tweet_id)))

    def grouped(day: Any, *by: Any) -> Select[Any]:
        columns = (literal(version_id).label("model_version_id"), Span.entity_id, day.label("day"), Span.label)
        totals = (counted[0].label("mentions"), counted[1].label("tweets"))
        joined = select(*columns, *totals).join(Tweet, Tweet.id == Span.tweet_id).where(*mine)
        return joined.group_by(Span.entity_id, Span.label, *by)

    both = union_all(grouped(day, day), grouped(literal(EVER))).subquery()
    return select(both).where(true()).order_by(both.c.entity_id, both.c.day)


def _by_hour(session: Session, version_id: int, tweet_ids: Collection[int], sign: int) -> Select[Any]:
    hour = number_in_sql(session, Tweet.created_at, HOUR).label("hour")
    mine = (Span.model_version_id == version_id, is_one_of(session, Span.tweet_id, tweet_ids))
    tweets = select(hour, literal(sign).label("tweets"), literal(0).label("mentions"))
    found = (
        select(hour, literal(0), literal(sign)).select_from(Span).join(Tweet, Tweet.id == Span.tweet_id).where(*mine)
    )
    both = union_all(tweets.where(is_one_of(session, Tweet.id, tweet_ids)), found).subquery()
    sums = (func.sum(both.c.tweets).label("tweets"), func.sum(both.c.mentions).label("mentions"))
    counted = select(literal(version_id).label("model_version_id"), both.c.hour, *sums).where(true())
    return counted.group_by(both.c.hour).order_by(both.c.hour)


def _upsert(session: Session, table: type[Base], rows: Select[Any]) -> None:
    target = table.__table__
    statement = dialect_insert(session, table).from_select(list(rows.selected_columns.keys()), rows)
    sums = {name: target.c[name] + statement.excluded[name] for name in ("mentions", "tweets")}
    session.execute(statement.on_conflict_do_update(index_elements=list(target.primary_key), set_=sums))
