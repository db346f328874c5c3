"""Tweets: bulk writes and reads."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.bulk import insert_new
from db.tables import Tombstone, Tweet


def add(session: Session, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Store the tweets that are neither there nor deleted; return their ids, in the order given.

    `rows` hold the columns of Tweet; of two rows with one id the first counts.
    """
    distinct: dict[int, dict[str, Any]] = {}
    for row in rows:
        distinct.setdefault(row["id"], row)
    deleted = set(session.scalars(select(Tombstone.tweet_id).where(Tombstone.tweet_id.in_(distinct))))
    new = [distinct[key] for key in sorted(distinct) if key not in deleted]  # sorted: two enqueues must not deadlock
    added = insert_new(session, Tweet, new, Tweet.id)
    return [key for key in distinct if key in added]


def texts(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return the texts of those tweets that (still) exist, by id, in rising order of id."""
    rows = session.execute(select(Tweet.id, Tweet.text).where(Tweet.id.in_(ids)).order_by(Tweet.id))
    return {row.id: row.text for row in rows}
