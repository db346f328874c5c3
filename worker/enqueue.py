"""Cut tweets into batches and write both into SQL. Needs no Redis."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from db import ledger, tweets
from db.session import Database
from worker.tweet_files import BadRow, Tweet

BATCH_SIZE = 256  # tweets
_CHUNK = 2048  # rows of one transaction: short enough that a worker's renewal never waits long


@dataclass
class Summary:
    """What an enqueue did. `known` tweets were stored before, came twice, or were deleted; `bad` rows were skipped."""

    added: int = 0
    known: int = 0
    bad: int = 0
    batches: int = 0
    job_id: int | None = None


def enqueue(
    database: Database,
    rows: Iterable[Tweet | BadRow],
    name: str,
    batch_size: int = BATCH_SIZE,
    on_bad: Callable[[BadRow], None] = lambda row: None,
) -> Summary:
    """Store tweets and the batches that will tag them, chunk by chunk; memory stays flat.

    A chunk's tweets and batches are one transaction, so that no tweet is stored without its batch. `on_bad` is called
    with each row that cannot be used. Where reading or `on_bad` raises, all that was read before is stored first.
    """
    summary = Summary()
    for chunk in _chunks(_reported(rows, on_bad)):
        good = [row for row in chunk if isinstance(row, Tweet)]
        with database.write_session() as session:
            added = tweets.add(session, [asdict(tweet) for tweet in good])
            if added and summary.job_id is None:
                summary.job_id = ledger.open_job(session, name)
            for start in range(0, len(added), batch_size):
                assert summary.job_id is not None
                ledger.add_batch(session, summary.job_id, added[start : start + batch_size])
                summary.batches += 1
        summary.added += len(added)
        summary.known += len(good) - len(added)
        summary.bad += len(chunk) - len(good)
    return summary


def _reported(rows: Iterable[Tweet | BadRow], on_bad: Callable[[BadRow], None]) -> Iterator[Tweet | BadRow]:
    for row in rows:
        if isinstance(row, BadRow):
            on_bad(row)
        yield row


def _chunks(rows: Iterable[Tweet | BadRow]) -> Iterator[list[Tweet | BadRow]]:
    """Cut rows into chunks; an error comes after the chunk that was begun."""
    chunk: list[Tweet | BadRow] = []
    failure: Exception | None = None
    try:
        for row in rows:
            chunk.append(row)
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
    except Exception as error:
        failure = error
    yield chunk
    if failure is not None:
        raise failure
