"""What is trending: the statistic on streams that never were, and the counts behind it by brute force."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.coverage import cover
from db.filters import Filter
from db.questions import trending as trends
from db.questions.trending import Against, Trend, risen, trending, windows
from db.session import Database
from tagging.errors import QueryError
from tagging.spans import Span
from tests.questions.world import LABELS, NOON, StoredTweet, World, add_version, filters, store

few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)

DAY = timedelta(days=1)
RHYTHM = np.array([1, 1, 1, 2, 4, 6, 8, 9, 10, 11, 12, 8])  # of two hours each


def stream(seed: int, tweets: int, entities: int, wander: float, hours: slice) -> tuple[np.ndarray, int, int]:
    """Tweets that mention each entity now and before, and the tweets of both: Zipf's law times a daily rhythm.

    The chances of entities vary from one window to the other with a standard deviation of `wander` of themselves.
    """
    random = np.random.default_rng(seed)
    chances = 1 / np.arange(1, entities + 1)
    chances *= 1.5 / chances.sum() / 3
    volume = tweets * RHYTHM[hours] / RHYTHM.sum()
    totals = [int(random.poisson(volume).sum()), int(random.poisson(tweets))]
    varied = [chances * (random.gamma(wander**-2, wander**2, entities) if wander else 1) for _ in totals]
    counts = [random.binomial(total, np.minimum(chance, 1)) for total, chance in zip(totals, varied, strict=True)]
    return np.stack(counts, axis=1), *totals


def most_mentioned(counts: np.ndarray) -> list[tuple[int, int]]:
    return sorted(((int(now), int(then)) for now, then in counts if now), reverse=True)[:1000]


@pytest.mark.parametrize("hours", [slice(None), slice(5)], ids=["a whole day", "a day that has begun"])
@pytest.mark.parametrize("wander", [0, 0.1, 0.3])
@pytest.mark.parametrize(("tweets", "entities"), [(1_000, 300), (3_000, 1_000), (20_000, 10_000)])
def test_a_hundred_streams_in_which_nothing_happens(tweets: int, entities: int, wander: float, hours: slice) -> None:
    loud = 0
    for seed in range(100):
        counts, now, then = stream(seed, tweets, entities, wander, hours)
        loud += bool(risen(most_mentioned(counts), now, then))
    assert loud <= 5


@pytest.mark.parametrize("wander", [0, 0.1, 0.3])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_burst_is_first(wander: float, is_new: bool) -> None:
    for seed in range(20):
        counts, now, then = stream(seed, 20_000, 10_000, wander, slice(None))
        burst = (200, 0 if is_new else 10)
        candidates = most_mentioned(np.vstack([counts, burst]))
        found = risen(candidates, now, then)
        assert candidates[max(found, key=lambda place: found[place])] == burst


@pytest.mark.parametrize("total", [10, 1000])
def test_what_is_rare_is_not_shouted_about(total: int) -> None:
    assert risen([(2, 0), (3, 0), (4, 0)], total, 10**6) == {}
    assert list(risen([(2, 0), (50, 1), (4, 0)], 1000, 1000)) == [1]
    assert risen([(1, 50)], 1000, 1000) == {}
    assert risen([], 1000, 1000) == {}


def everything(counts: Sequence[tuple[int, int]], total: int, total_before: int) -> dict[int, float]:
    return {place: float(now) for place, (now, _) in enumerate(counts)}


def expected_windows(world: World, chosen: Filter, against: Against) -> tuple[Filter, Filter] | None:
    times = [one.created_at for one in world.read(Filter(model_version_id=chosen.model_version_id)) if one.created_at]
    newest, since, until = max(times), chosen.since, chosen.until
    if since is None and until is None:
        since = newest.replace(hour=0, minute=0)
        until = since + DAY
    elif since is None and until is not None:
        since = until - DAY
    elif until is None:
        until = newest.replace(minute=0) + timedelta(hours=1)
    assert since is not None
    assert until is not None
    if since >= until:
        return None
    back = until - since if against == "previous" else 7 * DAY
    return replace(chosen, since=since, until=until), replace(chosen, since=since - back, until=until - back)


def expected(world: World, window: Filter, before: Filter) -> list[tuple[str, str, int, int, int, int, list[int]]]:
    counts = [
        Counter(key for key, _ in {(one.key, one.tweet.id) for one in world.mentions(side)})
        for side in (window, before)
    ]
    totals = [len(world.read(side)) for side in (window, before)]
    rows = []
    for key, number in counts[0].items():
        ids = sorted({one.tweet.id for one in world.mentions(window) if one.key == key}, reverse=True)[:3]
        shown = world.shown(key, window.model_version_id)
        rows.append((shown, key[1], number, totals[0], counts[1][key], totals[1], ids))
        assert len(ids) == min(3, number)
    names = {world.shown(key, window.model_version_id): key[0] for key in counts[0]}
    return sorted(rows, key=lambda row: (-row[2], names[row[0]], row[1]))


def figures(one: Trend) -> tuple[str, str, int, int, int, int, list[int]]:
    ids = [example.tweet_id for example in one.examples]
    return (one.shown, one.label, one.tweets, one.tweets_read, one.tweets_before, one.tweets_read_before, ids)


moments = st.sampled_from([NOON + timedelta(hours=hours) for hours in (-60, -36, -12, -6, 0, 2.5, 12, 30, 36)])


@few
@given(
    chosen=filters(),
    since=st.none() | moments,
    until=st.none() | moments,
    against=st.sampled_from(["previous", "last-week"]),
)
def test_counts(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch,
    chosen: Filter, since: datetime | None, until: datetime | None, against: Against,
) -> None:  # fmt: skip
    monkeypatch.setattr(trends, "risen", everything)
    check(database, world, replace(chosen, since=since, until=until), against)


@pytest.mark.parametrize("label", [None, "PER"])
@pytest.mark.parametrize("hidden", [False, True])
def test_counts_of_whole_days_by_the_maintained_counts(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch, label: str | None, hidden: bool
) -> None:
    monkeypatch.setattr(trends, "risen", everything)
    chosen = Filter(model_version_id=1, label=label, hidden=hidden)
    compared = [check(database, world, chosen, "previous")]
    for days in (-1, 0, 1):
        since = NOON.replace(hour=0) + days * DAY
        compared.append(check(database, world, replace(chosen, since=since, until=since + DAY), "previous"))
        check(database, world, replace(chosen, since=since - DAY, until=since + DAY), "previous")
    assert any(one.tweets_before for found in compared for one in found)


def check(database: Database, world: World, chosen: Filter, against: Against) -> list[Trend]:
    sides = expected_windows(world, chosen, against)
    with database.read_session() as session:
        if sides is None or not world.read(sides[0]) or not world.read(sides[1]):
            with pytest.raises(QueryError, match=r"is empty|nothing to compare"):
                trending(session, chosen, against, 50)
            return []
        found = trending(session, chosen, against, 50)
        assert windows(session, chosen, against) == sides
        coverage = cover(session, sides[0])
    assert [figures(one) for one in found] == expected(world, *sides)
    assert (coverage.tweets, coverage.mentions) == (len(world.read(sides[0])), len(world.mentions(sides[0])))
    for one in found:
        assert all(example.text[example.start : example.end] == example.surface for example in one.examples)
    return found


def fill(database: Database, burst: int) -> int:
    """Three days of tweets with one or two names each by Zipf's law; in the last one, some mention London, too."""
    random, names, version_id, found = Random(3), [f"Name{number}" for number in range(200)], add_version(database), {}
    weights = [1 / (rank + 1) for rank in range(len(names))]
    for number in range(900):
        surfaces = random.choices(names, weights, k=random.randrange(1, 3))
        at = datetime(2026, 3, 1, tzinfo=UTC) + (number // 300) * DAY + timedelta(minutes=random.randrange(1440))
        if number >= 900 - burst:
            surfaces = ["London", *surfaces]
        text, all_ = "", []
        for surface in surfaces:
            all_.append(Span(len(text), len(text) + len(surface), LABELS[len(surface) % 3], 0.9))
            text += surface + " "
        found[StoredTweet(number, text, at, None, None, None)] = tuple(all_)
    store(database, World(), version_id, found)
    return version_id


@pytest.mark.parametrize("burst", [0, 40])
def test_a_stored_stream(database: Database, burst: int) -> None:
    chosen = Filter(model_version_id=fill(database, burst))
    for asked in (chosen, replace(chosen, min_score=0.1)):
        with database.read_session() as session:
            found = trending(session, asked)
        assert [one.name for one in found] == (["london"] if burst else [])
        for one in found:
            assert (one.shown, one.tweets, one.tweets_read, one.tweets_before) == ("London", 40, 300, 0)
            assert one.times is None
            assert [example.tweet_id for example in one.examples] == [899, 898, 897]


def test_what_cannot_be_compared(database: Database, world: World) -> None:
    chosen = Filter(model_version_id=1)
    with database.read_session() as session:
        with pytest.raises(QueryError, match=r"no such tweets from 2020-01-01 00:00 to 2020-01-02 00:00.*--since"):
            trending(session, replace(chosen, until=datetime(2020, 1, 2, tzinfo=UTC)))
        with pytest.raises(QueryError, match="no such tweets from 2026-02-24"):
            trending(session, chosen, "last-week")
        with pytest.raises(QueryError, match="more than seven days overlaps"):
            trending(session, replace(chosen, since=NOON - 8 * DAY), "last-week")
        with pytest.raises(QueryError, match="no time before"):
            trending(session, replace(chosen, since=datetime(1, 1, 1, tzinfo=UTC)))
        with pytest.raises(QueryError, match="no time before"):
            trending(session, replace(chosen, until=datetime(1, 1, 1, tzinfo=UTC)))
        with pytest.raises(QueryError, match="version 3 has read no tweet with a time"):
            trending(session, replace(chosen, model_version_id=3))
