"""Passwords in the two URLs: whatever the commands say, log, store or fail with, they never stand in it."""

from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, select

from cli import main
from db.columns import Base
from db.session import Database, open_database
from tests.processes import CELERY, environment, running, wait_until
from tests.tiny import register_model

REDIS = "secret-of-the-tests"  # that of the Redis of the tests
HUSH = "Hush1:Hush2/Hush3#Hush4?Hush5@Hush6%Hush7&ssl=Hush8"
QUOTED = quote(HUSH, safe="")
TWEET = b'{"id": "1", "text": "Ana met Bob in Paris"}'

COMMANDS = (
    ["status"], ["status", "--json"], ["enqueue", "-"], ["models", "list"], ["health"], ["db", "upgrade"],
    ["jobs", "list"], ["failures", "list"],
)  # fmt: skip


def _assert_silent(said: str) -> None:
    for secret in (REDIS, "Hush"):
        assert secret not in said, said[max(0, said.index(secret) - 300) :][:600]


def _said_by_all_commands(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    said = ""
    for name in ("HOME", "DATABASE_URL", "BROKER_URL"):
        monkeypatch.setenv(f"TWEETSPAN_{name}", env[f"TWEETSPAN_{name}"])
    for command in COMMANDS:
        result = CliRunner().invoke(main, command, input=TWEET)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        said += result.output
    return said


def _everything_stored(database: Database) -> str:
    with database.read_session() as session:
        return str([session.execute(select(table)).all() for table in Base.metadata.tables.values()])


def test_with_passwords_that_are_right(
    tmp_path: Path, postgresql_url: str, redis_url: str, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(postgresql_url).set(password=HUSH).render_as_string(hide_password=False)
    env = environment(tmp_path, url, redis_url)
    database = open_database(url)
    register_model(database, model_folder)
    _assert_silent(_said_by_all_commands(env, monkeypatch))
    with running([*CELERY, "--loglevel", "debug"], env, tmp_path / "log") as worker:
        wait_until(lambda: "1 tweets tagged" in worker.said, 60, "the tweet is tagged")
    _assert_silent(worker.said)
    _assert_silent(_said_by_all_commands(env, monkeypatch))
    _assert_silent(_everything_stored(database))
    database.close()


def test_with_a_wrong_password_of_redis(
    tmp_path: Path, redis_url: str, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = environment(tmp_path, "", f"redis://:{QUOTED}@127.0.0.1:{urlsplit(redis_url).port}/0")
    database = open_database(f"sqlite:///{tmp_path / 'tweetspan.db'}")
    register_model(database, model_folder)
    said = _said_by_all_commands(env, monkeypatch)
    assert "they wait in the database" in said
    with running([*CELERY, "--loglevel", "debug"], env, tmp_path / "log") as worker:
        wait_until(lambda: "Cannot connect to redis" in worker.said, 60, "the worker is refused")
    _assert_silent(said + worker.said + _everything_stored(database))
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{QUOTED}@127.0.0.1:1/name",
        f"postgresql://user:{HUSH}@127.0.0.1:1/name",
        f"postgresql://user@127.0.0.1:1/name?password={QUOTED}",
        "postgresql://user:Hush1@127.0.0.1:Hush2/name",
        "postgresql://user:1/Hush2@127.0.0.1:1/name",
        "postgresql://user:Hush1#Hush2@127.0.0.1:1/name",
        f"mysql://user:{QUOTED}@127.0.0.1:1/name",
    ],
)
def test_with_a_database_that_cannot_be_reached(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _said_by_all_commands(environment(tmp_path, url), monkeypatch)
    assert said.count("Error: ") == len(COMMANDS)
    _assert_silent(said)
