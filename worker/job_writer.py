"""Write the batches of one job, chunk by chunk; each write can be repeated where the answer to its commit was lost."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from db import jobs, ledger
from db.session import Database
from worker import tracing
from worker.patience import patiently

Chosen = Iterable[tuple[int | None, Sequence[int]]]  # a model version, None for the one that is active, and tweets


@dataclass
class JobWriter:
    """The job opens with its first batch, and is known by a token of ours until its id is."""

    database: Database
    name: str
    batch_size: int
    job_id: int | None = None
    _token: str = field(default_factory=ledger.new_token)
    _last: int = 0  # batch that is known to be written

    def write(self, choose: Callable[[Session], Chosen]) -> list[list[int]]:
        """Call `choose` and queue what it returns, in one transaction; return the tweets of each batch.

        Waits for a database that is away. Raises JobError if the job was cancelled.
        """
        return patiently(self._write, choose)

    def _write(self, choose: Callable[[Session], Chosen]) -> list[list[int]]:
        with self.database.write_session() as session:
            job_id = jobs.with_token(session, self._token)
            jobs.refuse_cancelled(session, job_id)
            written = {} if job_id is None else ledger.written_after(session, job_id, self._last)
            for version_id, tweet_ids in () if written else choose(session):
                if tweet_ids:
                    job_id = job_id or jobs.open_job(session, self.name, self._token, tracing.current())
                    written |= ledger.add_batches(session, job_id, tweet_ids, self.batch_size, version_id)
        self.job_id, self._last = job_id, max(written, default=self._last)
        return list(written.values())
