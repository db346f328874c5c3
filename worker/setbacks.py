"""What goes wrong with a claimed batch is written into the ledger, so that it is tried again, split or given up."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlalchemy.orm import Session

from db import events, ledger, spans
from db.events import Event
from db.session import Database, reason
from tagging.errors import TweetspanError, UnfitProcessError
from worker import tracing
from worker.log_lines import about
from worker.naming import process_name
from worker.patience import DATABASE_IS_AWAY, backoff, patiently

_TRANSIENT = (*DATABASE_IS_AWAY, ConnectionError, MemoryError)
_DELAY = 5.0  # seconds before a batch is tried again that failed

log = logging.getLogger(__name__)

Setback = Callable[[Session, ledger.Claim, str, float], bool]


@contextmanager
def recorded(database: Database, claimed: ledger.Claim) -> Iterator[None]:
    """Write into the ledger what goes wrong with a batch meanwhile, and go on behind the block.

    A database that stays away raises, and SystemExit where the process is to end.
    """
    try:
        yield
    except SystemExit:  # SIGTERM: billiard turns it into this
        log.warning("batch %d goes back: this process stops", claimed.batch_id)
        patiently(_give_back, database, claimed)
        raise
    except (TweetspanError, *_TRANSIENT) as error:
        _record(database, ledger.give_back, claimed, error, backoff(claimed.setbacks))
    except UnfitProcessError as error:
        _record(database, ledger.fail, claimed, error, _DELAY)
        make_way(error)
    except Exception as error:  # a bug or a batch that cannot be tagged: counted, so that it is split in the end
        log.exception("batch %d failed", claimed.batch_id)
        _record(database, ledger.fail, claimed, error, _DELAY)


@contextmanager
def left_if_away(batch_id: int) -> Iterator[None]:
    """Leave a batch to the ledger if the database stays away meanwhile; a traceback would quote the statement."""
    try:
        yield
    except DATABASE_IS_AWAY as error:
        with about(batch_id):
            log.error("batch %d is left: the database stays away: %s", batch_id, reason(error))


def make_way(error: UnfitProcessError) -> NoReturn:
    """End this process: its parent starts a fresh one."""
    log.critical("this process is replaced: %s", error)
    sys.exit(1)


def isolate(session: Session, claimed: ledger.Claim) -> dict[Event, int]:
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


def _record(database: Database, how: Setback, claimed: ledger.Claim, error: Exception, delay: float) -> None:
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
