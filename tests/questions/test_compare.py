"""Two sides compared: authors, languages, windows and versions, by brute force."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.filters import Filter
from db.questions.compare import Contrast, compare
from db.questions.measures import log_likelihood
from db.session import Database
from tagging.errors import QueryError
from tests.questions.world import NOON, World, filters

few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)

Row = tuple[str, str, str, int, int, int, int, float]


def expected(world: World, sides: tuple[Filter, Filter]) -> list[Row]:
    totals = [len(world.read(side)) for side in sides]
    mentions = [Counter(one.key for one in world.mentions(side)) for side in sides]
    tweets = [Counter(key for key, _ in {(one.key, one.tweet.id) for one in world.mentions(side)}) for side in sides]
    rows = []
    for key in mentions[0] | mentions[1]:
        score = log_likelihood(tweets[0][key], totals[0], tweets[1][key], totals[1])
        here = 0 if mentions[0][key] else 1
        shown = world.shown(key, sides[here].model_version_id)
        figures = (mentions[0][key], tweets[0][key], mentions[1][key], tweets[1][key])
        rows.append((shown, key[1], key[0], *figures, score))
    return sorted(rows, key=lambda row: (-abs(row[-1]), row[2], row[1]))


def figures(one: Contrast) -> Row:
    counts = (one.mentions, one.tweets, one.other_mentions, one.other_tweets)
    return (one.shown, one.label, one.name, *counts, one.score)


def check(database: Database, world: World, one: Filter, other: Filter, limit: int = 50) -> list[Contrast]:
    with database.read_session() as session:
        if not world.read(one) or not world.read(other):
            with pytest.raises(QueryError, match="has read no tweets of the"):
                compare(session, one, other, limit)
            return []
        found = compare(session, one, other, limit)
    assert [figures(contrast) for contrast in found] == expected(world, (one, other))[:limit]
    for contrast in found:
        assert contrast.tweets_read == len(world.read(one))
        assert contrast.rate == contrast.tweets / len(world.read(one))
        assert contrast.other_rate == contrast.other_tweets / len(world.read(other))
    return found


@few
@given(one=filters(), other=filters(), limit=st.integers(1, 50))
def test_two_filters(database: Database, world: World, one: Filter, other: Filter, limit: int) -> None:
    check(database, world, one, other, limit)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("label", [None, "PER"])
def test_versions_and_days_by_the_maintained_counts(
    database: Database, world: World, label: str | None, hidden: bool
) -> None:
    one, day = Filter(model_version_id=1, label=label, hidden=hidden), timedelta(days=1)
    morning = NOON.replace(hour=0)
    days = replace(one, since=morning - day, until=morning), replace(one, since=morning, until=morning + day)
    assert check(database, world, one, replace(one, model_version_id=2))
    assert check(database, world, *days)
    assert check(database, world, one, replace(days[0], label=None, hidden=not hidden))


def test_over_and_under_represented(database: Database, world: World) -> None:
    one, other = Filter(model_version_id=1, author="ann"), Filter(model_version_id=1, author="bob")
    found, mirrored = check(database, world, one, other), check(database, world, other, one)
    assert {contrast.score > 0 for contrast in found} == {True, False}
    assert [contrast.score for contrast in found] == pytest.approx([-contrast.score for contrast in mirrored])


def test_a_side_without_tweets(database: Database, world: World) -> None:
    one, nobody = Filter(model_version_id=1), Filter(model_version_id=1, author="nobody")
    with database.read_session() as session:
        with pytest.raises(QueryError, match="of the other side"):
            compare(session, one, nobody)
        with pytest.raises(QueryError, match="of the first side"):
            compare(session, nobody, one)
