"""Store what a tagger found in a batch, and end the batch, in one transaction."""

import logging
from collections.abc import Mapping

from db import events, ledger, spans
from db.events import Event
from db.session import Database
from worker import tracing
from worker.naming import process_name
from worker.patience import patiently
from worker.reading import Reading

log = logging.getLogger(__name__)

Entities = Mapping[spans.EntityKey, int]


def look_up(database: Database, reading: Reading) -> Entities:
    """Return the ids of the entities that were found, by name and label, inserting those that are new."""
    keys = {spans.entity_key(text, span) for text, found in reading.answers.values() for span in found}
    return patiently(_look_up, database, keys)


def store(database: Database, claimed: ledger.Claim, reading: Reading, entities: Entities) -> bool:
    """Write marks, spans and `done`; False if the claim no longer counts, and then nothing is written."""
    with tracing.span("store"):
        return patiently(_finish, database, claimed, reading, entities)


def _look_up(database: Database, keys: set[spans.EntityKey]) -> dict[spans.EntityKey, int]:
    with database.write_session() as session:
        return spans.look_up_entities(session, keys)


def _finish(database: Database, claimed: ledger.Claim, reading: Reading, entities: Entities) -> bool:
    with database.write_session() as session:
        if not ledger.finish(session, claimed):
            events.count(session, process_name(), {Event.FENCED_FINISHES: 1})
            log.warning("batch %d was taken over; its annotations are dropped here", claimed.batch_id)
            return False
        version_id = claimed.model_version_id
        dead = sum(spans.mark_dead(session, version_id, [one], why) for one, why in reading.poison.items())
        ledger.count_dead(session, claimed, dead)
        tagged, stored = spans.store(session, version_id, reading.answers, entities)
        counted = {Event.TWEETS_TAGGED: tagged, Event.SPANS_STORED: stored, Event.TWEETS_DIED: dead}
        events.count(
            session, process_name(), {**counted, Event.BATCHES_TAGGED: 1, Event.TAGGING_SECONDS: reading.seconds}
        )
    log.info("batch %d: %d tweets tagged", claimed.batch_id, len(reading.answers))
    return True
