"""The comparison of the chaos driver finds what it is there to find."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from benchmarks.delivery.comparison import Findings, Stored, compare, lost_and_doubled, miscounted, recorded_versions
from benchmarks.delivery.fake_tagger import KILLER, POISON, DisturbedTagger, FakeTagger, find_spans
from benchmarks.delivery.reference import register_versions, undisturbed
from db.counts import EVER
from db.periods import UNDATED
from db.session import open_database
from db.tables import EntityCount, HourCount
from tagging.errors import PoisonTweetError
from tests.questions.world import random_world
from worker.enqueue import enqueue
from worker.tweet_files import Tweet

TEXTS = {
    1: "Ana Okafor meets Bob in Kyoto #1",
    2: "nothing here #2",
    3: f"{POISON} Greta #3",
    4: f"{KILLER} Femi #4",
    5: "Ines #5",
}
VERSIONS = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2}


@pytest.fixture
def expected(tmp_path: Path) -> Stored:
    return replace(undisturbed(tmp_path, TEXTS, VERSIONS, FakeTagger), tombstones={6})


def a_span_of(stored: Stored, tweet_id: int) -> tuple[int, int, int, int, str, str, str, str]:
    return min(key for key in stored.spans if key[0] == tweet_id)


def without(mapping: dict, key: object) -> dict:
    return {one: value for one, value in mapping.items() if one != key}


def test_the_undisturbed_process_stores_every_tweet_once(expected: Stored) -> None:
    assert expected.tweets == set(TEXTS)
    assert expected.marks == {(1, 1): "done", (2, 1): "done", (3, 1): "dead", (4, 2): "dead", (5, 2): "done"}
    assert {key[5] for key in expected.spans} == {"Ana Okafor", "Bob", "Kyoto", "Ines"}
    assert compare(expected, expected, {6}) == Findings(set(), set(), set())


@pytest.mark.parametrize(
    ("damage", "findings"),
    [
        (lambda s: replace(s, tweets=s.tweets - {2}), Findings({2}, set(), set())),
        (lambda s: replace(s, marks=without(s.marks, (2, 1))), Findings({2}, set(), set())),
        (lambda s: replace(s, marks=s.marks | {(1, 1): "dead"}), Findings({1}, set(), set())),
        (lambda s: replace(s, marks=s.marks | {(4, 2): "done"}), Findings({4}, set(), set())),
        (lambda s: replace(s, spans=without(s.spans, a_span_of(s, 1))), Findings({1}, set(), set())),
        (lambda s: replace(s, spans=s.spans | {a_span_of(s, 5): 0.1}), Findings({5}, set(), set())),
        (lambda s: replace(s, marks=s.marks | {(1, 2): "done"}), Findings(set(), {1}, set())),
        (
            lambda s: replace(s, spans=s.spans | {(5, 2, 1, 4, "PER", "nes", "nes", "PER"): 0.5}),
            Findings(set(), {5}, set()),
        ),
        (lambda s: replace(s, tweets=s.tweets | {6}), Findings(set(), set(), {6})),
        (lambda s: replace(s, marks=s.marks | {(6, 1): "done"}), Findings(set(), set(), {6})),
        (lambda s: replace(s, tweets=s.tweets | {7}), Findings(set(), {7}, set())),
        (lambda s: replace(s, tombstones=set()), Findings(set(), set(), {6})),
    ],
    ids=[
        "tweet lost", "mark lost", "innocent dead", "killer alive", "span lost", "score off", "two versions",
        "span doubled", "deleted tweet back", "mark of a deleted tweet", "tweet from nowhere",
        "no tombstone",
    ],
)  # fmt: skip
def test_damage_is_found(expected: Stored, damage: Callable[[Stored], Stored], findings: Findings) -> None:
    assert compare(damage(expected), expected, {6}) == findings


def test_findings_are_counted_among_what_a_fault_hit() -> None:
    findings = Findings({1, 2}, {3}, {4})
    assert lost_and_doubled(findings, {2, 3, 5}) == (1, 1)


def test_a_batch_that_has_not_ended_records_nothing(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    register_versions(database, 2)
    enqueue(database, [Tweet(1, "Ana #1", None, None, None, None)], "test")
    with database.read_session() as session:
        assert recorded_versions(session) == {}
    database.close()


def test_a_count_that_is_wrong_missing_or_too_many_is_found(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    random_world(database)
    with database.write_session() as session:
        assert miscounted(session) == 0
        session.execute(update(HourCount).where(HourCount.hour == UNDATED).values(tweets=HourCount.tweets + 1))
        wrong = session.scalars(select(func.count()).where(HourCount.hour == UNDATED)).one()
        assert miscounted(session) == wrong > 0
        session.delete(session.scalars(select(EntityCount).limit(1)).one())
        session.add(EntityCount(model_version_id=9, entity_id=1, day=EVER, label="PER", mentions=1, tweets=1))
        session.flush()
        assert miscounted(session) == wrong + 2
    database.close()


def test_answers_depend_on_text_and_version_alone() -> None:
    text = TEXTS[1]
    assert find_spans(text, 1) == find_spans(text, 1)
    assert [span.surface(text) for span in find_spans(text, 1)] == ["Ana Okafor", "Bob", "Kyoto"]
    assert find_spans(text, 1) != find_spans(text, 2)


def test_poison_is_refused_by_name() -> None:
    with pytest.raises(PoisonTweetError) as refused:
        DisturbedTagger(FakeTagger(1), 1.0).tag([TEXTS[1], TEXTS[3]])
    assert list(refused.value.reasons) == [1]
