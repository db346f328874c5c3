"""What tests of the ledger share: a version that no one trained, and a clock that stands still."""

from typing import Any

from sqlalchemy import ColumnElement, Double, literal

VERSION: dict[str, Any] = dict.fromkeys(("base_model", "corpus", "corpus_fingerprint", "device"), "none") | {
    "config": {}, "split_sizes": {}, "labels": ["O"], "libraries": {}, "seconds": 0.0, "scores": {},
    "artifact_uri": "file:///none", "artifact_hash": "",
}  # fmt: skip


class FakeClock:
    """A clock of the database that stands still until it is moved; `now` takes the place of `db.clock.now`."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> ColumnElement[float]:
        """Return the time as SQL."""
        return literal(self.time, Double)
