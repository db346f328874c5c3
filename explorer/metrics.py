"""`/metrics`: how the work stands, for Prometheus. It comes from the ledger: whichever explorer is asked, and whichever
workers died, the figures are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from db import ledger
from db.events import Event
from db.metrics import Metrics, read_metrics
from explorer.parameters import TheService, TheVisitor

router = APIRouter(include_in_schema=False)

_STATES = (ledger.WAITING, ledger.LEASED, ledger.DONE, ledger.DEAD, ledger.SPLIT, ledger.CANCELLED)
_EVENTS = {
    Event.DISPATCHES: "Batches marked to be put in Redis, for the first time or again.",
    Event.CLAIMS: "Attempts to tag a batch, those that were given back too.",
    Event.TWEETS_CLAIMED: "Tweets in the batches of these attempts; divided by them, how full batches are.",
    Event.LEASE_EXPIRIES: "Batches taken over from a process that fell silent.",
    Event.PROCESS_DEATHS: "Batches whose process died under the eyes of its worker.",
    Event.GIVEN_BACK: "Attempts given back for a reason that is not the batch's, or because the worker stopped.",
    Event.FAILURES: "Attempts that ended with an error of the batch.",
    Event.SPLITS: "Batches cut into smaller ones, to find what ends the processes that tag them.",
    Event.FENCED_FINISHES: "Readings thrown away, since the batch had been taken over.",
    Event.BATCHES_TAGGED: "Batches tagged and stored.",
    Event.TWEETS_TAGGED: "Tweets tagged and stored, by any version.",
    Event.SPANS_STORED: "Spans stored, by any version.",
    Event.TWEETS_DIED: "Tweets that could not be tagged.",
    Event.TAGGING_SECONDS: "Seconds that tagging took, without reading and storing, over all workers.",
}


@router.get("/metrics")
def metrics(request: Request, service: TheService, _: TheVisitor) -> Response:
    """Read the metrics; where reading takes the token, a monitor sends it as a bearer."""
    with service.reading() as session:
        found = read_metrics(session)
    write, media_type = choose_encoder(request.headers.get("accept", ""))
    registry = CollectorRegistry()
    registry.register(_Fixed(tuple(families(found))))
    return Response(write(registry), media_type=media_type)


def families(found: Metrics) -> Iterator[Metric]:
    """Name each metric, with its help and its labels."""
    states = {state: found.batches.get(state, 0) for state in _STATES}
    yield _gauges("batches", "Batches of the ledger, by status.", "status", states)
    yield _gauge("overdue_batches", "Batches whose lease has run out and which nobody has taken over.", found.overdue)
    yield _gauge("oldest_waiting_seconds", "Since the oldest open batch was queued.", found.oldest_waiting_seconds)
    yield _gauges("leased_batches", "Batches that workers have in hand.", "model_version", found.leased)
    yield _gauges("read_tweets", "Tweets that a version has read, as stored now.", "model_version", found.read)
    yield _gauges("spans", "Spans of a version, as stored now.", "model_version", found.spans)
    yield _gauges("dead_tweets", "Tweets that a version could not tag.", "model_version", found.dead)
    active = {} if found.active is None else {found.active: 1}
    yield _gauges(
        "active_model_version", "1 for the version that new batches are tagged with.", "model_version", active
    )
    yield _gauge("workers", "Workers whose heartbeat is not older than ten seconds.", found.workers)
    yield _gauges(
        "heartbeat_age_seconds", "Since a worker was seen; none after it signed off.", "worker", found.heartbeats
    )
    for event, help_ in _EVENTS.items():
        yield CounterMetricFamily(f"tweetspan_{event}", help_, value=found.events[event])


@dataclass(frozen=True, eq=False)  # the registry keeps it in a set
class _Fixed(Collector):
    families: Sequence[Metric]

    def collect(self) -> Sequence[Metric]:
        return self.families


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tweetspan_{name}", help_, value=value)


def _gauges(name: str, help_: str, label: str, values: Mapping[str, float] | Mapping[int, float]) -> Metric:
    family = GaugeMetricFamily(f"tweetspan_{name}", help_, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family
