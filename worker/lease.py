"""Keep a claim alive while its batch is being tagged, and only while that makes progress."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context

from sqlalchemy.exc import SQLAlchemyError

from db import ledger
from db.session import Database

LEASE = 30.0  # seconds; short, since it is renewed

log = logging.getLogger(__name__)


@contextmanager
def renewed(database: Database, claimed: ledger.Claim, every: float | None = None) -> Iterator[Callable[[], None]]:
    """Renew the lease in a thread with its own connection; yields the function to call at each sign of progress.

    Without progress since the last renewal the lease is left to run out, so that a hung process loses its batch; after
    four leases without progress the process ends itself, and its parent replaces it.
    """
    pause = every or LEASE / 3
    stop = threading.Event()
    progressed_at = time.monotonic()

    def progress() -> None:
        nonlocal progressed_at
        progressed_at = time.monotonic()

    def renew() -> None:
        renewed_at = progressed_at
        while not stop.wait(pause):
            if progressed_at < renewed_at:
                log.warning("batch %d makes no progress; its lease is not renewed", claimed.batch_id)
                if time.monotonic() - progressed_at > 4 * LEASE:
                    log.critical("batch %d hangs; this process ends itself", claimed.batch_id)
                    os.kill(os.getpid(), signal.SIGKILL)
                continue
            renewed_at = time.monotonic()
            try:
                with database.write_session() as session:
                    ledger.renew(session, claimed, LEASE)
            except SQLAlchemyError as error:
                log.warning("batch %d: the lease was not renewed: %s", claimed.batch_id, type(error).__name__)

    arguments = (renew,)  # its lines, too, say which batch they are about
    thread = threading.Thread(target=copy_context().run, args=arguments, name="lease", daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        stop.set()
        thread.join()
