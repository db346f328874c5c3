"""Marks and spans: the mark is the gate, and texts come back as they were."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from db import model_versions, spans, tweets
from db.session import Database
from db.spans import EntityKey
from db.tables import Annotation, Entity, Tweet
from db.tables import Span as SpanRow
from tagging.spans import Span
from tests.ledger_tools import VERSION

NASTY = [
    "tab\there",
    "two\nlines\r\nthree",
    "back\\slash \\t \\n \\\\",
    "\\N",
    "\\.",
    'it\'s "quoted" `so` \'\' ""',
    "family 👩‍👩‍👧‍👦 flag 🇧🇷 e\u0301",
    "{1,2} NULL %s :name ? $1 ;--",
    "   ",
    "\x01\x7f\u2028",
]


@pytest.fixture
def version_id(database: Database) -> int:
    with database.write_session() as session:
        return model_versions.register(session, **VERSION).id


def add_tweets(database: Database, texts: Mapping[int, str]) -> None:
    with database.write_session() as session:
        tweets.add(session, [(tweet_id, text, None, None, None, None) for tweet_id, text in texts.items()])


def store(database: Database, version_id: int, answers: Mapping[int, tuple[str, Sequence[Span]]]) -> int:
    """Store answers as a worker does: entities first, in a transaction of their own."""
    keys = {spans.entity_key(text, span) for text, found in answers.values() for span in found}
    with database.write_session() as session:
        entities = spans.look_up_entities(session, keys)
    with database.write_session() as session:
        return spans.store(session, version_id, answers, entities)[0]


def stored_spans(database: Database) -> list[tuple[int, Span, str]]:
    with database.read_session() as session:
        rows = session.scalars(select(SpanRow).order_by(SpanRow.tweet_id, SpanRow.start_char))
        return [
            (row.tweet_id, Span(row.start_char, row.end_char, row.label, round(row.score, 4)), row.surface)
            for row in rows
        ]


def marks(database: Database) -> dict[int, tuple[str, str | None]]:
    with database.read_session() as session:
        return {row.tweet_id: (row.status, row.error) for row in session.scalars(select(Annotation))}


ANN = "Ann met Bob"
ANSWER = (ANN, [Span(0, 3, "PER", 0.9876), Span(8, 11, "PER", 0.5)])


def test_spans_come_back_as_they_were(database: Database, version_id: int) -> None:
    add_tweets(database, {7: ANN})
    assert store(database, version_id, {7: ANSWER}) == 1
    assert stored_spans(database) == [(7, ANSWER[1][0], "Ann"), (7, ANSWER[1][1], "Bob")]


def test_a_second_reading_adds_nothing(database: Database, version_id: int) -> None:
    add_tweets(database, {1: ANN, 2: ANN, 3: ANN})
    assert store(database, version_id, {1: ANSWER, 2: (ANN, [])}) == 2
    before = stored_spans(database)
    other = (ANN, [Span(0, 11, "ORG"), Span(4, 7, "LOC")])
    assert store(database, version_id, {1: other, 2: other}) == 0
    assert stored_spans(database) == before
    assert store(database, version_id, {2: other, 3: ANSWER}) == 1
    assert stored_spans(database) == before + [(3, span, surface) for _, span, surface in before]


def test_another_version_reads_anew(database: Database, version_id: int) -> None:
    with database.write_session() as session:
        second = model_versions.register(session, **VERSION).id
    add_tweets(database, {1: ANN})
    assert store(database, version_id, {1: ANSWER}) == 1
    assert store(database, second, {1: ANSWER}) == 1
    assert len(stored_spans(database)) == 4


def test_deleted_tweets_are_passed_over(database: Database, version_id: int) -> None:
    add_tweets(database, {1: ANN})
    assert store(database, version_id, {1: ANSWER, 2: ANSWER}) == 1
    assert marks(database) == {1: ("done", None)}
    assert {tweet_id for tweet_id, _, _ in stored_spans(database)} == {1}


def test_a_tweet_without_entities_is_marked_too(database: Database, version_id: int) -> None:
    add_tweets(database, {1: "nothing", 2: "nor here"})
    assert store(database, version_id, {1: ("nothing", []), 2: ("nor here", [])}) == 2
    assert store(database, version_id, {}) == 0
    assert marks(database) == {1: ("done", None), 2: ("done", None)}
    assert stored_spans(database) == []


def test_no_character_is_lost(database: Database, version_id: int) -> None:
    texts = dict(enumerate(NASTY, start=1))
    add_tweets(database, texts)
    answers = {tweet_id: (text, [Span(0, len(text), f"L{text}")]) for tweet_id, text in texts.items()}
    assert store(database, version_id, answers) == len(NASTY)
    assert stored_spans(database) == [(tweet_id, answers[tweet_id][1][0], text) for tweet_id, text in texts.items()]
    with database.read_session() as session:
        assert tweets.texts(session, list(texts)) == texts


def test_dead_tweets_are_marked_with_the_reason(database: Database, version_id: int) -> None:
    add_tweets(database, {1: ANN, 2: ANN, 3: ANN})
    store(database, version_id, {1: ANSWER})
    before = stored_spans(database)
    with database.write_session() as session:
        spans.mark_dead(session, version_id, [1, 2, 99], "it kills the process")
    assert store(database, version_id, {2: ANSWER}) == 0
    assert marks(database) == {1: ("done", None), 2: ("dead", "it kills the process")}
    assert stored_spans(database) == before
    with database.read_session() as session:
        assert spans.marked(session, version_id, [1, 2, 3, 99]) == {1, 2}
        assert spans.marked(session, version_id + 1, [1, 2]) == set()


def test_two_workers_look_up_names_in_opposite_order(database: Database) -> None:
    start = Barrier(2)

    def look_up(keys: list[EntityKey]) -> dict[EntityKey, int]:
        start.wait(timeout=10)
        with database.write_session() as session:
            return spans.look_up_entities(session, keys)

    with ThreadPoolExecutor(2) as threads:
        for attempt in range(5):
            keys = [(f"name {number} of {attempt}", "PER") for number in range(400)]
            one, other = threads.map(look_up, [keys, [*keys[::-1], ("one more", "PER")]])
            assert one.keys() == set(keys)
            assert other == one | {("one more", "PER"): other["one more", "PER"]}


def test_names_are_looked_up_in_sorted_order(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    inserted: list[list[str]] = []
    insert_new = spans.insert_new

    def spy(session: Any, table: Any, rows: Sequence[dict[str, Any]], *returning: Any) -> Any:
        inserted.append([row["name"] for row in rows])
        return insert_new(session, table, rows, *returning)

    monkeypatch.setattr(spans, "insert_new", spy)
    names = [str(number) for number in range(50)]
    with database.write_session() as session:
        spans.look_up_entities(session, {(name, "PER") for name in names})
    assert inserted == [sorted(names)]


def test_many_names_and_the_same_name_under_two_labels(database: Database) -> None:
    keys = [(f"name {number // 2}", "PER" if number % 2 else "LOC") for number in range(2400)]
    with database.write_session() as session:
        first = spans.look_up_entities(session, keys[:1500])
    with database.write_session() as session:
        second = spans.look_up_entities(session, keys)
        assert spans.look_up_entities(session, []) == {}
    assert len(set(second.values())) == len(keys)
    assert {key: second[key] for key in keys[:1500]} == first


def test_long_names_are_cut_and_then_one_entity(database: Database, version_id: int) -> None:
    text = "é" * 300
    add_tweets(database, {1: text})
    store(database, version_id, {1: (text, [Span(0, 300, "ORG")])})
    add_tweets(database, {2: text})
    store(database, version_id, {2: (text, [Span(0, 250, "ORG")])})
    with database.read_session() as session:
        assert session.scalars(select(Entity.name)).all() == ["é" * 200]
        assert session.scalar(select(func.count(SpanRow.entity_id.distinct()))) == 1
    assert [surface for _, _, surface in stored_spans(database)] == [text, text[:250]]


def test_a_deleted_tweet_takes_its_marks_and_spans_along(database: Database, version_id: int) -> None:
    add_tweets(database, {1: ANN, 2: ANN})
    store(database, version_id, {1: ANSWER, 2: ANSWER})
    with database.write_session() as session:
        session.execute(delete(Tweet).where(Tweet.id == 1))
    assert marks(database) == {2: ("done", None)}
    assert {tweet_id for tweet_id, _, _ in stored_spans(database)} == {2}
