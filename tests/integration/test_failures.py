"""Dead tweets: grouped and chosen, read again once, or forgotten."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from db import failures, spans
from db.failures import Choice
from db.selection import Selection
from db.session import Database, open_database
from db.status import read_status
from db.tables import Annotation
from tests.fake_tagger import FakeTagger, drain
from tests.ledger_tools import FakeClock, batches_of, enqueue_tweets, marks_of, new_version
from worker import reannotate as requeueing
from worker.reannotate import reannotate, requeue

MEMORY, NAN, HUNDRED = "MemoryError: out of memory", "not 50_100% numbers", "not 50x100y numbers"


@pytest.fixture
def versions(database: Database, fake_clock: FakeClock) -> tuple[int, int]:
    """Two versions that have read the tweets 1 to 9: five are dead for the first, and one of these for the second."""
    first, second = new_version(database), new_version(database)
    enqueue_tweets(database, range(1, 10))
    for version_id, ids, error in (
        (first, [1, 2, 3], MEMORY), (first, [4], NAN), (first, [5], HUNDRED), (second, [1], MEMORY),
    ):  # fmt: skip
        with database.write_session() as session:
            spans.mark_dead(session, version_id, ids, error)
        fake_clock.time += 1
    drain(database, FakeTagger())
    assert reannotate(database, first, Selection(), "the rest").added == 4
    drain(database, FakeTagger())
    return first, second


def ask(database: Database, function: Callable[..., Any], *arguments: Any) -> Any:
    with database.write_session() as session:
        return function(session, *arguments)


def dead(database: Database, version_id: int) -> list[int]:
    return sorted(id_ for id_, status in marks_of(database, version_id).items() if status == "dead")


def test_reasons_are_grouped_by_version_the_most_frequent_first(database: Database, versions: tuple[int, int]) -> None:
    first, second = versions
    found = ask(database, failures.reasons, Choice())
    assert (found[0].model_version_id, found[0].error, found[0].tweets) == (first, MEMORY, 3)
    assert {(one.model_version_id, one.error, one.tweets) for one in found[1:]} == {
        (first, NAN, 1), (first, HUNDRED, 1), (second, MEMORY, 1),
    }  # fmt: skip
    assert max(found, key=lambda one: one.latest).model_version_id == second
    assert [one.tweets for one in ask(database, failures.reasons, Choice(model_version_id=second))] == [1]


def test_tweets_are_chosen_by_id_reason_and_version(database: Database, versions: tuple[int, int]) -> None:
    first, second = versions

    def picked(limit: int = 100, **chosen: Any) -> list[tuple[int, int]]:
        keys: list[tuple[int, int]] = ask(database, failures.pick, Choice(**chosen), limit)
        return keys

    assert picked() == [(1, first), (2, first), (3, first), (4, first), (5, first), (1, second)]
    assert picked(2) == [(1, first), (2, first)]
    assert picked(tweet_ids=(1, 5, 9, 77)) == [(1, first), (5, first), (1, second)]
    assert picked(reason=MEMORY) == [(1, first), (2, first), (3, first), (1, second)]
    assert picked(reason="MemoryError") == picked(reason=MEMORY), "the beginning is enough"
    assert picked(reason=NAN) == [(4, first)], "% and _ are letters"
    assert picked(reason="out of memory") == []
    assert picked(model_version_id=second) == [(1, second)]
    assert picked(tweet_ids=(1, 2), reason=MEMORY, model_version_id=first) == [(1, first), (2, first)]


def test_dead_tweets_are_listed_with_their_texts_the_latest_first(
    database: Database, versions: tuple[int, int]
) -> None:
    found = ask(database, failures.listed, Choice(model_version_id=versions[0]), 3)
    assert [(one.tweet_id, one.error, one.text) for one in found] == [
        (5, HUNDRED, "Ann 5"), (4, NAN, "Ann 4"), (1, MEMORY, "Ann 1"),
    ]  # fmt: skip
    assert ask(database, failures.listed, Choice(tweet_ids=(9,)), 3) == []


def test_a_requeue_reads_again_for_the_same_version(
    database: Database, versions: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions
    monkeypatch.setattr(requeueing, "_CHUNK", 2)
    summary = requeue(database, Choice(), "again", batch_size=1)
    assert (summary.added, summary.batches) == (6, 6)
    assert summary.job_id is not None
    queued = [(batch.model_version_id, batch.tweet_ids) for batch in batches_of(database, summary.job_id)]
    assert queued == [*((first, [number]) for number in range(1, 6)), (second, [1])]
    assert dead(database, first) == dead(database, second) == []
    tagger = FakeTagger()
    drain(database, tagger)
    assert sorted(texts[0] for texts in tagger.calls) == ["Ann 1", "Ann 1", "Ann 2", "Ann 3", "Ann 4", "Ann 5"]
    assert marks_of(database, first) == dict.fromkeys(range(1, 10), "done")
    assert requeue(database, Choice(), "again").job_id is None, "a job without tweets"


def test_a_requeue_by_reason_leaves_the_others(database: Database, versions: tuple[int, int]) -> None:
    first, second = versions
    assert requeue(database, Choice(reason=MEMORY, model_version_id=first), "again").added == 3
    assert (dead(database, first), dead(database, second)) == ([4, 5], [1])


def test_of_two_requeues_at_once_one_gets_each_tweet(
    database_url: str, database: Database, versions: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requeueing, "_CHUNK", 4)
    with database.write_session() as session:
        session.execute(update(Annotation).values(status="dead", error=MEMORY))
    everything = len(ask(database, failures.pick, Choice(), 100))
    begin = Barrier(2)

    def one_of_two(number: int) -> int:
        own = open_database(database_url)
        begin.wait()
        try:
            return requeue(own, Choice(), f"requeue {number}", batch_size=1).added
        finally:
            own.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(one_of_two, range(2))) == everything
    tagger = FakeTagger()
    drain(database, tagger)
    assert sum(map(len, tagger.calls)) == everything


def test_more_tweets_than_one_statement_names_are_requeued(database: Database) -> None:
    version_id, ids = new_version(database), range(1, 2101)
    enqueue_tweets(database, ids)
    with database.write_session() as session:
        spans.mark_dead(session, version_id, ids, MEMORY)
    assert requeue(database, Choice(reason=MEMORY), "again").added == len(ids)


def test_forgotten_tweets_are_neither_listed_nor_read_again(database: Database, versions: tuple[int, int]) -> None:
    first, second = versions
    keys = ask(database, failures.pick, Choice(tweet_ids=(1, 4), model_version_id=first), 10)
    assert ask(database, failures.forget, keys) == 2
    assert ask(database, failures.forget, keys) == 0
    assert (dead(database, first), dead(database, second)) == ([2, 3, 5], [1])
    assert {one.tweet_id for one in ask(database, failures.listed, Choice(), 10)} == {1, 2, 3, 5}
    assert requeue(database, Choice(tweet_ids=(4,)), "again").added == 0
    assert reannotate(database, first, Selection(), "again").added == 0
    counted = ask(database, read_status)
    assert counted.read[first] == {"done": 4, "dead": 3}
    assert {failure.tweet_id for failure in counted.failures} == {1, 2, 3, 5}
