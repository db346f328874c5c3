"""Topping up a real Redis from the ledger, whatever becomes of Redis."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import redis
from sqlalchemy import select

from db import jobs, ledger, model_versions
from db.session import Database
from db.tables import Batch
from tests.ledger_tools import VERSION, FakeClock, claim
from worker import dispatch as module
from worker.dispatch import FULL, REPUBLISH_AFTER, connect, dispatch
from worker.messages import QUEUE, fresh_message, read_batch_id


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with connect(redis_url) as client:
        yield client


def add_batches(database: Database, count: int) -> list[int]:
    with database.write_session() as session:
        job_id = jobs.open_job(session, "test")
        for number in range(1, count + 1):
            ledger.add_batches(session, job_id, [number])
        return list(session.scalars(select(Batch.id).order_by(Batch.id)))


def messages(client: redis.Redis) -> list[int]:
    """The batch ids in Redis, in the order in which workers get them."""
    found: Any = client.lrange(QUEUE, 0, -1)
    return [read_batch_id(one) for one in reversed(found)]


def published(database: Database) -> list[int]:
    with database.read_session() as session:
        return list(session.scalars(select(Batch.id).where(Batch.published_at.is_not(None)).order_by(Batch.id)))


def test_redis_is_filled_and_no_more(database: Database, client: redis.Redis) -> None:
    ids = add_batches(database, FULL + 8)
    assert dispatch(database, client) == FULL
    assert messages(client) == ids[:FULL] == published(database)
    assert dispatch(database, client) == 0
    for _ in range(5):
        client.rpop(QUEUE)
    assert dispatch(database, client) == 5
    assert messages(client) == ids[5 : FULL + 5]
    client.delete(QUEUE)  # consumed, and nobody claimed them yet
    assert dispatch(database, client) == 3
    assert published(database) == ids


def test_a_queue_that_is_too_full_is_left_alone(database: Database, client: redis.Redis) -> None:
    add_batches(database, 3)
    client.lpush(QUEUE, *map(fresh_message, range(1001, FULL + 1011)))
    assert dispatch(database, client) == 0
    assert published(database) == []


def test_nothing_to_do(database: Database, client: redis.Redis) -> None:
    assert dispatch(database, client) == 0
    assert messages(client) == []


def test_after_flushall_everything_that_waits_is_due_at_once(database: Database, client: redis.Redis) -> None:
    with database.write_session() as session:
        model_versions.activate(session, model_versions.register(session, **VERSION).id)
    ids = add_batches(database, 6)
    assert dispatch(database, client) == 6
    with database.write_session() as session:
        done = claim(session, ids[0], 30.0)
        assert done is not None
        assert ledger.finish(session, done)
        assert claim(session, ids[1], 30.0)
    client.flushall()
    assert dispatch(database, client) == 4
    assert messages(client) == ids[2:], "neither what is done nor what runs"
    assert dispatch(database, client) == 0


def test_only_a_wiped_redis_is_filled_anew(database: Database, client: redis.Redis) -> None:
    (batch_id,) = add_batches(database, 1)
    assert dispatch(database, client) == 1
    assert client.ttl(module._ALIVE) == -1, "the marker must not run out"
    client.rpop(QUEUE)  # a worker has it in hand
    assert dispatch(database, client) == 0
    client.delete(module._ALIVE)
    assert dispatch(database, client) == 1
    assert messages(client) == [batch_id]


def test_a_lost_message_is_sent_again_after_a_while(
    database: Database, client: redis.Redis, fake_clock: FakeClock
) -> None:
    (batch_id,) = add_batches(database, 1)
    assert dispatch(database, client) == 1
    client.rpop(QUEUE)
    fake_clock.time += REPUBLISH_AFTER
    assert dispatch(database, client) == 0
    fake_clock.time += 1
    assert dispatch(database, client) == 1
    assert messages(client) == [batch_id]


def test_a_message_that_lies_in_redis_is_not_sent_again(
    database: Database, client: redis.Redis, fake_clock: FakeClock
) -> None:
    first, second = add_batches(database, 2)
    assert dispatch(database, client) == 2
    fake_clock.time += REPUBLISH_AFTER + 1
    assert dispatch(database, client) == 0
    client.rpop(QUEUE)  # the oldest: somebody has it, and dies
    client.lpush(QUEUE, "garbage", "{}", '{"body": "bm90IGpzb24="}', '{"body": "W10="}')
    assert dispatch(database, client) == 1
    with database.read_session() as session:
        times = {batch.id: batch.published_at for batch in session.scalars(select(Batch))}
    assert times == {first: fake_clock.time, second: fake_clock.time - REPUBLISH_AFTER - 1}


def test_recovered_batches_go_to_the_head_also_where_redis_is_full(
    database: Database, client: redis.Redis, fake_clock: FakeClock
) -> None:
    with database.write_session() as session:
        model_versions.activate(session, model_versions.register(session, **VERSION).id)
    ids = add_batches(database, FULL + 3)
    assert dispatch(database, client) == FULL
    client.rpop(QUEUE, 2)
    with database.write_session() as session:
        assert claim(session, ids[0], 30.0)
    assert dispatch(database, client) == 2
    fake_clock.time += 31
    assert dispatch(database, client) == 2
    assert messages(client) == [ids[0], ids[1], *ids[2 : FULL + 2]], "a lease that ran out, a message that was lost"


def test_while_one_dispatches_the_others_leave_it_to_that_one(database: Database, client: redis.Redis) -> None:
    add_batches(database, 1)
    with client.lock(module._LOCK, timeout=60):
        assert dispatch(database, client) == 0
    assert dispatch(database, client) == 1


def test_ten_dispatchers_at_once_publish_each_batch_once(database: Database, client: redis.Redis) -> None:
    assert dispatch(database, client) == 0  # sets the marker: for a wiped Redis see below
    ids = add_batches(database, 150)
    start = Barrier(10)
    seen: list[int] = []

    def run(_: int) -> int:
        start.wait(timeout=10)
        return dispatch(database, client)

    with ThreadPoolExecutor(10) as threads:
        while len(seen) < len(ids):
            count = sum(threads.map(run, range(10)))
            assert 0 < count <= FULL, "together no more than one alone"
            assert len(messages(client)) == count
            seen += messages(client)
            client.delete(QUEUE)
    assert sorted(seen) == ids


def test_two_dispatchers_that_find_redis_wiped_publish_each_batch_once(
    database: Database, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add_batches(database, 3)
    set_marker = client.set

    def set_marker_and_be_overtaken(*arguments: Any, **options: Any) -> Any:
        answer = set_marker(*arguments, **options)
        monkeypatch.setattr(client, "set", set_marker)
        assert dispatch(database, client) == 3
        return answer

    monkeypatch.setattr(client, "set", set_marker_and_be_overtaken)
    dispatch(database, client)
    assert messages(client) == ids


def test_a_crash_while_publishing_delays_the_batches_and_loses_none(
    database: Database, client: redis.Redis, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add_batches(database, 4)

    def is_gone(*_: Any) -> None:
        raise redis.ConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(client, "lpush", is_gone)
        with pytest.raises(redis.ConnectionError):
            dispatch(database, client)
    assert dispatch(database, client) == 0
    fake_clock.time += REPUBLISH_AFTER + 1
    client.delete(QUEUE)
    assert dispatch(database, client) == 4
    assert messages(client) == ids


@pytest.mark.parametrize("trouble", ["nobody listens", "wrong password"])
def test_without_redis_nothing_is_marked_published(database: Database, redis_url: str, trouble: str) -> None:
    url = "redis://127.0.0.1:1/0" if trouble == "nobody listens" else redis_url.replace("secret", "guess")
    add_batches(database, 2)
    with connect(url) as client, pytest.raises(redis.RedisError):
        dispatch(database, client)
    assert published(database) == []
