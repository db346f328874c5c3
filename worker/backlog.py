"""A bound on the batches that are open, so that a stream of any length can be enqueued."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from db import ledger
from db.session import Database
from worker.patience import patiently

_POLL_EVERY = 0.5  # seconds


@dataclass(frozen=True)
class Backlog:
    """Room for `most` batches that wait or are tagged, unless several enqueue at once or batches are split.

    `on_full` is called at each look that finds no room.
    """

    database: Database
    most: int
    on_full: Callable[[], None] = lambda: None

    def wait_for_room(self, batches: int) -> None:
        """Return once so many batches more fit in. `batches` must not be above `most`."""
        while not patiently(self._has_room, batches):
            self.on_full()
            time.sleep(_POLL_EVERY)

    def _has_room(self, batches: int) -> bool:
        most_before = self.most - batches
        with self.database.read_session() as session:
            return ledger.open_batches(session, most_before + 1) <= most_before
