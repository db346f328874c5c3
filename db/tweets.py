"""Tweets: bulk writes and reads."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select, text, union_all
from sqlalchemy.orm import Session

from db import counts, ledger
from db.bulk import copy_new, dialect, insert_new, is_one_of, read_rows
from db.tables import Annotation, Tombstone, Tweet

COLUMNS = tuple(Tweet.__table__.c.keys())  # of a row, in this order


def add(session: Session, rows: Sequence[tuple[Any, ...]]) -> list[int]:
    """Store the tweets that are neither there nor deleted; return their ids, in the order given.

    `rows` hold COLUMNS; of two rows with one id the first counts. To be called before any other write of its
    transaction. A deletion writes its tombstones first, too: one of the two waits for the other.
    """
    distinct: dict[int, tuple[Any, ...]] = {}
    for row in rows:
        distinct.setdefault(row[0], row)
    if not distinct:
        return []
    if dialect(session) == "postgresql":
        session.execute(text("LOCK TABLE tombstones IN SHARE MODE"))  # hinders deletions, but no other enqueue
        session.execute(text("SET LOCAL enable_seqscan = off"))  # a table that grew since it was analysed seems small
    new = copy_new(session, Tweet, COLUMNS, distinct, distinct.__getitem__, _known)
    return [key for key in distinct if key in new]


def _known(session: Session, ids: Collection[int]) -> Iterable[int]:
    stored = select(Tweet.id).where(is_one_of(session, Tweet.id, ids))
    deleted = select(Tombstone.tweet_id).where(is_one_of(session, Tombstone.tweet_id, ids))
    return session.scalars(union_all(stored, deleted))


def count_deleted(session: Session, ids: Collection[int]) -> int:
    """Count the ids that have a tombstone."""
    return session.scalars(select(func.count()).where(is_one_of(session, Tombstone.tweet_id, ids))).one()


def texts(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return the texts of those tweets that (still) exist, by id, in rising order of id."""
    stored = select(Tweet.id, Tweet.text).where(is_one_of(session, Tweet.id, ids)).order_by(Tweet.id)
    return {tweet_id: text for tweet_id, text in read_rows(session, stored)}


def delete(session: Session, ids: Collection[int]) -> int:
    """Remove tweets with their marks and spans, take them out of the open batches, and leave tombstones.

    Return how many were stored. Also an id that is not stored gets a tombstone: an enqueue may still bring it.
    """
    wanted = sorted(set(ids))
    rows = [{"tweet_id": tweet_id, "deleted_at": datetime.now(UTC)} for tweet_id in wanted]
    insert_new(session, Tombstone, rows, Tombstone.tweet_id)
    ledger.withdraw(session, wanted)  # batches before tweets: in the order in which `finish` locks them
    stored = session.scalars(select(Tweet.id).where(Tweet.id.in_(wanted)).order_by(Tweet.id).with_for_update()).all()
    readers = select(Annotation.model_version_id).where(is_one_of(session, Annotation.tweet_id, stored)).distinct()
    for version_id in session.scalars(readers.order_by(Annotation.model_version_id)).all():
        counts.subtract(session, version_id, stored)
    session.execute(sql_delete(Tweet).where(Tweet.id.in_(stored)))
    return len(stored)
