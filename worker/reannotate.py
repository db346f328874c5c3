"""Queue stored tweets again: for another version, or because they failed. Needs no Redis."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from sqlalchemy.orm import Session

from db import clock, failures, selection
from db.failures import Choice, Key
from db.ledger import BATCH_SIZE
from db.selection import Selection
from db.session import Database
from worker import tracing
from worker.enqueue import Summary
from worker.job_writer import Chosen, JobWriter
from worker.patience import patiently

_CHUNK = 8192  # tweets of one transaction, a batch at least


def reannotate(
    database: Database,
    version_id: int,
    chosen: Selection,
    name: str,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], None] = lambda tweets: None,
) -> Summary:
    """Queue the selected tweets that a version has not read, for that version; memory stays flat.

    What other versions have read stays beside it. `progress` gets the tweets of each chunk. Queued again are also those
    that wait for the version already: their second reading finds the first one's mark.
    """
    summary, writer, last = Summary(), JobWriter(database, name, batch_size), -1
    with tracing.span("reannotate", name=name, version=version_id):
        while ids := patiently(_unread, database, version_id, chosen, last):

            def choose(session: Session, ids: list[int] = ids) -> Chosen:
                return [(version_id, ids)]

            _count(summary, writer, writer.write(choose))
            last = ids[-1]
            progress(len(ids))
    return summary


def requeue(database: Database, choice: Choice, name: str, batch_size: int = BATCH_SIZE) -> Summary:
    """Queue dead tweets again, for the version that could not tag them; of two that run at once, one gets a tweet.

    Those that die again meanwhile are not taken a second time.
    """
    summary, writer = Summary(), JobWriter(database, name, batch_size)
    choice = replace(choice, until=patiently(_now, database))
    with tracing.span("requeue", name=name):
        while picked := patiently(_pick, database, choice):

            def revive(session: Session, picked: Sequence[Key] = picked) -> Chosen:
                revived = sorted(failures.revive(session, picked), key=_version)
                return [(version_id, [key[0] for key in keys]) for version_id, keys in groupby(revived, _version)]

            _count(summary, writer, writer.write(revive))
    return summary


def _unread(database: Database, version_id: int, chosen: Selection, after: int) -> list[int]:
    with database.read_session() as session:  # a long search must not keep SQLite's write lock
        return selection.unread(session, version_id, chosen, after, _CHUNK)


def _pick(database: Database, choice: Choice) -> list[Key]:
    with database.read_session() as session:
        return failures.pick(session, choice, _CHUNK)


def _now(database: Database) -> float:
    with database.read_session() as session:
        return clock.read(session)


def _version(key: Key) -> int:
    return key[1]


def _count(summary: Summary, writer: JobWriter, batches: list[list[int]]) -> None:
    summary.job_id = writer.job_id
    summary.batches += len(batches)
    summary.added += sum(map(len, batches))
