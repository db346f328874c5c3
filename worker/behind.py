"""Work that is done behind the caller's back, one piece at a time, while the next is prepared."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context

THREAD = "behind"  # how its name begins

log = logging.getLogger(__name__)


class Behind:
    """A thread that does one piece of work; whoever brings another waits for the end of the last."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, THREAD)
        self._last: Future[None] | None = None

    def do(self, work: Callable[[], object]) -> None:
        """Begin a piece of work, in the context of the caller, once the last has ended."""
        self.wait()
        self._last = self._thread.submit(copy_context().run, _guarded, work)

    def wait(self, progress: Callable[[], None] = lambda: None) -> None:
        """Return once nothing is being done, calling `progress` about every second until then."""
        while self._last and wait([self._last], timeout=1.0).not_done:
            progress()


def _guarded(work: Callable[[], object]) -> None:
    try:
        work()
    except BaseException:  # nobody asks for the result
        log.exception("what was done behind a task's back failed")
