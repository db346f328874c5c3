"""The task: claim a batch, read its tweets, tag them in no transaction, finish; or record why not."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Protocol

from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.orm import Session

from db import ledger, spans, tweets
from db.session import Database, open_database, reason
from settings import read_settings
from tagging.errors import ModelVersionError, PoisonTweetError, TweetspanError
from tagging.spans import Span
from worker.app import app
from worker.lease import LEASE, renewed

_TRANSIENT = (OperationalError, InterfaceError, InternalError, ConnectionError, MemoryError)
_DELAY = 5.0  # seconds before a batch is tried again

log = logging.getLogger(__name__)

Answers = dict[int, tuple[str, Sequence[Span]]]  # tweet id -> its text and spans


class Tags(Protocol):
    """What can tag: a Tagger, or a fake in tests."""

    def tag(self, texts: Sequence[str], progress: Callable[[], None] | None = None) -> list[list[Span]]:
        """Return the spans of each text."""


FindTagger = Callable[[int], Tags]  # by model version


@app.task(name="tweetspan.annotate")
def annotate(batch_id: int) -> None:
    """Annotate one batch of the ledger."""
    from worker import active_model  # noqa: PLC0415 (the parent imports this module, but never torch)

    database, device = _database(), read_settings().device
    with suppress(TweetspanError):  # it comes again once the batch is claimed, and is recorded there
        active_model.warm_up(database, device)
    annotate_batch(database, batch_id, lambda version_id: active_model.tagger_for(database, version_id, device))


def annotate_batch(database: Database, batch_id: int, find_tagger: FindTagger) -> bool:
    """Annotate a batch if it can be claimed; tell whether this call stored its annotations.

    What goes wrong with the batch is written into the ledger; only a database that is gone raises.
    """
    try:
        claimed = _claim(database, batch_id)
    except ModelVersionError as error:
        log.error("batch %d waits: %s", batch_id, error)
        return False
    if claimed is None:
        return False  # somebody else has it, or has done it, or it was split
    try:
        with database.read_session() as session:
            texts = _unread(session, claimed)
        with renewed(database, claimed) as progress:
            tagger = find_tagger(claimed.model_version_id)
            progress()
            answers, poison = _tag(tagger, texts, progress)
        return _finish(database, claimed, answers, poison)
    except (TweetspanError, *_TRANSIENT) as error:
        _record(database, ledger.give_back, claimed, error)
    except Exception as error:  # a bug or a batch that cannot be tagged: counted, so that it is split in the end
        log.exception("batch %d failed", batch_id)
        _record(database, ledger.fail, claimed, error)
    return False


def _claim(database: Database, batch_id: int) -> ledger.Claim | None:
    with database.write_session() as session:
        claimed = ledger.claim(session, batch_id, LEASE)
        if claimed is not None and claimed.is_suspect:
            _isolate(session, claimed)
            return None
        return claimed


def _unread(session: Session, claimed: ledger.Claim) -> dict[int, str]:
    """Read the tweets that still exist and do not carry the version's mark yet."""
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
            poison[ids[error.index]] = str(error)
            del remaining[ids[error.index]]
        else:
            return {tweet_id: (remaining[tweet_id], found) for tweet_id, found in zip(ids, tagged, strict=True)}, poison


def _finish(database: Database, claimed: ledger.Claim, answers: Answers, poison: Mapping[int, str]) -> bool:
    """Write marks, spans and `done` in one transaction, if the claim still counts."""
    keys = {spans.entity_key(text, span) for text, found in answers.values() for span in found}
    with database.write_session() as session:
        entities = spans.look_up_entities(session, keys)
    with database.write_session() as session:
        if not ledger.finish(session, claimed):
            log.warning("batch %d was taken over; its annotations are dropped here", claimed.batch_id)
            return False
        for tweet_id, reason in poison.items():
            spans.mark_dead(session, claimed.model_version_id, [tweet_id], reason)
        spans.store(session, claimed.model_version_id, answers, entities)
    log.info("batch %d: %d tweets tagged", claimed.batch_id, len(answers))
    return True


def _isolate(session: Session, claimed: ledger.Claim) -> None:
    """Split a batch that failed too often; give up a single tweet."""
    reason = claimed.error or f"the process that tagged it ended {claimed.attempt - 1} times without saying why"
    if len(claimed.tweet_ids) > 1:
        log.warning("batch %d is split: %s", claimed.batch_id, reason)
        ledger.split(session, claimed, reason)
    elif ledger.bury(session, claimed, reason):
        log.error("tweet %d is dead: %s", claimed.tweet_ids[0], reason)
        spans.mark_dead(session, claimed.model_version_id, claimed.tweet_ids, reason)


def _record(
    database: Database,
    how: Callable[[Session, ledger.Claim, str, float], bool],
    claimed: ledger.Claim,
    error: Exception,
) -> None:
    told = error if isinstance(error, TweetspanError) else type(error).__name__  # others may quote texts
    log.warning("batch %d goes back: %s", claimed.batch_id, told)
    with database.write_session() as session:
        how(session, claimed, f"{type(error).__name__}: {reason(error)}"[:1000], _DELAY)


@cache
def _database() -> Database:
    return open_database(read_settings().database_url)
