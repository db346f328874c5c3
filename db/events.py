"""Counters of what workers do, kept in the transactions that do it: they only grow, whoever dies or starts again.

Each counter is a few rows, one for each of some shards, so that workers seldom wait for each other. An answer of the
database that is lost on the way may have an event counted twice, but no tweet that was tagged or died, and no span.
"""

from collections.abc import Mapping
from enum import StrEnum
from zlib import crc32

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.bulk import add_up
from db.tables import EventCount

_SHARDS = 16


class Event(StrEnum):
    """What is counted."""

    DISPATCHES = "dispatches"  # batches marked to be put in Redis, again or for the first time
    CLAIMS = "claims"  # attempts, those that were given back as well
    TWEETS_CLAIMED = "tweets_claimed"  # in the batches of these attempts
    LEASE_EXPIRIES = "lease_expiries"  # batches taken over from a process that fell silent
    PROCESS_DEATHS = "process_deaths"  # batches whose process died under the eyes of its worker
    GIVEN_BACK = "given_back"  # the worker stopped, or an error is not the batch's: a database, a model not to be had
    FAILURES = "failures"  # attempts that ended with an error of the batch
    SPLITS = "splits"
    FENCED_FINISHES = "fenced_finishes"  # readings thrown away, for the batch was taken over meanwhile
    BATCHES_TAGGED = "batches_tagged"
    TWEETS_TAGGED = "tweets_tagged"
    SPANS_STORED = "spans_stored"
    TWEETS_DIED = "tweets_died"
    TAGGING_SECONDS = "tagging_seconds"  # of tagging alone, without reading and storing


def count(session: Session, process: str, events: Mapping[Event, float]) -> None:
    """Count events of a process in. Call it last in a transaction: what it locks, others of the shard wait for.

    They are locked in the order of their names, so that two processes cannot wait for each other.
    """
    shard = crc32(process.encode()) % _SHARDS
    rows = [{"name": name.value, "shard": shard, "value": float(events[name])} for name in sorted(events)]
    add_up(session, EventCount, [row for row in rows if row["value"]], ("value",))


def totals(session: Session) -> dict[Event, float]:
    """Return how often each event happened, or how long it took in all, 0 for those that never did."""
    summed = select(EventCount.name, func.sum(EventCount.value)).group_by(EventCount.name)
    found = {name: value for name, value in session.execute(summed)}
    return {event: float(found.get(event.value, 0.0)) for event in Event}
