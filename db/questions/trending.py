"""Which entities are mentioned more than they were before?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import fmean
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.entity_lookup import members, shown_names
from db.filters import Filter, mentions
from db.periods import DAY, number_of, start_of
from db.questions.measures import critical_value, overdispersed_log_likelihood
from db.questions.rates import Counted, most_mentioned, totals_of
from db.questions.search import Mention, read_mentions, rows_of
from db.tables import Tweet
from db.windows import newest_hour, tweets_read
from tagging.errors import QueryError

Against = Literal["previous", "last-week"]

CANDIDATES = 1000  # entities of a window that are compared
_FEWEST = 5  # tweets that mention what is reported
_CHANCE = 0.05  # that anything is reported where nothing has changed
_TELLING = 5  # tweets, expected in either window, from which on a candidate tells how much rates vary by themselves
_FEWEST_TELLERS, _MOST_TELLERS = 10, 200  # how many of them it takes, and how many do
_ASSUMED = 0.1  # dispersion where there are fewer: a rate is off by a third of itself
_NEVER_MORE = 10.0  # dispersion
_BY_CHANCE = 0.9205  # mean of chi-squared with one degree of freedom, where what is above four counts as four


@dataclass(frozen=True)
class Trend:
    """An entity with the tweets that mention it, of those read, in the window and in the one before.

    `score` is the log-likelihood ratio; `examples` are mentions in the tweets of the window with the highest ids.
    """

    entity_id: int
    shown: str
    label: str
    name: str
    tweets: int
    tweets_read: int
    tweets_before: int
    tweets_read_before: int
    score: float
    examples: list[Mention]

    @property
    def times(self) -> float | None:
        """Return how many times as often it is mentioned; None if it was not mentioned before."""
        if not self.tweets_before:
            return None
        return self.tweets / self.tweets_read / (self.tweets_before / self.tweets_read_before)


def trending(session: Session, chosen: Filter, against: Against = "previous", limit: int = 10) -> list[Trend]:
    """Return entities that more of the tweets mention than before, by how unlikely that is, the most unlikely first.

    The windows are those of `windows`. Compared are the thousand entities with most mentions in the window, by a
    log-likelihood ratio of the tweets that mention them; how much rates vary by themselves (bursts, the time of day) is
    estimated from the most mentioned of these entities. Returned is what five tweets or more mention, and what passes a
    threshold that anything passes by chance in at most one question of twenty. Where the filter leaves out nothing and
    the window is one day (UTC), the time does not grow with the mentions of entities without aliases.
    Raises QueryError if one of the windows holds no tweets that were read.
    """
    window, before = windows(session, chosen, against)
    return trends_among(session, most_mentioned(session, window, CANDIDATES), window, before, limit)


def trends_among(
    session: Session, candidates: Sequence[Counted], window: Filter, before: Filter, limit: int = 10
) -> list[Trend]:
    """Return those of the entities most mentioned in a window that trend, for who has looked them up already."""
    total, total_before = _read(session, window), _read(session, before)
    known = totals_of(session, before, [one.id for one in candidates])
    counts = [(one.tweets, known.get(one.id, (0, 0))[1]) for one in candidates]
    found = [(score, candidates[index], counts[index]) for index, score in risen(counts, total, total_before).items()]
    best = sorted(found, key=lambda row: (-row[0], row[1].name, row[1].label))[:limit]
    shown = shown_names(session, window, [one.id for _, one, _ in best])
    return [
        Trend(one.id, shown[one.id], one.label, one.name, now, total, then, total_before, score,
              _examples(session, window, one.id))
        for score, one, (now, then) in best
    ]  # fmt: skip


def windows(session: Session, chosen: Filter, against: Against = "previous") -> tuple[Filter, Filter]:
    """Return a filter over the window that is asked about, and one over that with which it is compared.

    The window is the filter's; without one, it is the day (UTC) of the newest tweet that the version has read. Without
    an end it goes on to the end of that tweet's hour, and without a beginning it is one day long. The other has the
    same length, and ends where the window begins ("previous"), or seven days before the window does ("last-week").
    Raises QueryError for a window that is empty, or overlaps with that of last week.
    """
    try:
        since, until = _window(session, chosen)
        length = until - since
        back = length if against == "previous" else timedelta(days=7)
        earlier = replace(chosen, since=since - back, until=until - back)
    except OverflowError:
        raise QueryError("there is no time before that window; choose a later --since or --until") from None
    if length <= timedelta():
        raise QueryError(f"the window from {_text(since)} to {_text(until)} is empty; let --since lie before --until")
    if back < length:
        raise QueryError("a window of more than seven days overlaps with last week's; compare it with the previous one")
    return replace(chosen, since=since, until=until), earlier


def risen(counts: Sequence[tuple[int, int]], total: int, total_before: int) -> dict[int, float]:
    """Return the places of the counts, now and before, that have risen, with their log-likelihood ratios."""
    least = critical_value(_CHANCE / max(1, len(counts)))
    scored = enumerate(_scores(counts, total, total_before))
    return {place: score for place, score in scored if score > least and counts[place][0] >= _FEWEST}


def _scores(counts: Sequence[tuple[int, int]], total: int, total_before: int) -> list[float]:
    """Return for each pair of counts, now and before, the log-likelihood ratio that its rate has risen (or fallen).

    Its dispersion is the one with which the ratios are, on average, what chance would make them. Those that trend must
    not count for much in that: none counts for more than four, and the highest one does not count.
    """
    share = min(total, total_before) / (total + total_before)
    telling = [pair for pair in counts if sum(pair) * share >= _TELLING][:_MOST_TELLERS]

    def ratios(pairs: Sequence[tuple[int, int]], dispersion: float) -> list[float]:
        return [overdispersed_log_likelihood(now, total, then, total_before, dispersion) for now, then in pairs]

    def is_enough(dispersion: float) -> bool:
        return fmean(sorted(min(abs(ratio), 4) for ratio in ratios(telling, dispersion))[:-1]) <= _BY_CHANCE

    if len(telling) < _FEWEST_TELLERS:
        return ratios(counts, _ASSUMED)
    if is_enough(0):
        return ratios(counts, 0)
    low, high = 0.0, _NEVER_MORE
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return ratios(counts, high)


def _window(session: Session, chosen: Filter) -> tuple[datetime, datetime]:
    since, until = chosen.since, chosen.until
    if since is not None and until is not None:
        return since, until
    if until is not None:
        return until - timedelta(days=1), until
    newest = newest_hour(session, chosen.model_version_id)
    if newest is None:
        raise QueryError(
            f"version {chosen.model_version_id} has read no tweet with a time; see `tweetspan status` for what is read"
        )
    if since is not None:
        return since, newest + timedelta(hours=1)
    day = number_of(newest, DAY)
    return start_of(day, DAY), start_of(day + 1, DAY)


def _read(session: Session, window: Filter) -> int:
    """Count the tweets of a window. Raises QueryError if there are none."""
    tweets = tweets_read(session, window)
    if not tweets:
        assert window.since is not None
        assert window.until is not None
        raise QueryError(
            f"version {window.model_version_id} has read no such tweets from {_text(window.since)} to "
            f"{_text(window.until)}, so there is nothing to compare; choose other windows by --since, --until and "
            "--against"
        )
    return tweets


def _examples(session: Session, window: Filter, entity_id: int, limit: int = 3) -> list[Mention]:
    found = mentions(session, window, members(session, entity_id))
    newest = select(found.c.tweet_id).distinct().order_by(found.c.tweet_id.desc()).limit(limit)
    rows = rows_of(found).where(is_one_of(session, Tweet.id, session.scalars(newest).all()))
    read = read_mentions(session, rows.order_by(Tweet.id, found.c.start_char.desc()))
    return sorted({one.tweet_id: one for one in read}.values(), key=lambda one: -one.tweet_id)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
