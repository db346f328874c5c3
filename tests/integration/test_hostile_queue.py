"""One real worker, and a queue that somebody else writes to: it drops what is not ours and tags the rest."""

import base64
import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from db import ledger
from db.session import Database, open_database
from tests.processes import CELERY, WorkerProcess, environment, running, wait_until
from tests.tiny import register_model
from worker.enqueue import enqueue
from worker.messages import QUEUE, TASK, fresh_message, read_batch_id
from worker.tweet_files import Tweet

DROPPED = "a message on the queue was dropped: "


@dataclass
class Place:
    """A database with a model, a Redis, and a worker that `celery` started."""

    database: Database
    client: redis.Redis
    worker: WorkerProcess

    def is_done(self) -> bool:
        with self.database.read_session() as session:
            return ledger.is_empty(session)


class Trap:
    """Makes a file where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.file,)


def _message(body: bytes = b"[[1], {}, {}]", kind: str = "application/json", **headers: Any) -> bytes:
    """Write a message of Celery's protocol."""
    message = json.loads(fresh_message(1))
    message["body"], message["content-type"] = base64.b64encode(body).decode(), kind
    message["headers"].update(headers)
    return json.dumps(message).encode()


def _without(key: str) -> bytes:
    return json.dumps({name: value for name, value in json.loads(fresh_message(1)).items() if name != key}).encode()


NO_JSON = "it is not JSON"
NO_MESSAGE = "it is no task message"
NO_ID = "its arguments are not one batch id"

HOSTILE: dict[str, tuple[bytes, str]] = {
    "random bytes": (bytes(range(256)), NO_JSON),
    "nothing": (b"", NO_JSON),
    "a pickle": (pickle.dumps({"task": TASK}), NO_JSON),
    "deep": (b"[" * 8000, NO_JSON),
    "a number": (b"1", NO_MESSAGE),
    "an object": (b"{}", NO_MESSAGE),
    "an array": (b"[]", NO_MESSAGE),
    "null": (b"null", NO_MESSAGE),
    "no properties": (_without("properties"), NO_MESSAGE),
    "no headers": (_without("headers"), NO_MESSAGE),
    "no body": (_without("body"), NO_MESSAGE),
    "headers of a wrong type": (b'{"headers": "task"}', NO_MESSAGE),
    "a task of a wrong type": (_message(task=[TASK]), NO_MESSAGE),
    "protocol 1": (b'{"task": "tweetspan.annotate", "id": "1", "args": [1], "kwargs": {}}', NO_MESSAGE),
    "yaml": (_message(b"- [1]\n- {}\n- {}\n", "application/x-yaml"), "its content type is 'application/x-yaml'"),
    "a foreign task": (_message(task="os.system"), "the task 'os.system' is not ours"),
    "a task of Celery's": (_message(task="celery.backend_cleanup"), "'celery.backend_cleanup' is not ours"),
    "a name of two lines": (_message(task="x\n[CRITICAL] all is lost"), r"'x\n[CRITICAL] all is lost'"),
    "a string": (_message(b'[["1"], {}, {}]'), NO_ID),
    "a float": (_message(b"[[1.0], {}, {}]"), NO_ID),
    "a boolean": (_message(b"[[true], {}, {}]"), NO_ID),
    "zero": (_message(b"[[0], {}, {}]"), NO_ID),
    "beyond 64 bits": (_message(b"[[9223372036854775808], {}, {}]"), NO_ID),
    "a number of many digits": (_message(b"[[" + b"9" * 5000 + b"], {}, {}]"), NO_JSON),
    "no argument": (_message(b"[[], {}, {}]"), NO_ID),
    "three arguments": (_message(b"[[1, 2, 3], {}, {}]"), NO_ID),
    "an argument by name": (_message(b'[[], {"batch_id": 1}, {}]'), NO_ID),
    "one more by name": (_message(b'[[1], {"device": "cpu"}, {}]'), NO_ID),
    "a nested list": (_message(b"[[[1]], {}, {}]"), NO_ID),
    "an object for arguments": (_message(b'{"args": [1]}'), NO_ID),
    "a body of no JSON": (_message(b"\x80\x04."), NO_JSON),
    "a body of no base64": (_message().replace(b'"body": "', b'"body": "?'), "its body is not base64"),
    "megabytes": (_message(b'[["' + b"x" * 5_000_000 + b'"], {}, {}]'), "it has 66"),
}

# Of these the batch id is taken, and nothing else.
LADEN: dict[str, bytes] = {
    "callbacks": _message(b'[[1], {}, {"callbacks": [{"task": "celery.map", "args": []}], "chord": {"task": "a.b"}}]'),
    "errbacks": _message(b'[[1], {}, {"errbacks": ["os.system"], "chain": [{"task": "os.system", "args": ["ls"]}]}]'),
    "a time far ahead": _message(eta="2999-01-01T00:00:00"),
    "a time gone by": _message(expires="1999-01-01T00:00:00", retries=-1),
    "headers that Celery cannot read": _message(eta=[1], timelimit="x", id={}, compression="zlib", stamps=1),
    "no batch": _message(b"[[9223372036854775807], {}, {}]"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, redis_server: str, model_folder: Path) -> Iterator[Place]:
    """One worker for all messages."""
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'tweetspan.db'}"
    database = open_database(url)
    register_model(database, model_folder)
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        with running(CELERY, environment(folder, url, redis_server), folder / "log") as worker:
            wait_until(lambda: "ready." in worker.said, 60, "the worker starts")
            yield Place(database, client, worker)
    database.close()


def _push(place: Place, message: bytes) -> str:
    """Push a message, wait until it was taken and a line about it is in the log; return that line."""
    before = place.worker.said.count(DROPPED)
    place.client.lpush(QUEUE, message)
    wait_until(lambda: place.worker.said.count(DROPPED) > before, 20, "the message is dropped")
    assert place.worker.process.poll() is None
    return next(line for line in reversed(place.worker.said.splitlines()) if DROPPED in line)


def _enqueue(place: Place, first: int) -> None:
    rows = (Tweet(first + number, "Ana met Bob in Paris", None, None, None, None) for number in range(4))
    enqueue(place.database, rows, "good", batch_size=2)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_ours_is_dropped_and_said_in_one_short_line(place: Place, name: str) -> None:
    message, reason = HOSTILE[name]
    line = _push(place, message)
    assert reason in line
    assert "ERROR" in line
    assert len(line) < 250


def test_a_pickle_with_a_trap_is_not_opened(place: Place, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    body = pickle.dumps(([1], Trap(trap), {}))
    line = _push(place, _message(body, "application/x-python-serialize"))
    assert "its content type is 'application/x-python-serialize'" in line
    assert not trap.exists()


@pytest.mark.parametrize("name", LADEN)
def test_of_our_own_message_only_the_id_is_taken(place: Place, name: str) -> None:
    message = fresh_message(read_batch_id(LADEN[name]))
    assert set(json.loads(message)["headers"]) == {"task", "id", "lang"}
    assert len(message) < 400


def test_good_batches_are_tagged_between_all_of_them(place: Place) -> None:
    client, worker = place.client, place.worker
    before = worker.said.count(DROPPED)
    for first in (2000, 3000):
        client.lpush(QUEUE, *LADEN.values(), *(message for message, _ in HOSTILE.values()))
        _enqueue(place, first)
    wait_until(place.is_done, 30, "the good batches are tagged")
    wait_until(lambda: worker.said.count(DROPPED) == before + 2 * len(HOSTILE), 30, "the others are dropped")
    wait_until(lambda: client.llen(QUEUE) == 0, 30, "the queue is empty")


def test_a_queue_that_is_no_list_and_orders_over_pubsub(place: Place) -> None:
    """The worker waits for the one to be mended and does not listen to the others."""
    client, worker = place.client, place.worker
    assert "Traceback" not in worker.said
    client.set(QUEUE, "no list")
    client.hset("unacked", "x", "garbage")
    client.zadd("unacked_index", {"x": 1})
    wait_until(lambda: "WRONGTYPE" in worker.said, 30, "the worker notices")
    client.delete(QUEUE)
    assert client.pubsub_numpat() == 0
    order = {"method": "shutdown", "arguments": {}, "destination": None}
    assert client.publish("/0.celery.pidbox", _message(json.dumps(order).encode())) == 0
    _enqueue(place, 4000)
    wait_until(place.is_done, 30, "the worker goes on")
    assert worker.terminate() == 0
