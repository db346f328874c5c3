"""Which of the entities that are mentioned now were never mentioned before?"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.counts import EVER
from db.entity_edits import roots
from db.entity_lookup import members, shown_names
from db.filters import Filter
from db.periods import DAY, UNDATED, number_of, start_of
from db.questions.rates import most_mentioned
from db.questions.top import EntityCount
from db.tables import EntityCount as DayCount
from tagging.errors import QueryError

CANDIDATES = 1000  # entities with most mentions in the window


def newcomers(session: Session, window: Filter, limit: int = 10) -> list[EntityCount]:
    """Return those of the thousand most mentioned entities of a window that no earlier day mentions, most first.

    By the counts of days (UTC) that are maintained: where the window begins within a day, an entity of that day is
    none. An alias that was mentioned before makes the entity a known one. Raises QueryError for a window without a
    beginning.
    """
    if window.since is None:
        raise QueryError("what is new depends on a beginning; give --since")
    candidates = most_mentioned(session, window, CANDIDATES)
    begun = number_of(window.since, DAY)
    earliest = begun if start_of(begun, DAY) == window.since else begun + 1
    first = _first_days(session, window.model_version_id, [one.id for one in candidates])
    new = [one for one in candidates if first.get(one.id, UNDATED) >= earliest][:limit]
    shown = shown_names(session, window, [one.id for one in new])
    return [EntityCount(one.id, shown[one.id], one.label, one.name, one.mentions, one.tweets) for one in new]


def _first_days(session: Session, version_id: int, entity_ids: list[int]) -> dict[int, int]:
    """Return the first day on which each entity, or one of its aliases, was mentioned."""
    ids = members(session, *entity_ids)
    mine = (DayCount.model_version_id == version_id, DayCount.day.not_in((EVER, UNDATED)))
    counted = select(DayCount.entity_id, func.min(DayCount.day)).where(
        *mine, is_one_of(session, DayCount.entity_id, ids)
    )
    days = {entity_id: day for entity_id, day in session.execute(counted.group_by(DayCount.entity_id))}
    first: dict[int, int] = {}
    for entity_id, root in zip(days, roots(session, list(days)), strict=True):
        first[root] = min(first.get(root, days[entity_id]), days[entity_id])
    return first
