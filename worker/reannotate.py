"""Queue stored tweets again: for another version, or because they failed. Needs no Redis."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from sqlalchemy.orm import Session

from db import clock, failures, jobs, ledger, selection
from db.failures import Choice, Key
from db.ledger import BATCH_SIZE
from db.selection import Selection
from db.session import Database
from worker.enqueue import Summary

_CHUNK = 2048  # tweets of one transaction


def reannotate(
    database: Database,
    version_id: int,
    chosen: Selection,
    name: str,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], None] = lambda tweets: None,
) -> Summary:
    """Queue the selected tweets that a version has not read, for that version; memory stays flat.

    What other versions have read stays beside it. `progress` gets the tweets of each chunk.
    """
    summary, last = Summary(), -1
    while True:
        with database.read_session() as session:  # a long search must not keep SQLite's write lock
            ids = selection.unread(session, version_id, chosen, last, _CHUNK)
        if not ids:
            return summary
        with database.write_session() as session:
            _queue(session, summary, name, version_id, ids, batch_size)
        last = ids[-1]
        progress(len(ids))


def requeue(database: Database, choice: Choice, name: str, batch_size: int = BATCH_SIZE) -> Summary:
    """Queue dead tweets again, for the version that could not tag them; of two that run at once, one gets a tweet.

    Those that die again meanwhile are not taken a second time.
    """
    summary = Summary()
    with database.read_session() as session:
        choice = replace(choice, until=clock.read(session))
    while True:
        with database.read_session() as session:
            picked = failures.pick(session, choice, _CHUNK)
        if not picked:
            return summary
        with database.write_session() as session:
            revived = sorted(failures.revive(session, picked), key=_version)
            for version_id, keys in groupby(revived, _version):
                _queue(session, summary, name, version_id, [tweet_id for tweet_id, _ in keys], batch_size)


def _version(key: Key) -> int:
    return key[1]


def _queue(
    session: Session, summary: Summary, name: str, version_id: int, tweet_ids: Sequence[int], batch_size: int
) -> None:
    """Write batches of one job, which the first of them opens, and count them. Raises JobError if it was cancelled."""
    jobs.refuse_cancelled(session, summary.job_id)
    if summary.job_id is None:
        summary.job_id = jobs.open_job(session, name)
    summary.batches += ledger.add_batches(session, summary.job_id, tweet_ids, batch_size, version_id)
    summary.added += len(tweet_ids)
