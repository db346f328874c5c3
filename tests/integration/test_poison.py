"""Tweets that cannot be tagged, in the hands of a real worker: they die alone, whatever they do to its process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks.delivery.fake_tagger import KILLER, POISON
from db import ledger, model_versions
from db.session import Database, open_database
from db.tables import Annotation, Batch
from tests.ledger_tools import VERSION
from tests.processes import environment, running, wait_until
from worker.enqueue import enqueue
from worker.tweet_files import Tweet

WORKER = [sys.executable, "-m", "celery", "-A", "benchmarks.delivery.fake_worker", "worker", "--loglevel", "info"]
BATCH = 256


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    database = open_database(postgresql_url)
    with database.write_session() as session:
        model_versions.activate(session, model_versions.register(session, **VERSION).id)
    yield database
    database.close()


def tag(database: Database, env: dict[str, str], log: Path, count: int, marked: dict[int, str]) -> tuple[set[int], str]:
    """Tag the tweets 1 to `count` and return the ids of the dead ones, and what the worker said."""
    texts = {number: f"{marked.get(number, '')} Ann meets Bob #{number}" for number in range(1, count + 1)}
    enqueue(database, (Tweet(number, text, None, None, None, None) for number, text in texts.items()), "", BATCH)
    with running(WORKER, env, log) as worker:
        wait_until(lambda: _is_empty(database), 200, "everything is tagged")
    with database.read_session() as session:
        marks = {mark.tweet_id: mark.status for mark in session.scalars(select(Annotation))}
    assert marks.keys() == texts.keys()
    return {tweet_id for tweet_id, status in marks.items() if status == "dead"}, worker.said


def _is_empty(database: Database) -> bool:
    with database.read_session() as session:
        return ledger.is_empty(session)


def test_a_poison_tweet_in_each_of_twenty_batches(
    database: Database, postgresql_url: str, redis_url: str, tmp_path: Path
) -> None:
    poison = {batch * BATCH + 1 + batch * 7: POISON for batch in range(20)}
    dead, said = tag(database, environment(tmp_path, postgresql_url, redis_url), tmp_path / "log", 20 * BATCH, poison)
    assert dead == poison.keys()
    assert "exited" not in said
    with database.read_session() as session:
        assert {(row.status, row.attempts, row.dead_tweets) for row in session.scalars(select(Batch))} == {
            ("done", 1, 1)
        }


def test_a_tweet_that_kills_its_process(
    database: Database, postgresql_url: str, redis_url: str, tmp_path: Path
) -> None:
    env = environment(tmp_path, postgresql_url, redis_url)
    dead, said = tag(database, env, tmp_path / "log", BATCH, {100: KILLER})
    assert dead == {100}
    deaths = said.count("exited with 'signal 9 (SIGKILL)'")
    assert 0 < deaths <= 12, "twice together, once among sixteen, three times alone, are six"
    with database.read_session() as session:
        error = session.scalars(select(Annotation.error).where(Annotation.status == "dead")).one()
    assert "signal 9 (SIGKILL)" in (error or "")
