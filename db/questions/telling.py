"""The phases of a story, and for each a few tweets that say what was said in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import sqrt
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from db.filters import Filter, mentions
from db.periods import UNDATED, number_in_sql, start_of
from db.questions.companions import SOURCES
from db.questions.phases import Phase, phases
from db.questions.representatives import Candidate, Representative, representatives
from db.tables import Tweet

_PHASES = 5
_LOOKED_AT = 2000  # tweets of a phase, retweets apart, among which those that tell most are looked for


@dataclass(frozen=True)
class Quote:
    """A tweet that stands for all that say the same: `tweets`, with their retweets; `tweet_ids`, itself first."""

    tweet_id: int
    created_at: datetime | None
    author: str | None
    text: str
    tweets: int
    tweet_ids: tuple[int, ...]


@dataclass(frozen=True)
class StoryPhase:
    """A phase from `start` until before `end`, with most mentions in the `peak_seconds` from `peak` on.

    A story of tweets without times has one phase, without times.
    """

    start: datetime | None
    end: datetime | None
    peak: datetime | None
    peak_seconds: int
    peak_mentions: int
    peak_tweets: int
    peak_tweet_ids: tuple[int, ...]
    mentions: int
    tweets: int
    quotes: tuple[Quote, ...]


@dataclass(frozen=True)
class PeriodSources:
    """The mentions of one period, by its number, with the lowest and the highest id of their tweets."""

    number: int
    mentions: int
    tweets: int
    tweet_ids: tuple[int, ...]


def by_period(session: Session, chosen: Filter, ids: Sequence[int], seconds: int) -> list[PeriodSources]:
    """Count the mentions of some entities in each period of so many seconds; those without a time as UNDATED, last."""
    found = mentions(session, chosen, ids)
    number = number_in_sql(session, Tweet.created_at, seconds).label("number")
    columns = (number, func.count(), func.count(Tweet.id.distinct()), func.min(Tweet.id), func.max(Tweet.id))
    counted = select(*columns).select_from(found).join(Tweet, Tweet.id == found.c.tweet_id).group_by(number)
    rows = session.execute(counted.order_by(number))
    return [PeriodSources(row[0], row[1], row[2], tuple(sorted({row[3], row[4]}))) for row in rows]


def tell(
    session: Session,
    chosen: Filter,
    ids: Sequence[int],
    periods: Sequence[PeriodSources],
    seconds: int,
    tweets: int,
    told: Sequence[str],
) -> tuple[StoryPhase, ...]:
    """Cut a story into phases, and choose at most so many tweets in all, more of them from the larger phases."""
    dated = {one.number: one for one in periods if one.number != UNDATED}
    if not dated:
        [undated] = periods
        quotes = _quotes(_candidates(session, chosen, ids), tweets, told)
        return (StoryPhase(None, None, None, 0, 0, 0, undated.tweet_ids, undated.mentions, undated.tweets, quotes),)
    cut = phases({number: one.mentions for number, one in dated.items()}, min(_PHASES, tweets))
    windows = [_window(chosen, phase, seconds) for phase in cut]
    candidates = [_candidates(session, window, ids) for window in windows]
    numbers = shares([one.mentions for one in cut], [len(rows) for rows in candidates], tweets)
    found: list[StoryPhase] = []
    told = list(told)
    for phase, window, rows, number in zip(cut, windows, candidates, numbers, strict=True):
        quotes = _quotes(rows, number, told)
        found.append(_phase(phase, seconds, dated, window, quotes))
        told += [quote.text for quote in quotes]
    return tuple(found)


def shares(sizes: Sequence[int], rooms: Sequence[int], number: int) -> list[int]:
    """Share out a number: one each, the others by the square roots of the sizes (highest averages), as room allows.

    >>> shares([100, 1, 25], [9, 9, 9], 8), shares([100, 1], [2, 9], 8)
    ([5, 1, 2], [2, 6])
    """
    found = [1] * len(sizes)
    for _ in range(number - len(sizes)):
        with_room = [index for index, room in enumerate(rooms) if found[index] < room]
        if not with_room:
            break
        found[max(with_room, key=lambda index: (sqrt(sizes[index]) / (found[index] + 1), -index))] += 1
    return found


def _window(chosen: Filter, phase: Phase, seconds: int) -> Filter:
    start, end = start_of(phase.first, seconds), start_of(phase.last + 1, seconds)
    return replace(chosen, since=max(chosen.since or start, start), until=min(chosen.until or end, end))


def _phase(
    phase: Phase, seconds: int, dated: dict[int, PeriodSources], window: Filter, quotes: tuple[Quote, ...]
) -> StoryPhase:
    peak = dated[phase.peak]
    tweets = sum(one.tweets for number, one in dated.items() if phase.first <= number <= phase.last)
    return StoryPhase(
        window.since, window.until, start_of(phase.peak, seconds), seconds, peak.mentions, peak.tweets, peak.tweet_ids,
        phase.mentions, tweets, quotes,
    )  # fmt: skip


def _quotes(rows: Sequence[Any], number: int, told: Sequence[str]) -> tuple[Quote, ...]:
    by_id = {row.id: row for row in rows}
    candidates = [Candidate(row.id, row.text, row.tweets) for row in rows]
    return tuple(_quote(by_id[one.tweet_id], one) for one in representatives(candidates, number, told))


def _quote(row: Any, one: Representative) -> Quote:
    return Quote(row.id, row.created_at, row.author, row.text, one.tweets, one.tweet_ids[:SOURCES])


def _candidates(session: Session, chosen: Filter, ids: Sequence[int]) -> Sequence[Any]:
    """Read a phase's tweets by time, each once with all its retweets; of very many, some, evenly in time."""
    found = select(mentions(session, chosen, ids).c.tweet_id).distinct().subquery()
    original = func.coalesce(Tweet.retweet_of, Tweet.id)
    itself = func.min(case((Tweet.retweet_of.is_(None), Tweet.id)))
    groups = (
        select(
            func.coalesce(itself, func.min(Tweet.id)).label("tweet_id"),
            func.count().label("tweets"),
            func.min(Tweet.created_at).label("at"),
        )
        .join(found, found.c.tweet_id == Tweet.id)
        .group_by(original)
        .subquery()
    )
    place = (func.row_number().over(order_by=(groups.c.at, groups.c.tweet_id)) - 1).label("place")
    placed = select(groups, place, func.count().over().label("of_all")).subquery()
    is_taken = placed.c.place * _LOOKED_AT % placed.c.of_all < _LOOKED_AT
    columns = (Tweet.id, Tweet.text, Tweet.created_at, Tweet.author, placed.c.tweets)
    rows = select(*columns).join(placed, placed.c.tweet_id == Tweet.id).where(is_taken)
    return session.execute(rows.order_by(placed.c.place)).all()
