"""Answers to questions, against the same answers computed in plain Python from the same rows."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import entities, exports, model_versions, spans, tweets
from db.entities import EntityCount, Filter, Mention
from db.entity_names import normalised_name
from db.session import Database
from tagging.errors import QueryError
from tagging.spans import Span
from tests.ledger_tools import VERSION

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABELS = ("PER", "LOC", "ORG")
SURFACES = ("London", "LONDON", "#london", "Londonderry", "Ann", "ann", "Bob", "bob's", "100% sure", "a_b", "São Paulo")


@dataclass(frozen=True)
class Reading:
    """A stored tweet with its spans by one version."""

    tweet_id: int
    text: str
    created_at: datetime | None
    version_id: int
    spans: tuple[Span, ...]

    def mentions(self) -> list[Mention]:
        return [
            Mention(self.tweet_id, self.created_at, "ann", self.text, one.start, one.end, one.label,
                    one.surface(self.text), one.score)
            for one in self.spans
        ]  # fmt: skip


def add_version(database: Database) -> int:
    with database.write_session() as session:
        return model_versions.register(session, **VERSION).id


def reading(tweet_id: int, version_id: int, created_at: datetime | None, *names: tuple[str, str]) -> Reading:
    """A reading of a tweet that holds the names (surface, label), one after the other."""
    found: list[Span] = []
    text = "RT:"
    for surface, label in names:
        found.append(Span(len(text) + 1, len(text) + 1 + len(surface), label, 0.5))
        text += f" {surface}"
    return Reading(tweet_id, text, created_at, version_id, tuple(found))


def save(database: Database, readings: list[Reading]) -> None:
    with database.write_session() as session:
        keys = {spans.entity_key(one.text, span) for one in readings for span in one.spans}
        ids = spans.look_up_entities(session, keys)
        for one in readings:
            tweets.add(session, [(one.tweet_id, one.text, one.created_at, "ann", None, None)])
            spans.store(session, one.version_id, {one.tweet_id: (one.text, one.spans)}, ids)


def is_chosen(mention: Mention, chosen: Filter) -> bool:
    at = mention.created_at
    return (
        (chosen.label is None or mention.label == chosen.label)
        and (chosen.since is None or (at is not None and at >= chosen.since))
        and (chosen.until is None or (at is not None and at < chosen.until))
    )


def chosen_mentions(readings: list[Reading], chosen: Filter) -> list[Mention]:
    mine = [mention for one in readings if one.version_id == chosen.model_version_id for mention in one.mentions()]
    return [mention for mention in mine if is_chosen(mention, chosen)]


def expected_top(readings: list[Reading], chosen: Filter) -> list[EntityCount]:
    groups: dict[tuple[str, str], list[Mention]] = defaultdict(list)
    for mention in chosen_mentions(readings, chosen):
        groups[normalised_name(mention.surface), mention.label].append(mention)
    found = []
    for (name, label), mentions in groups.items():
        surfaces = Counter(mention.surface for mention in mentions)
        surface = min(surfaces, key=lambda one: (-surfaces[one], one))
        found.append(EntityCount(surface, label, name, len(mentions), len({one.tweet_id for one in mentions})))
    return sorted(found, key=lambda one: (-one.mentions, one.name, one.label))


def expected_search(readings: list[Reading], text: str, chosen: Filter) -> list[Mention]:
    def newest_first(mention: Mention) -> tuple[float, int, int]:
        at = mention.created_at
        return (-at.timestamp() if at else float("inf"), -mention.tweet_id, mention.start)

    name = normalised_name(text)
    matches = [one for one in chosen_mentions(readings, chosen) if name in normalised_name(one.surface)]
    return sorted(matches, key=newest_first)


@pytest.fixture
def readings(database: Database) -> list[Reading]:
    """Forty tweets with up to four names each, some without a time, read by two versions with different results."""
    random = Random(7)
    versions = [add_version(database), add_version(database)]
    made = []
    for tweet_id in random.sample(range(1, 1000), 40):
        at = random.choice([None, *(NOON + timedelta(hours=hours) for hours in range(6))])
        names = [(random.choice(SURFACES), random.choice(LABELS)) for _ in range(random.randrange(5))]
        first = reading(tweet_id, versions[0], at, *names)
        made += [first, Reading(tweet_id, first.text, at, versions[1], first.spans[1:])]
    save(database, made)
    return made


moments = st.none() | st.builds(
    lambda hours, offset: (NOON + timedelta(hours=hours)).astimezone(timezone(timedelta(hours=offset))),
    st.sampled_from([-1, 0, 1, 2, 2.5, 4, 5, 6]),
    st.sampled_from([0, -5, 9]),
)
labels = st.none() | st.sampled_from([*LABELS, "MISC"])
few = settings(
    max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@few
@given(label=labels, since=moments, until=moments, second=st.booleans(), limit=st.integers(1, 40))
def test_top(
    database: Database,
    readings: list[Reading],
    label: str | None,
    since: datetime | None,
    until: datetime | None,
    second: bool,
    limit: int,
) -> None:
    chosen = Filter(readings[second].version_id, label, since, until)
    with database.read_session() as session:
        assert entities.top(session, chosen, limit) == expected_top(readings, chosen)[:limit]


@few
@given(
    text=st.sampled_from(["london", "@LONDON!", "derry", "bob", "Ann", "sao", "SÃO  paulo", "%", "_", "0% s", "xyz"]),
    label=labels,
    since=moments,
    until=moments,
    limit=st.integers(1, 80),
)
def test_search(
    database: Database,
    readings: list[Reading],
    text: str,
    label: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    chosen = Filter(readings[0].version_id, label, since, until)
    with database.read_session() as session:
        assert entities.search(session, text, chosen, limit) == expected_search(readings, text, chosen)[:limit]


def test_read_tweet(database: Database, readings: list[Reading]) -> None:
    with database.read_session() as session:
        for one in readings:
            found = entities.read_tweet(session, one.tweet_id, one.version_id)
            assert (found.text, found.status, found.error) == (one.text, "done", None)
            assert found.mentions == one.mentions()
            assert all(one.text[mention.start : mention.end] == mention.surface for mention in found.mentions)


def test_read_tweet_tells_what_was_not_read(database: Database) -> None:
    version_id = add_version(database)
    save(database, [reading(1, version_id, NOON, ("Ann", "PER"))])
    with database.write_session() as session:
        tweets.add(session, [(tweet_id, "t", None, None, None, None) for tweet_id in (2, 3)])
        spans.mark_dead(session, version_id, [2], "too long")
    with database.read_session() as session:
        dead, waiting = (entities.read_tweet(session, tweet_id, version_id) for tweet_id in (2, 3))
        assert (dead.status, dead.error, dead.mentions) == ("dead", "too long", [])
        assert (waiting.status, waiting.error, waiting.mentions) == (None, None, [])
        assert entities.read_tweet(session, 1, version_id + 1).mentions == []
        with pytest.raises(QueryError, match="tweet 4 is not stored"):
            entities.read_tweet(session, 4, version_id)


def export(database: Database, version_id: int, page: int) -> list[dict[str, Any]]:
    """Read the export to its end, page by page, each in a session of its own."""
    rows: list[dict[str, Any]] = []
    while True:
        with database.read_session() as session:
            found = exports.annotated_tweets(session, version_id, after=int(rows[-1]["id"]) if rows else 0, limit=page)
        if not found:
            return rows
        rows.extend(found)


def test_export(database: Database, readings: list[Reading]) -> None:
    for version_id in (readings[0].version_id, readings[1].version_id):
        expected = [
            {
                "id": str(one.tweet_id),
                "text": one.text,
                "created_at": one.created_at.isoformat() if one.created_at else None,
                "author": "ann",
                "language": None,
                "retweet_of": None,
                "model_version": version_id,
                "spans": [
                    {"start": s.start, "end": s.end, "label": s.label, "surface": s.surface(one.text), "score": 0.5}
                    for s in one.spans
                ],
            }
            for one in sorted(readings, key=lambda one: one.tweet_id)
            if one.version_id == version_id
        ]
        assert export(database, version_id, page=7) == expected  # forty tweets: the last page is not full


def test_export_ends_after_a_full_page_and_leaves_out_dead_tweets(database: Database) -> None:
    version_id = add_version(database)
    ids = [2**63 - 1, 1, 2**53 + 1, 2**53]
    save(database, [reading(tweet_id, version_id, None) for tweet_id in ids])
    with database.write_session() as session:
        tweets.add(session, [(7, "t", None, None, None, None)])
        spans.mark_dead(session, version_id, [7], "too long")
    assert export(database, version_id + 1, page=2) == []
    assert [row["id"] for row in export(database, version_id, page=2)] == [str(tweet_id) for tweet_id in sorted(ids)]


@pytest.mark.parametrize("name", ["100% real", "a_b", "it's", 'say "hi" x', "back\\slash", "and/or", "a?b:c", "50%_/x"])
def test_search_takes_every_sign_literally(database: Database, name: str) -> None:
    version_id = add_version(database)
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
    names = [(surface, "PER") for surface in [*decoys, name]]
    save(database, [reading(1, version_id, None, *names)])
    with database.read_session() as session:
        assert [one.surface for one in entities.search(session, name, Filter(version_id))] == [name]


def test_a_search_for_nothing_is_refused(database: Database) -> None:
    with database.read_session() as session:
        for text in ("", "  \t "):
            with pytest.raises(QueryError, match="empty"):
                entities.search(session, text, Filter(1))


def test_ties_are_in_the_order_of_names_and_then_labels(database: Database) -> None:
    version_id = add_version(database)
    names = [("cem", "PER"), ("bob", "PER"), ("ann", "PER"), ("bob", "LOC"), ("zoe", "PER"), ("zoe", "PER")]
    for number, name in enumerate(names, start=1):  # so that the entities' ids are in another order
        save(database, [reading(number, version_id, None, name)])
    with database.read_session() as session:
        found = [(one.name, one.label) for one in entities.top(session, Filter(version_id))]
        assert found == [("zoe", "PER"), ("ann", "PER"), ("bob", "LOC"), ("bob", "PER"), ("cem", "PER")]
        assert [one.name for one in entities.top(session, Filter(version_id), limit=2)] == ["zoe", "ann"]


def test_a_window_includes_its_beginning_and_not_its_end(database: Database) -> None:
    version_id = add_version(database)
    tick = timedelta(microseconds=1)
    times = [NOON - tick, NOON, NOON + tick, None]
    save(database, [reading(number, version_id, at, ("Ann", "PER")) for number, at in enumerate(times, start=1)])

    def found(since: datetime | None, until: datetime | None) -> list[int]:
        with database.read_session() as session:
            mentions = entities.search(session, "ann", Filter(version_id, None, since, until))
        return [one.tweet_id for one in mentions]

    elsewhere = NOON.astimezone(timezone(timedelta(hours=-7)))
    assert found(None, None) == [3, 2, 1, 4]
    assert found(elsewhere, None) == [3, 2]
    assert found(None, elsewhere) == [1]
    assert found(NOON, NOON + tick) == [2]
    assert found(NOON, NOON) == []


def test_the_newest_time(database: Database) -> None:
    with database.read_session() as session:
        assert entities.newest_tweet_time(session) is None
    save(database, [reading(number, add_version(database), NOON - timedelta(number)) for number in (3, 1, 2)])
    save(database, [reading(9, add_version(database), None)])
    with database.read_session() as session:
        assert entities.newest_tweet_time(session) == NOON - timedelta(1)
