"""Real worker processes on a real Redis and both databases: whatever happens, the same spans are stored."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import redis
from sqlalchemy import func, select, text

from db import ledger, optimized_forms
from db.session import Database, open_database
from db.tables import Annotation, Batch, Span, Worker
from tagging.checkpoint import read_manifest
from tagging.onnx_form import write_onnx_form
from tagging.tagger import Tagger
from tests.ledger_tools import FORM
from tests.processes import CELERY, TWEETSPAN, WorkerProcess, environment, read_jsonl, running, tweetspan, wait_until
from tests.tiny import register_model
from tests.web import serving
from trainer.sample import sample_folder

WORKER = [*TWEETSPAN, "worker"]
UNTIL_EMPTY = [*WORKER, "--until-empty"]
LEASE = 30  # seconds, see worker.lease

Spans = dict[tuple[int, int, int, str, str], float]


@pytest.fixture(scope="module")
def tweets_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample stream three times over with other ids: enough work to be disturbed."""
    rows = read_jsonl(sample_folder() / "stream.jsonl")
    file = tmp_path_factory.mktemp("tweets") / "tweets.jsonl"
    with file.open("w", encoding="utf-8") as output:
        for number, row in enumerate(rows * 3, start=1):
            output.write(json.dumps({"id": str(number), "text": row["text"], "created_at": row["created_at"]}) + "\n")
    return file


@pytest.fixture(scope="module")
def expected(model_folder: Path, tweets_file: Path) -> Spans:
    """What one undisturbed process finds."""
    return _found(model_folder, tweets_file)


def _found(folder: Path, tweets_file: Path) -> Spans:
    rows = read_jsonl(tweets_file)
    tagged = Tagger.load(folder, "cpu").tag([row["text"] for row in rows])
    found = {
        (int(row["id"]), span.start, span.end, span.label, span.surface(row["text"])): span.score
        for row, spans in zip(rows, tagged, strict=True)
        for span in spans
    }
    assert len(found) > 500
    assert len({key[3] for key in found}) > 1
    return found


@dataclass
class Place:
    """A database and a broker with the model registered and the tweets enqueued."""

    env: dict[str, str]
    database: Database
    folder: Path

    def is_done(self) -> bool:
        with self.database.read_session() as session:
            return ledger.is_empty(session)

    def count(self, status: str) -> int:
        with self.database.read_session() as session:
            return len(session.scalars(select(Batch.id).where(Batch.status == status)).all())

    def spans(self) -> Spans:
        columns = (Span.tweet_id, Span.start_char, Span.end_char, Span.label, Span.surface, Span.score)
        with self.database.read_session() as session:
            return {tuple(row[:5]): row.score for row in session.execute(select(*columns))}  # type: ignore[misc]


def _place(folder: Path, env: dict[str, str], url: str, model_folder: Path, tweets_file: Path, uri: str = "") -> Place:
    database = open_database(url)
    register_model(database, model_folder, uri)
    done = tweetspan(env, "enqueue", "--batch-size", "8", str(tweets_file))
    assert done.returncode == 0, done.stderr
    assert "1,080 tweets added in 135 batches" in done.stdout
    return Place(env, database, folder)


@pytest.fixture
def embedded(tmp_path: Path, model_folder: Path, tweets_file: Path) -> Iterator[Place]:
    """SQLite and the embedded Redis."""
    place = _place(tmp_path, environment(tmp_path), f"sqlite:///{tmp_path / 'tweetspan.db'}", model_folder, tweets_file)
    yield place
    place.database.close()


@pytest.fixture
def servers(
    tmp_path: Path, postgresql_url: str, redis_url: str, model_folder: Path, tweets_file: Path
) -> Iterator[Place]:
    """PostgreSQL and a Redis on TCP with a password, by two URLs alone."""
    env = environment(tmp_path, postgresql_url, redis_url)
    place = _place(tmp_path, env, postgresql_url, model_folder, tweets_file)
    yield place
    place.database.close()


def _assert_same(found: Spans, expected: Spans) -> None:
    assert found.keys() == expected.keys()
    assert all(abs(found[key] - expected[key]) < 1e-4 for key in expected)


def test_embedded_defaults(embedded: Place, expected: Spans) -> None:
    with running(UNTIL_EMPTY, embedded.env, embedded.folder / "log") as worker:
        assert worker.process.wait(120) == 0, worker.said
    _assert_same(embedded.spans(), expected)
    assert embedded.count("done") == 135


def test_a_worker_with_an_empty_home_fetches_its_model(
    tmp_path: Path, postgresql_url: str, redis_url: str, model_folder: Path, tweets_file: Path, expected: Spans
) -> None:
    env = environment(tmp_path / "home", postgresql_url, redis_url)
    with serving(model_folder.parent) as web:
        uri = f"{web.url}/{model_folder.name}"
        place = _place(tmp_path, env, postgresql_url, model_folder, tweets_file, uri)
        with running(UNTIL_EMPTY, env, tmp_path / "log") as worker:
            assert worker.process.wait(120) == 0, worker.said
    _assert_same(place.spans(), expected)
    place.database.close()
    assert len(web.asked) == len(list(model_folder.iterdir())), "each file is fetched once"
    cached = tmp_path / "home" / "cache" / "models" / read_manifest(model_folder).hash
    assert read_manifest(cached) == read_manifest(model_folder)


def test_two_plain_celery_workers_on_servers(servers: Place, expected: Spans) -> None:
    with (
        running([*CELERY, "-n", "one"], servers.env, servers.folder / "1.log") as one,
        running([*CELERY, "-n", "two"], servers.env, servers.folder / "2.log") as two,
    ):
        wait_until(servers.is_done, 120, "two workers tag everything")
        assert "libtorch" not in Path(f"/proc/{one.process.pid}/maps").read_text(), "the parent imported torch"
        assert one.terminate() == 0
        assert two.terminate() == 0
    _assert_same(servers.spans(), expected)
    for worker in (one, two):
        assert "tweets tagged" in worker.said
        assert "secret-of-the-tests" not in worker.said
    with servers.database.read_session() as session:
        heartbeats = session.scalars(select(Worker)).all()
    assert len(heartbeats) == 2
    assert all(one.stopped_at for one in heartbeats)


def test_killed_worker_loses_nothing(servers: Place, expected: Spans) -> None:
    with running(WORKER, servers.env, servers.folder / "1.log") as victim:
        wait_until(lambda: servers.count("done") > 5, 60, "the victim works")
        wait_until(lambda: _killed_with_a_lease(servers, victim), 60, "it dies with a lease in its hands")
    assert servers.count("leased") in (1, 2), "one is tagged, one may be being stored"
    with running(UNTIL_EMPTY, servers.env, servers.folder / "2.log") as rescuer:
        assert rescuer.process.wait(LEASE + 90) == 0, rescuer.said
    _assert_same(servers.spans(), expected)
    assert _attempts(servers) == {1, 2}, "what it held was begun twice"


def _killed_with_a_lease(place: Place, victim: WorkerProcess) -> bool:
    """Stop the worker; kill it if it holds a lease at this moment, otherwise let it go on."""
    victim.signal_all(signal.SIGSTOP)
    if place.count("leased"):
        victim.kill()
        return True
    victim.signal_all(signal.SIGCONT)
    return False


def test_flushed_redis_loses_nothing(servers: Place, redis_url: str, expected: Spans) -> None:
    with running(UNTIL_EMPTY, servers.env, servers.folder / "log") as worker:
        with redis.Redis.from_url(redis_url) as client:
            wait_until(lambda: servers.count("done") > 5 and client.llen("tweetspan") > 0, 60, "messages wait")
            client.flushall()
        assert worker.process.wait(120) == 0, worker.said
    _assert_same(servers.spans(), expected)


def test_warm_shutdown_leaves_no_lease_and_another_version_is_picked_up(
    servers: Place, model_folder: Path, expected: Spans
) -> None:
    with running(WORKER, servers.env, servers.folder / "1.log") as worker:
        wait_until(lambda: servers.count("done") > 5, 60, "the worker works")
        second = register_model(servers.database, model_folder)  # and activates it
        at_switch = servers.count("done")
        wait_until(lambda: servers.count("done") > at_switch + 5, 60, "it goes on")
        assert worker.terminate() == 0, worker.said
    assert servers.count("leased") == 0
    with running(UNTIL_EMPTY, servers.env, servers.folder / "2.log") as other:
        assert other.process.wait(120) == 0, other.said
    _assert_same(servers.spans(), expected)
    with servers.database.read_session() as session:
        versions = set(session.scalars(select(Annotation.model_version_id)))
        assert versions == {1, second}
        assert len(session.scalars(select(Annotation.tweet_id)).all()) == 1080


def test_killed_child_is_replaced_and_its_batch_returned_at_once(servers: Place, expected: Spans) -> None:
    with running(UNTIL_EMPTY, servers.env, servers.folder / "log") as worker:
        wait_until(lambda: servers.count("done") > 5, 60, "the worker works")
        wait_until(lambda: _child_killed_with_a_lease(servers, worker), 60, "its child dies with a lease in its hands")
        assert worker.process.wait(90) == 0, worker.said
    _assert_same(servers.spans(), expected)
    assert "its process died: Worker exited prematurely: signal 9 (SIGKILL)" in worker.said
    assert _attempts(servers) == {1, 2}


def test_both_batches_of_a_killed_child_are_returned_at_once(servers: Place, expected: Spans) -> None:
    """One that it was storing, and one that it had tagged meanwhile."""
    with running(UNTIL_EMPTY, servers.env, servers.folder / "log") as worker:
        wait_until(lambda: servers.count("done") > 5, 60, "the worker works")
        with servers.database.write_session() as session:
            session.execute(text("LOCK TABLE annotations IN SHARE MODE"))  # nothing can be marked meanwhile
            wait_until(lambda: servers.count("leased") == 2, 30, "one batch is being stored, the next is tagged")
            _child(worker).kill()
        assert worker.process.wait(90) == 0, worker.said
    _assert_same(servers.spans(), expected)
    assert worker.said.count("its process died: Worker exited prematurely: signal 9 (SIGKILL)") == 2
    assert _attempts(servers) == {1, 2}


def test_a_stop_ends_both_batches(servers: Place) -> None:
    with running(WORKER, servers.env, servers.folder / "log") as worker:
        wait_until(lambda: servers.count("done") > 5, 60, "the worker works")
        with servers.database.write_session() as session:
            session.execute(text("LOCK TABLE annotations IN SHARE MODE"))
            wait_until(lambda: servers.count("leased") == 2, 30, "one batch is being stored, the next is tagged")
            worker.process.terminate()
            wait_until(lambda: "Warm shutdown" in worker.said, 30, "it stops")
        assert worker.process.wait(60) == 0, worker.said
    assert servers.count("leased") == 0
    assert _attempts(servers) == {0, 1}
    with servers.database.read_session() as session:
        marked = session.scalars(select(func.count()).select_from(Annotation)).one()
    assert marked == 8 * servers.count("done")


def test_a_child_that_is_killed_while_it_only_stores_is_noticed(servers: Place) -> None:
    """No task runs then, so that Celery tells nobody."""
    with running(WORKER, servers.env, servers.folder / "log") as worker:
        wait_until(lambda: servers.is_done(), 90, "all is tagged")
        with servers.database.write_session() as session:
            session.execute(text("LOCK TABLE annotations IN SHARE MODE"))
            file = servers.folder / "more.jsonl"
            file.write_text('{"id": "5000", "text": "Ann meets Bob"}\n', encoding="utf-8")
            assert tweetspan(servers.env, "enqueue", str(file)).returncode == 0
            wait_until(lambda: servers.count("leased") == 1, 30, "the batch is claimed")
            wait_until(lambda: _is_stuck_in_storing(servers), 30, "it is being stored")
            _child(worker).kill()
        wait_until(lambda: "its process died: it told nobody how" in worker.said, LEASE / 2, "the batch goes back")
        wait_until(lambda: servers.is_done(), 60, "it is tagged again")
    assert _attempts(servers) == {1, 2}


def test_terminated_child_gives_its_batch_back(servers: Place, expected: Spans) -> None:
    with running(WORKER, servers.env, servers.folder / "1.log") as worker:
        wait_until(lambda: servers.count("done") > 5, 60, "the worker works")
        worker.signal_all(signal.SIGTERM)  # as systemd does by default: parent and child at once
        assert worker.process.wait(60) == 0, worker.said
    assert servers.count("leased") == 0
    with running(UNTIL_EMPTY, servers.env, servers.folder / "2.log") as other:
        assert other.process.wait(120) == 0, other.said
    _assert_same(servers.spans(), expected)
    assert _attempts(servers) == {1}


def test_killed_embedded_redis_is_started_again(embedded: Place, expected: Spans) -> None:
    with running(UNTIL_EMPTY, embedded.env, embedded.folder / "log") as worker:
        wait_until(lambda: embedded.count("done") > 5, 60, "the worker works")
        os.kill(int((embedded.folder / "redis" / "redis.pid").read_text()), signal.SIGKILL)
        assert worker.process.wait(120) == 0, worker.said
    _assert_same(embedded.spans(), expected)


def _child_killed_with_a_lease(place: Place, worker: WorkerProcess) -> bool:
    """Stop the child; kill it if it holds a lease at this moment, otherwise let it go on."""
    child = _child(worker)
    child.suspend()
    if place.count("leased"):
        child.kill()
        return True
    child.resume()
    return False


def _is_stuck_in_storing(place: Place) -> bool:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'annotations'::regclass")
    with place.database.read_session() as session:
        return bool(session.scalar(waiting))


def _child(worker: WorkerProcess) -> psutil.Process:
    children = psutil.Process(worker.process.pid).children()
    (child,) = (one for one in children if "spawn_main" in " ".join(one.cmdline()))
    return child


def _attempts(place: Place) -> set[int]:
    with place.database.read_session() as session:
        return set(session.scalars(select(Batch.attempts)))


@pytest.mark.parametrize("where", ["embedded", "servers"])
def test_two_processes_by_one_command_store_what_one_stores(
    where: str, request: pytest.FixtureRequest, expected: Spans
) -> None:
    place: Place = request.getfixturevalue(where)
    with running([*UNTIL_EMPTY, "--processes", "2"], place.env, place.folder / "log") as worker:
        wait_until(lambda: place.count("done") > 5, 60, "they work")
        assert "libtorch" not in Path(f"/proc/{worker.process.pid}/maps").read_text(), "the one that waits has torch"
        assert worker.process.wait(120) == 0, worker.said
    _assert_same(place.spans(), expected)
    assert _attempts(place) == {1}
    with place.database.read_session() as session:
        heartbeats = session.scalars(select(Worker)).all()
        holders = {str(holder).partition("/")[0] for holder in session.scalars(select(Batch.leased_by))}
    assert holders == {one.name for one in heartbeats}, "each had its share"
    assert len(heartbeats) == 2
    assert all(one.stopped_at for one in heartbeats)


def test_two_processes_with_a_fast_form_store_what_one_process_finds_with_it(
    servers: Place, model_folder: Path, tweets_file: Path
) -> None:
    folder = servers.folder / "form"
    manifest = write_onnx_form(model_folder, folder, "int8", [row["text"] for row in read_jsonl(tweets_file)[:100]])
    told = {"model_version_id": 1, "artifact_uri": folder.as_uri(), "artifact_hash": manifest.hash}
    with servers.database.write_session() as session:
        optimized_forms.record(session, **FORM | told | {"precision": "int8"})
    with running([*UNTIL_EMPTY, "--processes", "2"], servers.env, servers.folder / "log") as worker:
        assert worker.process.wait(120) == 0, worker.said
    assert worker.said.count("int8 form") == 2
    _assert_same(servers.spans(), _found(folder, tweets_file))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 1)])  # Celery's codes
def test_two_processes_end_by_one_signal_and_leave_no_lease(
    servers: Place, expected: Spans, number: signal.Signals, code: int
) -> None:
    with running([*WORKER, "--processes", "2"], servers.env, servers.folder / "1.log") as worker:
        wait_until(lambda: servers.count("done") > 5, 60, "they work")
        children = psutil.Process(worker.process.pid).children()
        assert len(children) == 2
        worker.signal_all(number)  # as a terminal does, to the group of the first alone: it tells each of them once
        assert worker.process.wait(60) == code, worker.said
    assert "Cold shutdown" not in worker.said
    assert not any(one.is_running() for one in children)
    assert servers.count("leased") == 0
    with running(UNTIL_EMPTY, servers.env, servers.folder / "2.log") as other:
        assert other.process.wait(120) == 0, other.said
    _assert_same(servers.spans(), expected)
    assert _attempts(servers) == {1}


def test_of_two_processes_one_that_dies_is_told_and_its_code_is_kept(servers: Place, expected: Spans) -> None:
    with running([*UNTIL_EMPTY, "--processes", "2"], servers.env, servers.folder / "log") as worker:
        wait_until(lambda: servers.count("done") > 5, 60, "they work")
        victim = psutil.Process(worker.process.pid).children()[0]
        for process in [victim, *victim.children(recursive=True)]:
            process.kill()
        assert worker.process.wait(LEASE + 90) == 128 + signal.SIGKILL, worker.said
    assert f"worker {victim.pid} ended with exit code 137; 1 go on" in worker.said
    _assert_same(servers.spans(), expected)
