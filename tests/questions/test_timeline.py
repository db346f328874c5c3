"""Mentions by hour, day and week: by the maintained counts and by the spans; and the figures drawn from them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from answers.plots import as_svg, save_figure, timeline_figure
from db.filters import Filter
from db.questions.timeline import By, Period, timeline
from db.session import Database
from tagging.errors import QueryError
from tagging.spans import Span
from tests.questions.world import NOON, Key, StoredTweet, World, add_version, entity_id, filters, store

few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
ENTITIES: list[Key] = [("london", "LOC"), ("bob", "PER"), ("a_b", "ORG"), ("ann", "ORG"), ("nobody", "PER")]
LENGTHS: dict[By, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}

bys = st.sampled_from(list(LENGTHS))


def begin(moment: datetime, by: By) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if by == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    return day if by == "day" else day - timedelta(days=day.weekday())


def expected(world: World, chosen: Filter, by: By, key: Key | None) -> list[Period]:
    read = [begin(tweet.created_at, by) for tweet in world.read(chosen) if tweet.created_at]
    found = [one for one in world.mentions(chosen) if key in (None, one.key) and one.tweet.created_at]
    periods = []
    start = min(read, default=NOON)
    while read and start <= max(read):
        here = [one for one in found if one.tweet.created_at and begin(one.tweet.created_at, by) == start]
        mentioning: int | None = len({one.tweet.id for one in here})
        if key is None and chosen.is_plain and chosen.label is None:
            mentioning = None
        periods.append(Period(start, read.count(start), len(here), mentioning))
        start += LENGTHS[by]
    return periods


def answer(database: Database, chosen: Filter, by: By, key: Key | None) -> list[Period]:
    asked = None if key is None else entity_id(database, key)
    with database.read_session() as session:
        return timeline(session, chosen, by, asked)


@few
@given(chosen=filters(), by=bys, key=st.none() | st.sampled_from(ENTITIES))
def test_timeline(database: Database, world: World, chosen: Filter, by: By, key: Key | None) -> None:
    assert answer(database, chosen, by, key) == expected(world, chosen, by, key)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("by", LENGTHS)
def test_timeline_of_all_tweets_by_the_maintained_counts(
    database: Database, world: World, by: By, hidden: bool
) -> None:
    chosen = Filter(model_version_id=1, hidden=hidden)
    for key in (None, *ENTITIES):
        found = answer(database, chosen, by, key)
        assert found == expected(world, chosen, by, key)
        assert any(period.mentions for period in found) != (
            key == ("nobody", "PER") or (key == ("a_b", "ORG") and not hidden)
        )


def test_weeks_begin_on_monday_and_periods_before_1970_are_where_they_belong(database: Database) -> None:
    version_id, world = add_version(database), World()
    sunday = datetime(1969, 12, 28, 23, 59, 59, tzinfo=UTC)
    moments = [
        sunday,
        sunday + timedelta(seconds=1),
        datetime(1970, 1, 4, 23, tzinfo=UTC),
        datetime(1970, 1, 20, tzinfo=UTC),
    ]
    for number, moment in enumerate(moments, start=1):
        tweet = StoredTweet(number, "Ann", moment, None, None, None)
        store(database, world, version_id, {tweet: (Span(0, 3, "PER", 0.5),)})
    for chosen in (Filter(model_version_id=version_id), Filter(model_version_id=version_id, min_score=0.1)):
        for key in (None, ("ann", "PER")):
            weeks = [
                (one.start.date().isoformat(), one.tweets, one.mentions)
                for one in answer(database, chosen, "week", key)
            ]
            starts = ["1969-12-22", "1969-12-29", "1970-01-05", "1970-01-12", "1970-01-19"]
            assert weeks == list(zip(starts, (1, 2, 0, 0, 1), (1, 2, 0, 0, 1), strict=True))


def test_a_share_is_of_the_tweets_and_unknown_without_any() -> None:
    assert Period(NOON, 8, 4, 2).share == 0.25
    assert Period(NOON, 0, 0, 0).share is None
    assert Period(NOON, 8, 4, None).share is None


def test_a_broken_clock_does_not_fill_the_memory(database: Database) -> None:
    version_id = add_version(database)
    for number, moment in enumerate([datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)]):
        store(database, World(), version_id, {StoredTweet(number, "Ann", moment, None, None, None): ()})
    with database.read_session() as session, pytest.raises(QueryError, match="3,652,057 days; ask for a window"):
        timeline(session, Filter(model_version_id=version_id))


def test_nothing_was_read(database: Database) -> None:
    add_version(database)
    with database.read_session() as session:
        assert timeline(session, Filter(model_version_id=1)) == []


@pytest.mark.parametrize("by", LENGTHS)
@pytest.mark.parametrize("knows_tweets", [False, True])
def test_figures_are_the_same_bytes_each_time(tmp_path: Path, by: By, knows_tweets: bool) -> None:
    periods = [Period(NOON + number * LENGTHS[by], 10, number, number if knows_tweets else None) for number in range(9)]
    title = "Mentions of <b>$x^{ & 🎉\x1b[31m 100%"
    one, other = (timeline_figure(periods, title, by) for _ in range(2))
    assert as_svg(one) == as_svg(one) == as_svg(other)
    ElementTree.fromstring(as_svg(one))
    assert "$x^{ &amp; 🎉 [31m" in as_svg(one)
    assert "36 mentions in 90 tweets read" in as_svg(one)
    assert f"mentions per {by}" in as_svg(one)
    assert ("share of tweets" in as_svg(one)) == knows_tweets
    for name in ("a.png", "b.PNG", "c.svg"):
        save_figure(one if name < "b" else other, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.PNG").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "c.svg").read_text(encoding="utf-8").endswith(as_svg(one))


def test_a_figure_of_nothing_and_where_it_cannot_go(tmp_path: Path) -> None:
    figure = timeline_figure([], "nothing", "day")
    save_figure(figure, tmp_path / "a.svg")
    with pytest.raises(QueryError, match=r"let its name end in \.png or \.svg"):
        save_figure(figure, tmp_path / "a.pdf")
    with pytest.raises(QueryError, match=r"cannot write .*: No such file"):
        save_figure(figure, tmp_path / "none" / "a.png")
