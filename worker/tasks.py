"""The task: claim a batch, read its tweets, tag them in no transaction, finish; or record why not."""

import logging
import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import NoReturn

from sqlalchemy.orm import Session

from db import events, ledger, spans, tweets
from db.events import Event
from db.session import Database, open_database, reason
from settings import read_settings
from tagging.errors import ModelVersionError, TweetspanError, UnfitProcessError
from worker import tracing
from worker.app import app
from worker.lease import LEASE, renewed
from worker.log_lines import about
from worker.messages import TASK
from worker.naming import process_name
from worker.patience import DATABASE_IS_AWAY, backoff, patiently
from worker.reading import Reading, Tags, read

_TRANSIENT = (*DATABASE_IS_AWAY, ConnectionError, MemoryError)
_DELAY = 5.0  # seconds before a batch is tried again that failed

log = logging.getLogger(__name__)

FindTagger = Callable[[int], Tags]  # by model version


@app.task(name=TASK)
def annotate(batch_id: int) -> None:
    """Annotate one batch of the ledger."""
    from worker import active_model  # noqa: PLC0415 (the parent imports this module, but never torch)

    settings = read_settings()
    try:
        database = patiently(_database)
        annotate_batch(database, batch_id, lambda version_id: active_model.tagger_for(database, version_id, settings))
    except DATABASE_IS_AWAY as error:  # the ledger brings the batch back; a traceback would quote the statement
        with about(batch_id):
            log.error("batch %d is left: the database stays away: %s", batch_id, reason(error))


def annotate_batch(database: Database, batch_id: int, find_tagger: FindTagger) -> bool:
    """Annotate a batch if it can be claimed; tell whether this call stored its annotations.

    What goes wrong with the batch is written into the ledger. A database that stays away raises, and SystemExit where
    the process is to end.
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
    with about(batch_id, claimed), tracing.annotating(claimed):
        try:
            if claimed.model_version_id != version_id:  # another was activated in between
                tagger = _found(find_tagger, claimed.model_version_id)
            return _annotate(database, claimed, tagger)
        except SystemExit:  # SIGTERM: billiard turns it into this
            log.warning("batch %d goes back: this process stops", claimed.batch_id)
            patiently(_give_back, database, claimed)
            raise
        except (TweetspanError, *_TRANSIENT) as error:
            _record(database, ledger.give_back, claimed, error, backoff(claimed.setbacks))
        except UnfitProcessError as error:
            _record(database, ledger.fail, claimed, error, _DELAY)
            _make_way(error)
        except Exception as error:  # a bug or a batch that cannot be tagged: counted, so that it is split in the end
            log.exception("batch %d failed", batch_id)
            _record(database, ledger.fail, claimed, error, _DELAY)
    return False


def _version_of(database: Database, batch_id: int) -> int | None:
    with database.read_session() as session:
        return ledger.version_of(session, batch_id)


def _found(find_tagger: FindTagger, version_id: int) -> Tags | Exception:
    """Return the tagger, or why there is none: that is recorded with the batch, once it is claimed."""
    try:
        return find_tagger(version_id)
    except UnfitProcessError as error:
        _make_way(error)
    except Exception as error:
        return error


def _make_way(error: UnfitProcessError) -> NoReturn:
    log.critical("this process is replaced: %s", error)
    sys.exit(1)


def _claim(database: Database, batch_id: int, token: str) -> ledger.Claim | None:
    with database.write_session() as session:
        is_overdue = ledger.is_overdue(session, batch_id)
        claimed = ledger.claim(session, batch_id, token, LEASE, process_name())
        if claimed is None:
            return None
        if claimed.is_suspect:
            with about(batch_id, claimed):
                happened = _isolate(session, claimed)
        else:
            happened = {Event.CLAIMS: 1, Event.TWEETS_CLAIMED: len(claimed.tweet_ids)}
        events.count(session, process_name(), {**happened, Event.LEASE_EXPIRIES: int(is_overdue)})
        return None if claimed.is_suspect else claimed


def _annotate(database: Database, claimed: ledger.Claim, tagger: Tags | Exception) -> bool:
    if isinstance(tagger, Exception):
        raise tagger
    with tracing.span("read"):
        texts = patiently(_unread, database, claimed)
    with tracing.span("tag", tweets=len(texts)), renewed(database, claimed) as progress:
        reading = read(tagger, texts, progress)
    with tracing.span("store"):
        keys = {spans.entity_key(text, span) for text, found in reading.answers.values() for span in found}
        entities = patiently(_look_up, database, keys)
        return patiently(_finish, database, claimed, reading, entities)


def _unread(database: Database, claimed: ledger.Claim) -> dict[int, str]:
    """Read the tweets that still exist and do not carry the version's mark yet."""
    with database.read_session() as session:
        texts = tweets.texts(session, claimed.tweet_ids)
        marked = spans.marked(session, claimed.model_version_id, claimed.tweet_ids)
    return {tweet_id: text for tweet_id, text in texts.items() if tweet_id not in marked}


def _look_up(database: Database, keys: set[spans.EntityKey]) -> dict[spans.EntityKey, int]:
    with database.write_session() as session:
        return spans.look_up_entities(session, keys)


def _finish(
    database: Database, claimed: ledger.Claim, reading: Reading, entities: Mapping[spans.EntityKey, int]
) -> bool:
    """Write marks, spans and `done` in one transaction, if the claim still counts."""
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


def _isolate(session: Session, claimed: ledger.Claim) -> dict[Event, int]:
    """Split a batch that failed too often; give up a single tweet. Return what happened."""
    why = claimed.error or f"the process that tagged it ended {claimed.attempt - 1} times without saying why"
    if len(claimed.tweet_ids) > 1:
        log.warning("batch %d is split: %s", claimed.batch_id, _kind(why))
        ledger.split(session, claimed, why)
        return {Event.SPLITS: 1}
    if not claimed.tweet_ids:  # they were deleted meanwhile
        ledger.finish(session, claimed)
    elif ledger.bury(session, claimed, why):
        log.error("tweet %d is dead: %s", claimed.tweet_ids[0], _kind(why))
        dead = spans.mark_dead(session, claimed.model_version_id, claimed.tweet_ids, why)
        ledger.count_dead(session, claimed, dead)
        return {Event.TWEETS_DIED: dead}
    return {}


def _kind(why: str) -> str:
    """Leave out what an error says: it may quote a tweet. The ledger keeps all of it."""
    return why.partition(":")[0]


def _give_back(database: Database, claimed: ledger.Claim) -> None:
    with database.write_session() as session:
        if ledger.give_back(session, claimed):
            events.count(session, process_name(), {Event.GIVEN_BACK: 1})


def _record(
    database: Database,
    how: Callable[[Session, ledger.Claim, str, float], bool],
    claimed: ledger.Claim,
    error: Exception,
    delay: float,
) -> None:
    tracing.failed(error)
    told = error if isinstance(error, TweetspanError) else type(error).__name__  # others may quote texts
    log.warning("batch %d goes back: %s", claimed.batch_id, told)
    line = f"{type(error).__name__}: {reason(error)}"[:1000]
    event = Event.FAILURES if how is ledger.fail else Event.GIVEN_BACK

    def write() -> None:
        with database.write_session() as session:
            if how(session, claimed, line, delay):
                events.count(session, process_name(), {event: 1})

    patiently(write)


@cache
def _database() -> Database:
    return open_database(read_settings().database_url)
