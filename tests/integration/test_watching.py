"""What somebody who runs workers sees of them: metrics, the page *Queue*, log lines and traces, of real processes."""

import json
import re
import socket
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.delivery.fake_tagger import LONG, POISON
from db import model_versions
from db.session import open_database
from tests.ledger_tools import VERSION
from tests.processes import TWEETSPAN, WorkerProcess, answers, environment, running, tweetspan, wait_until

WORKER = [sys.executable, "-m", "celery", "-A", "benchmarks.delivery.fake_worker", "worker", "--loglevel", "info"]
SOON = 15.0  # seconds until whatever happens is shown


@dataclass
class Scene:
    """An explorer, and what workers need; `spans` are those that a collector of traces was sent."""

    site: str
    env: dict[str, str]
    folder: Path
    spans: list[Any] = field(default_factory=list)

    def metrics(self) -> dict[str, float]:
        """Ask for the metrics: name and labels, as they are written -> value."""
        families = text_string_to_metric_families(self._get("/metrics"))
        samples = (sample for family in families for sample in family.samples)
        return {f"{one.name}{''.join(f'|{value}' for value in one.labels.values())}": one.value for one in samples}

    def shows(self, name: str, value: float) -> bool:
        """Tell whether a metric has a value."""
        return self.metrics().get(name) == value

    def sentences(self) -> str:
        """Return what the page *Queue* says about the state of things."""
        return " ".join(json.loads(self._get("/queue.json"))["condition"])

    def enqueue(self, *texts: str, first: int) -> None:
        """Queue a tweet for each text by the command, in batches of four."""
        rows = [{"id": str(number), "text": f"{text} #{number}"} for number, text in enumerate(texts, first)]
        lines = "\n".join(map(json.dumps, rows)).encode()
        done = tweetspan(self.env, "enqueue", "--batch-size", "4", "-", stdin=lines)
        assert done.returncode == 0, done.stderr

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.site}{path}", timeout=10) as answer:
            return str(answer.read().decode())


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Any]]]:
    """A collector of traces: its address, and the spans that it was sent."""
    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                spans.extend(span for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", spans
        server.shutdown()
        thread.join()


@pytest.fixture
def scene(postgresql_url: str, redis_url: str, tmp_path: Path, collector: tuple[str, list[Any]]) -> Iterator[Scene]:
    database = open_database(postgresql_url)
    with database.write_session() as session:
        model_versions.activate(session, model_versions.register(session, **VERSION).id)
    database.close()
    env = environment(tmp_path / "home", postgresql_url, redis_url)
    env |= {"TWEETSPAN_LOG_FORMAT": "json", "OTEL_EXPORTER_OTLP_ENDPOINT": collector[0]}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Scene(f"http://127.0.0.1:{port}", env, tmp_path, collector[1])
    with running([*TWEETSPAN, "serve", "--port", str(port), "--log-level", "info"], env, tmp_path / "serve.log"):
        wait_until(lambda: answers(port), 30, "the explorer answers")
        yield made


def test_a_poison_tweet_a_killed_worker_and_a_full_queue_are_shown(scene: Scene) -> None:
    scene.enqueue(*["Ann meets Bob"] * 6, POISON, "Ann", first=1)
    with running(WORKER, scene.env, scene.folder / "worker.log") as worker:
        wait_until(lambda: scene.shows("tweetspan_dead_tweets|1", 1), 60, "the poison tweet is dead")
        wait_until(lambda: scene.shows("tweetspan_batches|done", 2), SOON, "both batches are done")
        assert "1 tweet could not be tagged" in scene.sentences()
        shown = scene.metrics()
        assert shown["tweetspan_workers"] == 1
        assert shown["tweetspan_active_model_version|1"] == 1
        assert shown["tweetspan_read_tweets|1"] == shown["tweetspan_tweets_tagged_total"] == 7
        assert shown["tweetspan_spans|1"] == shown["tweetspan_spans_stored_total"] == 13
        assert shown["tweetspan_claims_total"] == shown["tweetspan_dispatches_total"] == 2
        assert shown["tweetspan_tweets_claimed_total"] == 8
        assert shown["tweetspan_tagging_seconds_total"] > 0.4
        assert shown["tweetspan_oldest_waiting_seconds"] == 0
        _kill_with_a_batch_in_hand(scene, worker)
    wait_until(lambda: scene.shows("tweetspan_workers", 0), SOON, "the worker is missed")
    (name,) = (name for name in scene.metrics() if name.startswith("tweetspan_heartbeat_age_seconds"))
    assert scene.metrics()[name] > 5
    assert re.search("has not been seen for .*: its batch goes back to the queue", scene.sentences())
    scene.enqueue(*["Bob"] * 40, first=200)
    wait_until(lambda: scene.shows("tweetspan_batches|waiting", 10), SOON, "the queue is full")
    assert "10 batches are waiting and none has been seen" in scene.sentences()
    assert scene.metrics()["tweetspan_oldest_waiting_seconds"] > 5


def _kill_with_a_batch_in_hand(scene: Scene, worker: WorkerProcess) -> None:
    scene.enqueue(LONG, first=100)
    wait_until(lambda: scene.shows("tweetspan_leased_batches|1", 1), 20, "the worker has a batch in hand")
    worker.kill()


def test_log_lines_and_traces_tell_which_batch_they_are_about(scene: Scene) -> None:
    scene.enqueue(*["Ann meets Bob"] * 8, first=1)
    with running(WORKER, scene.env, scene.folder / "worker.log") as worker:
        wait_until(lambda: scene.shows("tweetspan_batches|done", 2), 60, "both batches are done")
        assert worker.terminate() == 0
    lines = (scene.folder / "worker.log").read_text(encoding="utf-8").splitlines()
    ours = [json.loads(line) for line in lines if line.startswith("{")]  # Celery prints its banner and a farewell
    said = [line for line in ours if "tagged" in line["message"]]
    assert [(one["job"], one["batch"], one["attempt"], one["version"]) for one in said] == [(1, 1, 1, 1), (1, 2, 1, 1)]
    assert {one["level"] for one in said} == {"INFO"}
    served = [json.loads(line) for line in (scene.folder / "serve.log").read_text(encoding="utf-8").splitlines()]
    assert "color_message" not in {name for line in served for name in line}
    assert any("/metrics" in line["message"] for line in served if line["logger"] == "uvicorn.access")
    assert len({span.trace_id for span in scene.spans}) == 1
    by_name = {span.name: span for span in scene.spans}
    assert sorted(span.name for span in scene.spans) == sorted(["enqueue", *["annotate", "read", "tag", "store"] * 2])
    assert by_name["annotate"].parent_span_id == by_name["enqueue"].span_id
    assert by_name["tag"].parent_span_id in {span.span_id for span in scene.spans if span.name == "annotate"}
    told = {one.key: one.value.int_value for one in by_name["annotate"].attributes}
    assert (told["tweetspan.job"], told["tweetspan.attempt"], told["tweetspan.version"]) == (1, 1, 1)
    assert told["tweetspan.batch"] in (1, 2)
