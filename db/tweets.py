"""Tweets: bulk writes and reads."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db import ledger
from db.bulk import dialect, insert_new, staged
from db.tables import Tombstone, Tweet


def add(session: Session, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Store the tweets that are neither there nor deleted; return their ids, in the order given.

    `rows` hold the columns of Tweet; of two rows with one id the first counts. To be called before any other
    write of its transaction. A deletion writes its tombstones first, too: one of the two waits for the other.
    """
    distinct: dict[int, dict[str, Any]] = {}
    for row in rows:
        distinct.setdefault(row["id"], row)
    if not distinct:
        return []
    in_order = [distinct[key] for key in sorted(distinct)]  # two enqueues must not deadlock
    added = _insert(session, in_order) if dialect(session) == "sqlite" else _merge(session, in_order)
    return [key for key in distinct if key in added]


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> set[int]:
    deleted = set(session.scalars(select(Tombstone.tweet_id).where(Tombstone.tweet_id.in_(row["id"] for row in rows))))
    return insert_new(session, Tweet, [row for row in rows if row["id"] not in deleted], Tweet.id)


def _merge(session: Session, rows: Sequence[dict[str, Any]]) -> set[int]:
    session.execute(text("LOCK TABLE tombstones IN SHARE MODE"))  # hinders deletions, but no other enqueue
    with staged(session, Tweet, rows) as new:
        is_deleted = exists().where(Tombstone.tweet_id == new.c.id)
        statement = insert(Tweet).from_select(list(new.c.keys()), select(new).where(~is_deleted).order_by(new.c.id))
        return set(session.scalars(statement.on_conflict_do_nothing().returning(Tweet.id)))


def count_deleted(session: Session, ids: Collection[int]) -> int:
    """Count the ids that have a tombstone."""
    return session.scalars(select(func.count()).where(Tombstone.tweet_id.in_(ids))).one()


def texts(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return the texts of those tweets that (still) exist, by id, in rising order of id."""
    rows = session.execute(select(Tweet.id, Tweet.text).where(Tweet.id.in_(ids)).order_by(Tweet.id))
    return {row.id: row.text for row in rows}


def delete(session: Session, ids: Collection[int]) -> int:
    """Remove tweets with their marks and spans, take them out of the open batches, and leave tombstones.

    Return how many were stored. Also an id that is not stored gets a tombstone: an enqueue may still bring it.
    """
    wanted = sorted(set(ids))
    rows = [{"tweet_id": tweet_id, "deleted_at": datetime.now(UTC)} for tweet_id in wanted]
    insert_new(session, Tombstone, rows, Tombstone.tweet_id)
    ledger.withdraw(session, wanted)  # batches before tweets: in the order in which `finish` locks them
    stored = session.scalars(select(Tweet.id).where(Tweet.id.in_(wanted)).order_by(Tweet.id).with_for_update()).all()
    session.execute(sql_delete(Tweet).where(Tweet.id.in_(stored)))
    return len(stored)
