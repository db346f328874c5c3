"""Which tweets mention an entity of this name, or of one like it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Subquery, func, or_, select
from sqlalchemy.orm import Session

from db.edit_distance import edits_allowed, is_within
from db.entity_names import normalised_name
from db.filters import Filter, mentions
from db.tables import Entity, Tweet
from tagging.errors import QueryError

How = Literal["exact", "prefix", "substring", "fuzzy"]


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


def search(session: Session, text: str, chosen: Filter, limit: int = 20, how: How = "substring") -> list[Mention]:
    """Return the mentions of entities whose normalised name matches the text's, newest tweets first.

    The name is the text's ("exact"), begins with it ("prefix"), holds it ("substring"), or is no more edits away than
    `db.edit_distance.edits_allowed` says ("fuzzy", which finds all such names and no others, on either database). An
    alias is found by its own name, too, and counts for what it was merged into. Raises QueryError for an empty text.
    """
    name = normalised_name(text.encode("utf-8", "replace").decode())
    if not name:
        raise QueryError(f"{text!r} is empty once normalised; search for a name, such as 'london'")
    return newest_mentions(session, mentions(session, chosen, _matching(session, name, how)), limit)


def _matching(session: Session, name: str, how: How) -> list[int]:
    if how == "fuzzy":
        near = session.execute(select(Entity.id, Entity.name).where(*_may_be_near(name)))
        return [row.id for row in near if is_within(name, row.name, edits_allowed(name))]
    matches = {
        "exact": Entity.name == name,
        "prefix": Entity.name.startswith(name, autoescape=True),
        "substring": Entity.name.contains(name, autoescape=True),
    }
    return list(session.scalars(select(Entity.id).where(matches[how])))


def _may_be_near(name: str) -> list[ColumnElement[bool]]:
    """Return what holds for every name that is near enough, and for few others.

    Cut into one piece more than there may be edits, a name shares at least one piece, whole, with every such name.
    """
    edits = edits_allowed(name)
    cuts = [len(name) * number // (edits + 1) for number in range(edits + 2)]
    pieces = [name[start:end] for start, end in pairwise(cuts)]
    length = func.length(Entity.name).between(len(name) - edits, len(name) + edits)
    return [length, or_(*(Entity.name.contains(piece, autoescape=True) for piece in pieces))]


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
