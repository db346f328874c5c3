"""Stored tweets again, with another version: beside the old annotations, or a selection of them; and pruning."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from db import jobs, ledger, selection, spans
from db.selection import Selection
from db.session import Database
from db.tables import Annotation, Entity
from db.tables import Span as SpanRow
from tests.fake_tagger import FakeTagger, drain
from tests.ledger_tools import batches_of, enqueue_tweets, marks_of, new_version
from worker import reannotate as reannotation
from worker.enqueue import enqueue
from worker.reannotate import reannotate
from worker.tweet_files import Tweet

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = Selection()


def span_count(database: Database, version_id: int) -> int:
    with database.read_session() as session:
        mine = select(func.count()).select_from(SpanRow).where(SpanRow.model_version_id == version_id)
        return session.scalars(mine).one()


def entity_count(database: Database) -> int:
    with database.read_session() as session:
        return session.scalars(select(func.count()).select_from(Entity)).one()


@pytest.fixture
def versions(database: Database) -> tuple[int, int]:
    """Two versions; the first has read the tweets 1 to 10, and is active no more."""
    first = new_version(database)
    enqueue_tweets(database, range(1, 11))
    drain(database, FakeTagger())
    return first, new_version(database)


def test_a_second_version_reads_everything_beside_the_first(
    database: Database, versions: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions
    monkeypatch.setattr(reannotation, "_CHUNK", 4)
    steps: list[int] = []
    summary = reannotate(database, second, EVERYTHING, "again", batch_size=3, progress=steps.append)
    assert steps == [4, 4, 2]
    assert summary.job_id is not None
    queued = batches_of(database, summary.job_id)
    assert [batch.tweet_ids for batch in queued] == [[1, 2, 3], [4], [5, 6, 7], [8], [9, 10]]
    assert {batch.model_version_id for batch in queued} == {second}
    drain(database, FakeTagger())
    assert marks_of(database, first) == marks_of(database, second) == dict.fromkeys(range(1, 11), "done")
    assert span_count(database, first) == span_count(database, second) == 10
    assert entity_count(database) == 1
    with database.read_session() as session:
        found = jobs.progress(session, summary.job_id)
    assert (found.name, found.state, found.done) == ("again", "done", 10)


def test_a_version_that_is_not_active_reads_what_it_is_given(database: Database, versions: tuple[int, int]) -> None:
    enqueue_tweets(database, [11])
    first, second = versions
    assert reannotate(database, first, EVERYTHING, "again").added == 1
    drain(database, FakeTagger())
    assert (marks_of(database, first).keys(), marks_of(database, second)) == (set(range(1, 12)), {11: "done"})


def test_what_is_marked_is_not_queued(database: Database, versions: tuple[int, int]) -> None:
    first, second = versions
    assert reannotate(database, first, EVERYTHING, "again").job_id is None
    with database.write_session() as session:
        spans.mark_dead(session, second, [2], "dead")
    assert reannotate(database, second, EVERYTHING, "again").added == 9
    assert reannotate(database, second, EVERYTHING, "twice").added == 9, "open batches are no marks"
    tagger = FakeTagger()
    drain(database, tagger)
    assert sum(map(len, tagger.calls)) == 9, "but the second time nothing is tagged"
    assert marks_of(database, second) == dict.fromkeys(range(1, 11), "done") | {2: "dead"}


def add(database: Database, tweet_id: int, text: str, **columns: Any) -> None:
    empty: dict[str, Any] = dict.fromkeys(("created_at", "author", "language", "retweet_of"))
    enqueue(database, [Tweet(id=tweet_id, text=text, **empty | columns)], "test")


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Selection(), [1, 2, 3, 4]),
        (Selection(language="EN"), [1, 2]),
        (Selection(author="ANA"), [1, 3]),
        (Selection(author="ÉLAN"), [2]),
        (Selection(author="ana_"), []),
        (Selection(since=NOON), [2, 3]),
        (Selection(until=NOON), [1]),
        (Selection(since=NOON, until=NOON + timedelta(hours=1)), [2]),
        (Selection(text="LONDON"), [1, 3]),
        (Selection(text="100%"), [4]),
        (Selection(text="%"), [4]),
        (Selection(language="en", author="ana", text="london"), [1]),
        (Selection(language="en", author="nobody"), []),
    ],
    ids=str,
)
def test_each_condition_holds(database: Database, chosen: Selection, expected: list[int]) -> None:
    version_id = new_version(database)
    add(database, 1, "Ann in London", language="en", author="ana", created_at=NOON - timedelta(seconds=1))
    add(database, 2, "Ann in Paris", language="en", author="ÉLAN", created_at=NOON)
    add(database, 3, "london calls", language="fr", author="Ana", created_at=NOON + timedelta(hours=1))
    add(database, 4, "100% without anything")
    with database.read_session() as session:
        assert selection.unread(session, version_id, chosen, -1, 100) == expected
        assert selection.unread(session, version_id, chosen, 1, 2) == [one for one in expected if one > 1][:2]


def test_prune_removes_one_version_only(database: Database, versions: tuple[int, int]) -> None:
    first, second = versions
    reannotate(database, second, EVERYTHING, "again")
    drain(database, FakeTagger())
    with database.write_session() as session:
        spans.mark_dead(session, first, [5], "dead")
    last, steps = -1, []
    while True:
        with database.write_session() as session:
            removed = spans.prune(session, first, last, 4)
        if removed is None:
            break
        steps.append(removed)
        last = removed[1]
    assert steps == [(4, 4), (4, 8), (2, 10)]
    assert (marks_of(database, first), span_count(database, first)) == ({}, 0)
    assert len(marks_of(database, second)) == span_count(database, second) == 10
    assert entity_count(database) == 1
    assert reannotate(database, first, EVERYTHING, "once more").added == 10, "what is pruned can be read again"
    with database.read_session() as session:
        assert not ledger.is_empty(session, version_id=first)
        assert ledger.is_empty(session, version_id=second)


def test_pruning_what_is_not_there_removes_nothing(database: Database, versions: tuple[int, int]) -> None:
    with database.write_session() as session:
        assert spans.prune(session, versions[1], -1, 4) is None
        assert session.scalars(select(func.count()).select_from(Annotation)).one() == 10
