"""What every request shares: the database, who may do what, and the bounds on heavy questions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, TypeVar

from db.coverage import Coverage
from db.entity_edits import made_and_undone
from db.events import Event, totals
from db.time_limit import limited
from explorer.access import Access
from explorer.kept import Kept
from tagging.errors import BusyError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.session import Database
    from settings import Settings

Answer = TypeVar("Answer")

_HEAVY_AT_ONCE = 2  # questions that read many tweets; the others find threads and connections beside them
_HEAVY_WAITING = 16  # of the forty threads that answer
_PATIENCE = 10.0  # seconds that one of them waits for its turn, if it knows no better


@dataclass(frozen=True)
class Service:
    """Made once, when the server starts. `seconds` is how long a question may take."""

    database: Database
    settings: Settings
    access: Access
    seconds: float = 10.0
    _turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_HEAVY_AT_ONCE))
    _places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_HEAVY_AT_ONCE + _HEAVY_WAITING))
    _kept: Kept = field(default_factory=Kept)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session for a question. Raises TooSlowError if it takes too long."""
        with self.database.read_session() as session, limited(session, self.seconds):
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session for a change, which is committed at its end."""
        with self.database.write_session() as session:
            yield session

    @contextmanager
    def heavy(self, patience: float = _PATIENCE) -> Iterator[Session]:
        """Open a session for a question that reads many tweets, when it is its turn. Raises BusyError if it is not,
        after so many seconds."""
        if not self._places.acquire(blocking=False):
            raise BusyError("many heavy questions are being answered; ask again in a few seconds")
        try:
            if not self._turns.acquire(timeout=patience):
                raise BusyError(f"no turn came in {patience:g} s; ask again in a few seconds, or for a shorter time")
            try:
                with self.reading() as session:
                    yield session
            finally:
                self._turns.release()
        finally:
            self._places.release()

    def told(
        self,
        question: Hashable,
        coverage: Coverage,
        tell: Callable[[Session], Answer],
        patience: float = _PATIENCE,
    ) -> Answer:
        """Answer a heavy question, or return what was answered since tweets were last read or deleted and entities
        edited.

        Raises BusyError as `heavy` does, and TooSlowError.
        """
        with self.reading() as session:  # what only grows, since as many tweets may be read as were deleted
            grown = (made_and_undone(session), totals(session)[Event.TWEETS_TAGGED])
        key = (question, coverage.model_version_id, coverage.tweets_total, coverage.mentions_total, grown)
        kept: Answer | None = self._kept.get(key)
        if kept is None:
            with self.heavy(patience) as session:
                kept = self._kept.get(key)  # somebody may have told it while we waited
                if kept is None:
                    kept = tell(session)
                    self._kept.put(key, kept)
        return kept
