"""The task: claim a batch, read its tweets, tag them in no transaction, finish; or record why not."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NoReturn, Protocol

from sqlalchemy.orm import Session

from db import ledger, spans, tweets
from db.session import Database, open_database, reason
from settings import read_settings
from tagging.errors import ModelVersionError, PoisonTweetError, TweetspanError, UnfitProcessError
from tagging.spans import Span
from worker.app import app
from worker.lease import LEASE, renewed
from worker.messages import TASK
from worker.naming import process_name
from worker.patience import DATABASE_IS_AWAY, backoff, patiently

_TRANSIENT = (*DATABASE_IS_AWAY, ConnectionError, MemoryError)
_DELAY = 5.0  # seconds before a batch is tried again that failed

log = logging.getLogger(__name__)

Answers = dict[int, tuple[str, Sequence[Span]]]  # tweet id -> its text and spans


class Tags(Protocol):
    """What can tag: a Tagger, or a fake in tests."""

    def tag(self, texts: Sequence[str], progress: Callable[[], None]) -> list[list[Span]]:
        """Return the spans of each text, calling `progress` on the way."""


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
        log.error("batch %d is left: the database stays away: %s", batch_id, reason(error))


def annotate_batch(database: Database, batch_id: int, find_tagger: FindTagger) -> bool:
    """Annotate a batch if it can be claimed; tell whether this call stored its annotations.

    What goes wrong with the batch is written into the ledger. A database that stays away raises, and SystemExit where
    the process is to end.
    """
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
        claimed = ledger.claim(session, batch_id, token, LEASE, process_name())
        if claimed is not None and claimed.is_suspect:
            _isolate(session, claimed)
            return None
        return claimed


def _annotate(database: Database, claimed: ledger.Claim, tagger: Tags | Exception) -> bool:
    if isinstance(tagger, Exception):
        raise tagger
    texts = patiently(_unread, database, claimed)
    with renewed(database, claimed) as progress:
        answers, poison = _tag(tagger, texts, progress)
    keys = {spans.entity_key(text, span) for text, found in answers.values() for span in found}
    entities = patiently(_look_up, database, keys)
    return patiently(_finish, database, claimed, answers, poison, entities)


def _unread(database: Database, claimed: ledger.Claim) -> dict[int, str]:
    """Read the tweets that still exist and do not carry the version's mark yet."""
    with database.read_session() as session:
        texts = tweets.texts(session, claimed.tweet_ids)
        read = spans.marked(session, claimed.model_version_id, claimed.tweet_ids)
    return {tweet_id: text for tweet_id, text in texts.items() if tweet_id not in read}


def _tag(tagger: Tags, texts: Mapping[int, str], progress: Callable[[], None]) -> tuple[Answers, dict[int, str]]:
    """Tag all texts; those that the tagger names as poison are left out and returned with the reason."""
    remaining, poison = dict(texts), dict[int, str]()
    while True:
        ids = list(remaining)
        try:
            tagged = tagger.tag([remaining[tweet_id] for tweet_id in ids], progress) if ids else []
        except PoisonTweetError as error:
            poison |= {ids[index]: why for index, why in error.reasons.items()}
            remaining = {tweet_id: text for tweet_id, text in remaining.items() if tweet_id not in poison}
        else:
            return {tweet_id: (remaining[tweet_id], found) for tweet_id, found in zip(ids, tagged, strict=True)}, poison


def _look_up(database: Database, keys: set[spans.EntityKey]) -> dict[spans.EntityKey, int]:
    with database.write_session() as session:
        return spans.look_up_entities(session, keys)


def _finish(
    database: Database,
    claimed: ledger.Claim,
    answers: Answers,
    poison: Mapping[int, str],
    entities: Mapping[spans.EntityKey, int],
) -> bool:
    """Write marks, spans and `done` in one transaction, if the claim still counts."""
    with database.write_session() as session:
        if not ledger.finish(session, claimed):
            log.warning("batch %d was taken over; its annotations are dropped here", claimed.batch_id)
            return False
        dead = sum(spans.mark_dead(session, claimed.model_version_id, [one], why) for one, why in poison.items())
        ledger.count_dead(session, claimed, dead)
        spans.store(session, claimed.model_version_id, answers, entities)
    log.info("batch %d: %d tweets tagged", claimed.batch_id, len(answers))
    return True


def _isolate(session: Session, claimed: ledger.Claim) -> None:
    """Split a batch that failed too often; give up a single tweet."""
    why = claimed.error or f"the process that tagged it ended {claimed.attempt - 1} times without saying why"
    if len(claimed.tweet_ids) > 1:
        log.warning("batch %d is split: %s", claimed.batch_id, why)
        ledger.split(session, claimed, why)
    elif not claimed.tweet_ids:  # they were deleted meanwhile
        ledger.finish(session, claimed)
    elif ledger.bury(session, claimed, why):
        log.error("tweet %d is dead: %s", claimed.tweet_ids[0], why)
        dead = spans.mark_dead(session, claimed.model_version_id, claimed.tweet_ids, why)
        ledger.count_dead(session, claimed, dead)


def _give_back(database: Database, claimed: ledger.Claim) -> None:
    with database.write_session() as session:
        ledger.give_back(session, claimed)


def _record(
    database: Database,
    how: Callable[[Session, ledger.Claim, str, float], bool],
    claimed: ledger.Claim,
    error: Exception,
    delay: float,
) -> None:
    told = error if isinstance(error, TweetspanError) else type(error).__name__  # others may quote texts
    log.warning("batch %d goes back: %s", claimed.batch_id, told)
    line = f"{type(error).__name__}: {reason(error)}"[:1000]

    def write() -> None:
        with database.write_session() as session:
            how(session, claimed, line, delay)

    patiently(write)


@cache
def _database() -> Database:
    return open_database(read_settings().database_url)
