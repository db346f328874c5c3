"""Mentions by the name of their entity, and one tweet's reading."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from db import spans, tweets
from db.edit_distance import is_within
from db.entity_names import normalised_name
from db.filters import Filter
from db.questions.reading import read_tweet
from db.questions.search import How, Mention, search
from db.questions.top import top
from db.selection import newest_tweet_time
from db.session import Database
from db.tables import Annotation, Entity, ModelVersion, Tweet
from db.tables import Span as SpanRow
from tagging.errors import QueryError
from tagging.spans import Span
from tests.questions.world import NOON, Found, StoredTweet, World, add_version, filters, store

few = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)


def mention(one: Found, label: str) -> Mention:
    tweet, span = one.tweet, one.span
    score = pytest.approx(span.score, abs=1e-6)
    return Mention(
        tweet.id, tweet.created_at, tweet.author, tweet.text, span.start, span.end, label, one.surface, score
    )


def newest_first(one: Found) -> tuple[float, int, int]:
    at = one.tweet.created_at
    return (-at.timestamp() if at else float("inf"), -one.tweet.id, one.span.start)


def store_names(
    database: Database, version_id: int, tweet_id: int, at: datetime | None, *names: tuple[str, str]
) -> None:
    """Store a tweet that holds the names (surface, label), one after the other, and its reading."""
    text, found = "RT:", []
    for surface, label in names:
        found.append(Span(len(text) + 1, len(text) + 1 + len(surface), label, 0.5))
        text += f" {surface}"
    store(database, World(), version_id, {StoredTweet(tweet_id, text, at, None, None, None): tuple(found)})


def distance(one: str, other: str) -> int:
    """Levenshtein's, by its definition."""
    if not one or not other:
        return len(one) + len(other)
    if one[0] == other[0]:
        return distance(one[1:], other[1:])
    return 1 + min(distance(one[1:], other), distance(one, other[1:]), distance(one[1:], other[1:]))


def is_near(name: str, other: str) -> bool:
    return distance(name, other) <= (0 if len(name) < 3 else 1 if len(name) < 6 else 2)


MATCHES: dict[How, Callable[[str, str], bool]] = {
    "exact": lambda name, other: other == name,
    "prefix": lambda name, other: other.startswith(name),
    "substring": lambda name, other: name in other,
    "fuzzy": is_near,
}


@few
@given(
    text=st.sampled_from(["london", "@LONDON!", "derry", "bob", "Ann", "sao", "SÃO  paulo", "%", "_", "0% s", "xyz"]),
    chosen=filters(),
    limit=st.integers(1, 80),
    how=st.sampled_from(list(MATCHES)),
)
def test_search(database: Database, world: World, text: str, chosen: Filter, limit: int, how: How) -> None:
    name = normalised_name(text)
    matches = [one for one in world.mentions(chosen) if MATCHES[how](name, normalised_name(one.surface))]
    expected = [mention(one, one.key[1]) for one in sorted(matches, key=newest_first)]
    with database.read_session() as session:
        assert search(session, text, chosen, limit, how) == expected[:limit]


@given(st.text("ab", max_size=6), st.text("ab", max_size=6), st.integers(0, 3))
def test_within_some_edits(one: str, other: str, edits: int) -> None:
    assert is_within(one, other, edits) == (distance(one, other) <= edits)


@few
@given(asked=st.text("ab_%", min_size=1, max_size=7), names=st.lists(st.text("ab_%", min_size=1, max_size=9)))
def test_a_fuzzy_search_finds_all_near_names_and_no_others(database: Database, asked: str, names: list[str]) -> None:
    with database.engine.begin() as connection:
        for table in (SpanRow, Annotation, Tweet, Entity, ModelVersion):
            connection.execute(delete(table))
    version_id = add_version(database)
    known = sorted({normalised_name(name) for name in names})
    for number, name in enumerate(known, start=1):
        store_names(database, version_id, number, None, (name, "PER"))
    with database.read_session() as session:
        found = search(session, asked, Filter(model_version_id=version_id), 1000, "fuzzy")
    assert sorted(one.surface for one in found) == [one for one in known if is_near(normalised_name(asked), one)]


@pytest.mark.parametrize(
    ("text", "near"),
    [("Brack Obama", ["barack obama"]), ("lodnon", ["london"]), ("BBD", ["bbc"]), ("uk", ["uk"]), ("londonn y", [])],
)
def test_misspelt_names_are_found(database: Database, text: str, near: list[str]) -> None:
    version_id = add_version(database)
    names = ["barack obama", "london", "londonderry", "bbc", "uk", "us"]
    store_names(database, version_id, 1, None, *((name, "ORG") for name in names))
    with database.read_session() as session:
        found = search(session, text, Filter(model_version_id=version_id), how="fuzzy")
    assert [one.surface for one in found] == near


@pytest.mark.parametrize("name", ["100% real", "a_b", "it's", 'say "hi" x', "back\\slash", "and/or", "a?b:c", "50%_/x"])
def test_search_takes_every_sign_literally(database: Database, name: str) -> None:
    decoys = [
        "100 real",
        "1000 real",
        "axb",
        "its",
        "say hi x",
        "backslash",
        "andor",
        "a b c",
        "50",
        "50xx",
        "back/slash",
    ]
    version_id = add_version(database)
    store_names(database, version_id, 1, None, *((surface, "PER") for surface in (*decoys, "back/slash", name)))
    with database.read_session() as session:
        for how in MATCHES:
            found = search(session, name, Filter(model_version_id=version_id), how=how)
            assert name in [one.surface for one in found]
            assert how == "fuzzy" or len(found) == 1


@pytest.mark.parametrize("text", ["", "  \t "])
def test_a_search_for_nothing_is_refused(database: Database, text: str) -> None:
    with database.read_session() as session, pytest.raises(QueryError, match="empty"):
        search(session, text, Filter(model_version_id=1))


def test_ties_are_in_the_order_of_names_and_then_labels(database: Database) -> None:
    version_id = add_version(database)
    names = [("cem", "PER"), ("bob", "PER"), ("ann", "PER"), ("bob", "LOC"), ("zoe", "PER"), ("zoe", "PER")]
    for number, name in enumerate(names, start=1):  # so that the entities' ids are in another order
        store_names(database, version_id, number, None, name)
    for chosen in (Filter(model_version_id=version_id), Filter(model_version_id=version_id, min_score=0.1)):
        with database.read_session() as session:
            found = [(one.name, one.label) for one in top(session, chosen)]
            assert found == [("zoe", "PER"), ("ann", "PER"), ("bob", "LOC"), ("bob", "PER"), ("cem", "PER")]
            assert [one.name for one in top(session, chosen, limit=2)] == ["zoe", "ann"]


def test_a_window_includes_its_beginning_and_not_its_end(database: Database) -> None:
    version_id, tick = add_version(database), timedelta(microseconds=1)
    for number, at in enumerate([NOON - tick, NOON, NOON + tick, None], start=1):
        store_names(database, version_id, number, at, ("Ann", "PER"))

    def found(since: datetime | None, until: datetime | None) -> list[int]:
        chosen = Filter(model_version_id=version_id, since=since, until=until)
        with database.read_session() as session:
            return [one.tweet_id for one in search(session, "ann", chosen)]

    elsewhere = NOON.astimezone(timezone(timedelta(hours=-7)))
    assert found(None, None) == [3, 2, 1, 4]
    assert found(elsewhere, None) == [3, 2]
    assert found(None, elsewhere) == [1]
    assert found(NOON, NOON + tick) == [2]
    assert found(NOON, NOON) == []


def test_the_newest_time(database: Database) -> None:
    with database.read_session() as session:
        assert newest_tweet_time(session) is None
    rows = [(number, "t", NOON - timedelta(number), None, None, None) for number in (3, 1, 2)]
    with database.write_session() as session:
        tweets.add(session, [*rows, (9, "t", None, None, None, None)])
    with database.read_session() as session:
        assert newest_tweet_time(session) == (NOON - timedelta(1)).astimezone(UTC)


def test_read_tweet(database: Database, world: World) -> None:
    with database.read_session() as session:
        for version_id, readings in world.readings.items():
            for tweet_id, found in readings.items():
                tweet = world.tweets[tweet_id]
                reading = read_tweet(session, tweet_id, version_id)
                assert (reading.text, reading.status, reading.error) == (tweet.text, "done", None)
                assert reading.mentions == [mention(Found(tweet, span, ("", "")), span.label) for span in found]
                assert all(reading.text[one.start : one.end] == one.surface for one in reading.mentions)


def test_read_tweet_tells_what_was_not_read(database: Database) -> None:
    version_id = add_version(database)
    store_names(database, version_id, 1, NOON, ("Ann", "PER"))
    with database.write_session() as session:
        tweets.add(session, [(tweet_id, "t", None, None, None, None) for tweet_id in (2, 3)])
        spans.mark_dead(session, version_id, [2], "too long")
    with database.read_session() as session:
        dead, waiting = (read_tweet(session, tweet_id, version_id) for tweet_id in (2, 3))
        assert (dead.status, dead.error, dead.mentions) == ("dead", "too long", [])
        assert (waiting.status, waiting.error, waiting.mentions) == (None, None, [])
        assert read_tweet(session, 1, version_id + 1).mentions == []
        with pytest.raises(QueryError, match="tweet 4 is not stored"):
            read_tweet(session, 4, version_id)
