"""A database is upgraded while a worker tags: the worker goes on, one that starts with the old code is refused."""

import sys
from pathlib import Path

import psycopg
import pytest

from db import upgrade
from db.session import Database, upgrade_database
from tagging.errors import DatabaseError
from tests.ledger_tools import marks_of, new_version
from tests.processes import environment, running, tweetspan, wait_until
from worker.enqueue import enqueue
from worker.tweet_files import Tweet

WORKER = [sys.executable, "-m", "celery", "-A", "benchmarks.delivery.fake_worker", "worker", "--loglevel", "info"]
NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "next", "{head}"


def upgrade() -> None:
    op.create_table("next_things", sa.Column("id", sa.Integer(), primary_key=True))
    for table in ("jobs", "batches", "annotations", "spans", "event_counts"):
        op.add_column(table, sa.Column("next_column", sa.Text()))
    op.create_index("ix_spans_next", "spans", ["next_column"])
"""


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process becomes one of a release to come, whose migration adds to every table that workers write to."""
    ours = Path(upgrade.__file__).parent / "migrations" / "versions"
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "next.py").write_text(NEXT.format(head=upgrade.head()))
    config = upgrade._config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", f"{ours}:{tmp_path / 'versions'}")
    monkeypatch.setattr(upgrade, "_config", lambda: config)


def test_a_running_worker_goes_on(
    database: Database, database_url: str, redis_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    version = new_version(database)
    texts = {number: f"Ann meets Bob #{number}" for number in range(1, 49)}
    enqueue(database, (Tweet(number, text, None, None, None, None) for number, text in texts.items()), "", 4)
    env = environment(tmp_path / "home", database_url, redis_url)
    with running(WORKER, env, tmp_path / "log") as worker:
        wait_until(lambda: len(marks_of(database, version)) > 8, 60, "the worker tags")
        request.getfixturevalue("next_release")
        assert upgrade_database(database_url) == "next"
        assert len(marks_of(database, version)) < 48
        wait_until(lambda: len(marks_of(database, version)) == 48, 60, "everything is tagged")
        assert worker.process.poll() is None
    assert "Error" not in worker.said
    refused = tweetspan(env, "worker", "--until-empty")
    assert refused.returncode == 1
    assert "the database is on revision next, this code needs" in refused.stderr
    assert "update tweetspan here" in refused.stderr


def test_an_upgrade_does_not_wait_long_for_a_table(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(upgrade, "_PATIENCE", 1)
    upgrade_database(postgresql_url)
    request.getfixturevalue("next_release")
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as somebody:
        somebody.execute("SELECT count(*) FROM spans")  # its lock stays until the transaction ends
        with pytest.raises(DatabaseError, match="a long question or export holds a table that must change"):
            upgrade_database(postgresql_url)
    assert upgrade_database(postgresql_url) == "next"
