"""Cut tweets into batches and write both into SQL. Needs no Redis."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db import tweets
from db.ledger import BATCH_SIZE
from db.session import Database
from worker import tracing
from worker.backlog import Backlog
from worker.job_writer import Chosen, JobWriter
from worker.tweet_files import BadRow, Tweet

_CHUNK = 8192  # rows of one transaction: short enough that a worker's renewal never waits long
_STALE = 5.0  # seconds after which the rows of a slow stream are stored, with the next row that comes


@dataclass
class Summary:
    """What an enqueue did. `known` tweets were stored before or came twice; `deleted` ones have a tombstone and are
    kept out; `bad` rows were skipped."""

    added: int = 0
    known: int = 0
    deleted: int = 0
    bad: int = 0
    batches: int = 0
    job_id: int | None = None


def enqueue(
    database: Database,
    rows: Iterable[Tweet | BadRow],
    name: str,
    batch_size: int = BATCH_SIZE,
    on_bad: Callable[[BadRow], None] = lambda row: None,
    on_stored: Callable[[Summary], None] = lambda summary: None,
    backlog: Backlog | None = None,
) -> Summary:
    """Store tweets and the batches that will tag them, chunk by chunk; memory stays flat.

    A chunk's tweets and batches are one transaction, so that no tweet is stored without its batch. `on_bad` is called
    with each row that cannot be used, `on_stored` after each chunk. With a `backlog` each chunk waits until there is
    room for its batches. Where reading or `on_bad` raises, all that was read before is stored first.
    """
    summary, writer = Summary(), JobWriter(database, name, batch_size)
    size = min(_CHUNK, backlog.most * batch_size) if backlog else _CHUNK
    with tracing.span("enqueue", name=name):
        for chunk in _chunks(_reported(rows, on_bad), size):
            try:
                if backlog:
                    backlog.wait_for_room(-(-len(chunk) // batch_size))
            finally:  # what was read from a stream is stored, also where the waiting is broken off
                _store(writer, chunk, summary)
            on_stored(summary)
    return summary


def _store(writer: JobWriter, chunk: list[Tweet | BadRow], summary: Summary) -> None:
    good = [row for row in chunk if isinstance(row, Tweet)]
    deleted = 0

    def add(session: Session) -> Chosen:
        nonlocal deleted
        added = tweets.add(session, good)
        deleted = tweets.count_deleted(session, {tweet.id for tweet in good}.difference(added))
        return [(None, added)]

    batches = writer.write(add)
    added = sum(map(len, batches))
    summary.job_id = writer.job_id
    summary.added += added
    summary.known += len(good) - added - deleted
    summary.deleted += deleted
    summary.bad += len(chunk) - len(good)
    summary.batches += len(batches)


def _reported(rows: Iterable[Tweet | BadRow], on_bad: Callable[[BadRow], None]) -> Iterator[Tweet | BadRow]:
    for row in rows:
        if isinstance(row, BadRow):
            on_bad(row)
        yield row


def _chunks(rows: Iterable[Tweet | BadRow], size: int) -> Iterator[list[Tweet | BadRow]]:
    """Cut rows into chunks, smaller ones where rows come slowly; an error comes after the chunk that was begun."""
    chunk: list[Tweet | BadRow] = []
    failure: BaseException | None = None
    began = 0.0
    try:
        for row in rows:
            began = began if chunk else time.monotonic()
            chunk.append(row)
            if len(chunk) == size or time.monotonic() - began > _STALE:
                yield chunk
                chunk = []
    except (Exception, KeyboardInterrupt) as error:
        failure = error
    if chunk:
        yield chunk
    if failure is not None:
        raise failure
