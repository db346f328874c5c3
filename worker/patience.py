"""Wait out a database that is away: try again and again, with growing, jittered pauses, then let the error go."""

import logging
import random

from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from db.session import reason
from tagging.errors import DatabaseError

# Gone, restarting, a lock timeout, a deadlock; or it could not be opened.
DATABASE_IS_AWAY = (OperationalError, InterfaceError, InternalError, DatabaseError)
_LONGEST = 600.0  # seconds
_FIRST_DELAY, _LONGEST_DELAY = 5.0, 300.0  # seconds

log = logging.getLogger(__name__)


def backoff(setbacks: int) -> float:
    """Return how many seconds a batch waits that was given back so many times before: 5 s, doubled each time, at most
    5 min, of which between half and all, so that the batches of one outage do not come back all at once."""
    return random.uniform(0.5, 1.0) * min(_FIRST_DELAY * 2.0 ** min(setbacks, 10), _LONGEST_DELAY)  # noqa: S311


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Exception):
        log.warning("the database is away, try %d: %s: %s", state.attempt_number, type(error).__name__, reason(error))


# Called as patiently(work, *arguments). What is called must be safe to repeat: the answer to a commit may be lost.
patiently = Retrying(
    retry=retry_if_exception_type(DATABASE_IS_AWAY),
    wait=wait_random_exponential(multiplier=0.2, max=5.0),
    stop=stop_after_delay(_LONGEST),
    before_sleep=_tell,
    reraise=True,
)
