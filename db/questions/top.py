"""Which entities are mentioned most?"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.entity_lookup import shown_names
from db.filters import Filter
from db.questions.rates import most_mentioned


@dataclass(frozen=True)
class EntityCount:
    """An entity with its mentions and the tweets that hold them; `name` is the normalised one."""

    entity_id: int
    shown: str
    label: str
    name: str
    mentions: int
    tweets: int


def top(session: Session, chosen: Filter, limit: int = 10) -> list[EntityCount]:
    """Return the entities with most mentions, most first; ties in the order of their names.

    Where the filter leaves out no tweets, or all but those of one day (UTC), the maintained counts are read, so that
    the time does not grow with them.
    """
    rows = most_mentioned(session, chosen, limit)
    shown = shown_names(session, chosen, [row.id for row in rows])
    return [EntityCount(row.id, shown[row.id], row.label, row.name, row.mentions, row.tweets) for row in rows]
