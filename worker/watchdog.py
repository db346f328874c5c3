"""Begin anew where a worker takes no more messages although some wait.

Seen twice in an hour of disturbances: after Redis was lost and found again, Celery's consumer waited for ever for a
place in its own pool. Its process is then replaced by a fresh one with the same process id.
"""

import logging
import os
import sys
import time
from collections.abc import Callable

from billiard import active_children
from celery.worker import state

from settings import changed_environment

_PATIENCE = 60.0  # seconds
_GAP = 10.0  # seconds between two looks after which this process slept, or a server was away
_CHILD_PATIENCE = 5.0  # seconds for a child to give back what it tags

log = logging.getLogger(__name__)


class Watchdog:
    """Tells from look to look whether the worker is stuck: messages wait, none is at work, none was begun."""

    def __init__(self, patience: float = _PATIENCE, now: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._now = patience, now
        self._begun = 0
        self._since = self._looked_at = float("-inf")

    def is_stuck(self, messages: int) -> bool:
        """Take a look, at a moment when both servers answer and so many messages wait."""
        now, begun = self._now(), state.all_total_count[0]
        if not messages or state.active_requests or begun != self._begun or now - self._looked_at > _GAP:
            self._since = now
        self._begun, self._looked_at = begun, now
        return now - self._since > self._patience


def begin_anew() -> None:
    """Put a fresh process in the place of this one, with the same arguments; children give back what they tag."""
    log.critical("this worker takes no messages though some wait; it begins anew")
    for child in active_children():
        child.terminate()
        child.join(_CHILD_PATIENCE)
    if state.should_stop is not None or state.should_terminate is not None:
        return  # told to stop meanwhile, which a fresh process would not know
    environment = changed_environment({"FORKED_BY_MULTIPROCESSING": ""})  # set by Celery, meant for children
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 (no shell is meant)
