"""Ask the explorer thousands of times what its OpenAPI description allows and forbids, on both databases."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import click

from benchmarks.delivery.postgresql_server import PostgresqlServer
from db import model_versions
from db.session import Database, open_database
from explorer.access import Access
from explorer.app import create_app
from explorer.service import Service
from settings import read_settings
from tests.explorer.conftest import TOKEN
from tests.explorer.fuzzing import PHASES, Fuzzed, fuzz
from tests.fake_tagger import FakeTagger
from tests.ledger_tools import enqueue_tweets
from tests.questions.world import random_world

_FEWEST = 2000  # cases on each database


@click.command()
@click.option("--examples", default=100, show_default=True, help="Drawn requests to each operation.")
@click.option("--seed", default=1, show_default=True)
def main(examples: int, seed: int) -> None:
    """Fuzz the API; fails where an answer has no documented form, or is a server's error."""
    is_good = True
    with tempfile.TemporaryDirectory() as folder, patch("worker.active_model.tagger_for", lambda *_: FakeTagger()):
        for name, url in _databases(Path(folder)):
            began = time.monotonic()
            found = _fuzz(open_database(url), url, Path(folder) / name, examples, seed)
            _print(name, found, time.monotonic() - began)
            is_good = is_good and not found.failures and found.cases >= _FEWEST
    sys.exit(not is_good)


def _fuzz(database: Database, url: str, home: Path, examples: int, seed: int) -> Fuzzed:
    random_world(database)
    with database.write_session() as session:
        model_versions.activate(session, 1)
    enqueue_tweets(database, range(5001, 5005), 2)
    settings = read_settings({"TWEETSPAN_HOME": str(home), "TWEETSPAN_DATABASE_URL": url})
    app = create_app(Service(database, settings, Access(TOKEN)), ["testserver"])
    try:
        return fuzz(app, examples, seed, PHASES)
    finally:
        database.close()


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "sqlite", f"sqlite:///{folder / 'fuzz.db'}"
    server = PostgresqlServer(folder)
    yield "postgresql", server.url.replace("postgresql://", "postgresql+psycopg://")
    server.stop()


def _print(name: str, found: Fuzzed, seconds: float) -> None:
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items()))
    print(f"{name}: {found.cases:,} requests in {seconds:.0f} s ({statuses}); {len(found.failures)} failures")
    for failure in found.failures[:20]:
        print(failure, file=sys.stderr)


if __name__ == "__main__":
    main()
