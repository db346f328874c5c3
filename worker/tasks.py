"""The task: claim a batch, read its tweets, tag them in no transaction, store; or record why not."""

import logging
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from celery.signals import worker_process_shutdown

from db import events, ledger, spans, tweets
from db.events import Event
from db.session import Database, open_database
from settings import read_settings
from tagging.errors import ModelVersionError, UnfitProcessError
from worker import tracing
from worker.app import app
from worker.behind import Behind
from worker.lease import LEASE, renewed
from worker.log_lines import about
from worker.messages import TASK
from worker.naming import process_name
from worker.patience import patiently
from worker.reading import Reading, Tags, read
from worker.setbacks import isolate, left_if_away, make_way, recorded
from worker.storing import Entities, look_up, store

log = logging.getLogger(__name__)

FindTagger = Callable[[int], Tags]  # by model version

_storing = Behind()


@app.task(name=TASK)
def annotate(batch_id: int) -> None:
    """Annotate one batch of the ledger. It is stored while the next one is read and tagged."""
    from worker import active_model  # noqa: PLC0415 (the parent imports this module, but never torch)

    settings = read_settings()
    with left_if_away(batch_id):
        database = patiently(_database)
        annotate_batch(
            database, batch_id, lambda version_id: active_model.tagger_for(database, version_id, settings), _storing
        )


@worker_process_shutdown.connect
def _end_storing(**_: Any) -> None:
    _storing.wait()


def annotate_batch(database: Database, batch_id: int, find_tagger: FindTagger, storing: Behind | None = None) -> bool:
    """Annotate a batch if it can be claimed; tell whether this call stored its annotations, or left that to `storing`.

    What goes wrong with the batch is written into the ledger. A database that stays away raises, and SystemExit where
    the process is to end. A batch that failed before has the process for itself: should it die, no other is blamed.
    """
    with about(batch_id):
        try:
            version_id = patiently(_version_of, database, batch_id)
            if version_id is None:
                return False  # it has ended, or never was
            tagger = _found(find_tagger, version_id)  # before the claim: loading may take longer than a lease
            claimed = patiently(_claim, database, batch_id, ledger.new_token())
        except ModelVersionError as error:
            log.error("batch %d waits: %s", batch_id, error)
            return False
    if claimed is None:
        return False  # somebody else has it, or it was split or cancelled
    with about(batch_id, claimed), tracing.annotating(claimed), recorded(database, claimed):
        if claimed.model_version_id != version_id:  # another was activated in between
            tagger = _found(find_tagger, claimed.model_version_id)
        if storing and claimed.failed_before:
            _wait(database, claimed, storing)
        reading = _read(database, claimed, tagger)
        entities = look_up(database, reading)
        if not storing or claimed.failed_before:
            return store(database, claimed, reading, entities)
        _wait(database, claimed, storing)
        storing.do(partial(_store_behind, database, claimed, reading, entities))
        return True
    return False


def _version_of(database: Database, batch_id: int) -> int | None:
    with database.read_session() as session:
        return ledger.version_of(session, batch_id)


def _found(find_tagger: FindTagger, version_id: int) -> Tags | Exception:
    """Return the tagger, or why there is none: that is recorded with the batch, once it is claimed."""
    try:
        return find_tagger(version_id)
    except UnfitProcessError as error:
        make_way(error)
    except Exception as error:
        return error


def _claim(database: Database, batch_id: int, token: str) -> ledger.Claim | None:
    with database.write_session() as session:
        is_overdue = ledger.is_overdue(session, batch_id)
        claimed = ledger.claim(session, batch_id, token, LEASE, process_name())
        if claimed is None:
            return None
        if claimed.is_suspect:
            with about(batch_id, claimed):
                happened = isolate(session, claimed)
        else:
            happened = {Event.CLAIMS: 1, Event.TWEETS_CLAIMED: len(claimed.tweet_ids)}
        events.count(session, process_name(), {**happened, Event.LEASE_EXPIRIES: int(is_overdue)})
        return None if claimed.is_suspect else claimed


def _read(database: Database, claimed: ledger.Claim, tagger: Tags | Exception) -> Reading:
    if isinstance(tagger, Exception):
        raise tagger
    with tracing.span("read"):
        texts = patiently(_unread, database, claimed)
    with tracing.span("tag", tweets=len(texts)), renewed(database, claimed) as progress:
        return read(tagger, texts, progress)


def _wait(database: Database, claimed: ledger.Claim, storing: Behind) -> None:
    """Wait until the batch before is stored, which may take longer than a lease where the database is slow."""
    with renewed(database, claimed) as progress:
        storing.wait(progress)


def _store_behind(database: Database, claimed: ledger.Claim, reading: Reading, entities: Entities) -> None:
    with left_if_away(claimed.batch_id), recorded(database, claimed):
        store(database, claimed, reading, entities)


def _unread(database: Database, claimed: ledger.Claim) -> dict[int, str]:
    """Read the tweets that still exist and do not carry the version's mark yet."""
    with database.read_session() as session:
        texts = tweets.texts(session, claimed.tweet_ids)
        marked = spans.marked(session, claimed.model_version_id, claimed.tweet_ids)
    return {tweet_id: text for tweet_id, text in texts.items() if tweet_id not in marked}


@cache
def _database() -> Database:
    return open_database(read_settings().database_url)
