"""Digests: the story of one entity, and a period's report over what is mentioned most and what is trending."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.coverage import Coverage, cover
from db.entity_lookup import members, shown_names
from db.filters import Filter, mentions
from db.questions.companions import SOURCES
from db.questions.rates import Counted, most_mentioned, totals_of
from db.questions.story import Story, story
from db.questions.trending import CANDIDATES, Trend, trends_among, windows
from db.windows import tweets_read
from tagging.errors import QueryError

_TOP = 10
_STORIES = 5
_SAME_STORY = 0.5  # of the tweets of an entity: if so many mention another one, its story is told with the other's


@dataclass(frozen=True)
class EntityDigest:
    """The story of one entity, and what it is made from."""

    covers: Coverage
    story: Story


@dataclass(frozen=True)
class Leader:
    """One of the most mentioned entities; the numbers before are those of the window before, None if it was not read.

    `story` is the entity under whose story this one's is told, where there is any.
    """

    entity_id: int
    shown: str
    label: str
    name: str
    mentions: int
    tweets: int
    mentions_before: int | None
    tweets_before: int | None
    story: int | None
    tweet_ids: tuple[int, ...]


@dataclass(frozen=True)
class PeriodDigest:
    """A period's report. `trends` are None where no tweet of the window before was read."""

    covers: Coverage
    since: datetime
    until: datetime
    since_before: datetime
    tweets_before: int
    top: tuple[Leader, ...]
    trends: tuple[Trend, ...] | None
    stories: tuple[Story, ...]


def digest_entity(session: Session, entity_id: int, chosen: Filter, tweets: int = 8) -> EntityDigest:
    """Return the story of an entity, told by at most so many tweets; see `db.questions.story.story`.

    Raises QueryError if there is no such entity, or the filter leaves no mention of it.
    """
    found = story(session, entity_id, chosen, tweets)
    return EntityDigest(cover(session, chosen), found)


def digest_period(session: Session, chosen: Filter, tweets: int = 3) -> PeriodDigest:
    """Report on a window, and tell the stories of its first five entities by at most so many tweets each.

    The window is the one that `db.questions.trending.windows` takes: the filter's, or the day of the newest tweet. What
    is trending comes before what is mentioned most. Raises QueryError if no tweet of the window has a mention.
    """
    window, before = windows(session, chosen)
    assert window.since is not None
    assert window.until is not None
    assert before.since is not None
    candidates = most_mentioned(session, window, CANDIDATES)
    leaders = candidates[:_TOP]
    if not leaders:
        raise QueryError(
            f"version {chosen.model_version_id} has no mention from {window.since:%Y-%m-%d %H:%M} to "
            f"{window.until:%Y-%m-%d %H:%M} that the filters leave; choose a longer window or fewer conditions"
        )
    read_before = tweets_read(session, before)
    trends = tuple(trends_among(session, candidates, window, before)) if read_before else None
    first = dict.fromkeys([one.entity_id for one in trends or ()])
    sizes = {one.entity_id: one.tweets for one in trends or ()} | {one.id: one.tweets for one in leaders}
    stories = _stories(session, window, sizes, [*first, *(one.id for one in leaders if one.id not in first)], tweets)
    return PeriodDigest(
        cover(session, window), window.since, window.until, before.since, read_before,
        _top(session, window, before if read_before else None, leaders, stories), trends, tuple(stories),
    )  # fmt: skip


def _stories(
    session: Session, window: Filter, sizes: dict[int, int], entity_ids: Sequence[int], tweets: int
) -> list[Story]:
    found: list[Story] = []
    told: list[str] = []
    for entity_id in entity_ids:
        if len(found) == _STORIES:
            break
        if _told_in(found, entity_id, sizes[entity_id]) is None:
            found.append(story(session, entity_id, window, tweets, told))
            told += [quote.text for phase in found[-1].phases for quote in phase.quotes]
    return found


def _told_in(stories: Sequence[Story], entity_id: int, size: int) -> int | None:
    """Return the entity with whose story an entity is told: its own, or of one that most of its tweets mention too."""
    for one in stories:
        together = max((other.tweets for other in one.companions if other.entity_id == entity_id), default=0)
        if one.entity_id == entity_id or together >= _SAME_STORY * size:
            return one.entity_id
    return None


def _top(
    session: Session, window: Filter, before: Filter | None, leaders: Sequence[Counted], stories: Sequence[Story]
) -> tuple[Leader, ...]:
    ids = [one.id for one in leaders]
    shown = shown_names(session, window, ids)
    known = {} if before is None else totals_of(session, before, ids)
    counts: list[tuple[int, int] | tuple[None, None]] = [
        (None, None) if before is None else known.get(one, (0, 0)) for one in ids
    ]
    return tuple(
        Leader(
            one.id, shown[one.id], one.label, one.name, one.mentions, one.tweets, then[0], then[1],
            _told_in(stories, one.id, one.tweets), _newest(session, window, one.id),
        )
        for one, then in zip(leaders, counts, strict=True)
    )  # fmt: skip


def _newest(session: Session, window: Filter, entity_id: int) -> tuple[int, ...]:
    found = mentions(session, window, members(session, entity_id)).c.tweet_id
    return tuple(session.scalars(select(found).distinct().order_by(found.desc()).limit(SOURCES)))
