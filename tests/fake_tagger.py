"""A tagger that needs no torch, and a worker that needs no Redis."""

from collections.abc import Callable, Sequence

import pytest

from db import ledger
from db.session import Database
from tagging.spans import Span
from tests.ledger_tools import take_due
from worker.tasks import annotate_batch


class FakeTagger:
    """Finds "Ann" at the beginning of every text; `trouble` sees the texts before."""

    def __init__(self, trouble: Callable[[Sequence[str]], object] = len) -> None:
        self.trouble = trouble
        self.calls: list[list[str]] = []

    def tag(self, texts: Sequence[str], progress: Callable[[], None] | None = None) -> list[list[Span]]:
        self.calls.append(list(texts))
        self.trouble(texts)
        return [[Span(0, 3, "PER", 0.5)] for _ in texts]

    def find(self, version_id: int) -> "FakeTagger":
        return self


def drain(database: Database, tagger: FakeTagger) -> None:
    """Do what dispatchers and one worker do until nothing is left."""
    for _ in range(20):
        with database.write_session() as session:
            due = take_due(session, 64, 60.0)
        for batch_id in due:
            annotate_batch(database, batch_id, tagger.find)
        with database.read_session() as session:
            if ledger.is_empty(session):
                return
    pytest.fail("the ledger is never empty")
