"""What do the tweets say of an entity? Its counts, its company, its phases, and the tweets that tell most in few words.

Every statement carries ids of tweets that it rests on: ten at most, where there are more.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Subquery, case, func, select
from sqlalchemy.orm import Session

from db.entity_edits import roots
from db.entity_lookup import members, shown_names
from db.filters import Filter, mentions
from db.periods import UNDATED, start_of
from db.questions.companions import Companion, companions
from db.questions.lifetime import lifetime, suitable
from db.questions.phases import period_length
from db.questions.telling import PeriodSources, StoryPhase, by_period, tell
from db.questions.timeline import By, Period
from db.tables import Entity, EntityView, Tweet
from tagging.errors import QueryError


@dataclass(frozen=True)
class Counts:
    """How often an entity is mentioned, by how many authors, and when for the first and the last time.

    `tweets` hold the mentions; `originals` of them are no retweets, `undated` have no time. The ids are those of the
    first and the last tweet.
    """

    mentions: int
    tweets: int
    originals: int
    undated: int
    authors: int
    first: datetime | None
    last: datetime | None
    tweet_ids: tuple[int, ...]


@dataclass(frozen=True)
class SourcedPeriod(Period):
    """A period of a timeline, with the lowest and the highest id of the tweets that mention the entity in it."""

    tweet_ids: tuple[int, ...]


@dataclass(frozen=True)
class Story:
    """What the tweets say of an entity; `shown` is what it is called, `name` the normalised name."""

    entity_id: int
    shown: str
    label: str
    name: str
    counts: Counts
    by: By
    timeline: tuple[SourcedPeriod, ...]
    companions: tuple[Companion, ...]
    phases: tuple[StoryPhase, ...]


def story(session: Session, entity_id: int, chosen: Filter, tweets: int = 8, told: Sequence[str] = ()) -> Story:
    """Tell the story of an entity by at most so many tweets, none of which says what another, or `told`, says.

    The time grows with the mentions of the entity; of each phase at most 2,000 tweets are looked at, evenly in time.
    Raises QueryError if there is no such entity, or the filter leaves no mention of it.
    """
    entity = session.get(Entity, roots(session, [entity_id])[0])
    if entity is None:
        raise QueryError(f"there is no entity {entity_id}; see `tweetspan entities top`")
    ids = members(session, entity.id)
    counts = _counts(session, mentions(session, chosen, ids))
    if not counts.mentions:
        raise QueryError(_nothing(session, entity, chosen))
    lasted = counts.last - counts.first if counts.first and counts.last else timedelta()
    by = suitable(counts.first, counts.last)
    seconds = period_length(lasted.total_seconds(), counts.mentions)
    periods = by_period(session, chosen, ids, seconds)
    return Story(
        entity.id,
        shown_names(session, chosen, [entity.id])[entity.id],
        entity.label,
        entity.name,
        counts,
        by,
        _timeline(session, chosen, entity.id, by, counts, periods, seconds),
        companions(session, chosen, entity.id, ids),
        tell(session, chosen, ids, periods, seconds, tweets, told),
    )


def _counts(session: Session, found: Subquery) -> Counts:
    tweets = select(found.c.tweet_id, func.count().label("mentions")).group_by(found.c.tweet_id).subquery()
    joined = select(tweets.c.mentions, Tweet).join(Tweet, Tweet.id == tweets.c.tweet_id)
    of_all = joined.with_only_columns(
        func.coalesce(func.sum(tweets.c.mentions), 0),
        func.count(),
        func.count(case((Tweet.retweet_of.is_(None), Tweet.id))),
        func.count(case((Tweet.created_at.is_(None), Tweet.id))),
        func.count(Tweet.author.distinct()),
        func.min(Tweet.created_at),
        func.max(Tweet.created_at),
    )
    row = session.execute(of_all).one()
    lowest, highest = func.min(Tweet.id), func.max(Tweet.id)
    if row[5] is None:
        ends = [*session.execute(joined.with_only_columns(lowest, highest)).one()] if row[1] else []
    else:  # found by their times: to have them in that order, the tweets of everybody would be gone through
        first = joined.with_only_columns(lowest).where(Tweet.created_at == row[5])
        last = joined.with_only_columns(highest).where(Tweet.created_at == row[6])
        ends = [session.scalars(first).one(), session.scalars(last).one()]
    ids = tuple(dict.fromkeys(ends))
    return Counts(int(row[0]), row[1], row[2], row[3], row[4], row[5], row[6], ids)


def _nothing(session: Session, entity: Entity, chosen: Filter) -> str:
    view = session.get(EntityView, entity.id)
    if view is not None and view.is_hidden and not chosen.hidden:
        return f"the entity {entity.label}:{entity.name} is hidden; ask with --hidden"
    return (
        f"version {chosen.model_version_id} has no mention of {entity.label}:{entity.name} that the filters leave; "
        "choose a longer window or fewer conditions"
    )


def _timeline(
    session: Session,
    chosen: Filter,
    entity_id: int,
    by: By,
    counts: Counts,
    periods: Sequence[PeriodSources],
    seconds: int,
) -> tuple[SourcedPeriod, ...]:
    """Return the timeline from the first mention to the last."""
    kept = lifetime(session, chosen, entity_id, by, counts.first, counts.last)
    starts = [one.start for one in kept]
    sources: dict[int, set[int]] = {}
    for one in periods:
        if one.number != UNDATED:
            sources.setdefault(bisect_right(starts, start_of(one.number, seconds)) - 1, set()).update(one.tweet_ids)
    ends = {index: tuple(sorted({min(ids), max(ids)})) for index, ids in sources.items()}
    return tuple(SourcedPeriod(**vars(one), tweet_ids=ends.get(index, ())) for index, one in enumerate(kept))
