"""Which tweets mention an entity of this name?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Subquery, select
from sqlalchemy.orm import Session

from db.entity_names import normalised_name
from db.filters import Filter, mentions
from db.tables import Entity, Tweet
from tagging.errors import QueryError


@dataclass(frozen=True)
class Mention:
    """One mention of an entity in a tweet: `text[start:end]` is the surface. `label` is the entity's."""

    tweet_id: int
    created_at: datetime | None
    author: str | None
    text: str
    start: int
    end: int
    label: str
    surface: str
    score: float


def search(session: Session, text: str, chosen: Filter, limit: int = 20) -> list[Mention]:
    """Return the mentions of entities whose normalised name contains the text's, newest tweets first.

    An alias is found by its own name, too, and counts for what it was merged into.
    """
    name = normalised_name(text.encode("utf-8", "replace").decode())
    if not name:
        raise QueryError(f"{text!r} is empty once normalised; search for a name, such as 'london'")
    ids = session.scalars(select(Entity.id).where(Entity.name.contains(name, autoescape=True))).all()
    return newest_mentions(session, mentions(session, chosen, ids), limit)


def newest_mentions(session: Session, found: Subquery, limit: int) -> list[Mention]:
    """Read mentions with their tweets: newest tweets first, those without a time last."""
    newest_first = (Tweet.created_at.desc().nulls_last(), Tweet.id.desc(), found.c.start_char)
    return read_mentions(session, rows_of(found).order_by(*newest_first).limit(limit))


def rows_of(found: Subquery) -> Select[Any]:
    """Return a statement over mentions, joined with their tweets, with the columns of `Mention`."""
    of_tweet = (Tweet.id, Tweet.created_at, Tweet.author, Tweet.text)
    of_span = (found.c.start_char, found.c.end_char, found.c.label, found.c.surface, found.c.score)
    return select(*of_tweet, *of_span).join(Tweet, found.c.tweet_id == Tweet.id)


def read_mentions(session: Session, statement: Select[Any]) -> list[Mention]:
    """Run a statement made by `rows_of`."""
    rows: Sequence[Any] = session.execute(statement).all()
    return [Mention(*row) for row in rows]
