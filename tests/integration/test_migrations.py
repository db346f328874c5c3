"""The history of the tables: it leads to `tables.py`, runs on filled databases, and refuses what it does not know."""

import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from db import model_versions
from db import upgrade as module
from db.columns import Base
from db.counts import EVER
from db.optimized_forms import forms_of, record
from db.session import create_database_engine, open_database
from db.tables import Annotation, Batch, EntityCount, HourCount, ModelVersion, Span, Tweet
from db.upgrade import head, upgrade
from tagging.errors import DatabaseError
from tests.ledger_tools import FORM

PASSWORD = "hunter2-and-more"

# One row in every table of revision 0001, as SQL.
ROWS = {
    "model_versions": "1, {moment}, 'b', '{{}}', 'c', 'f', '{{}}', '[]', '{{}}', 'cpu', 1.5, '{{}}', 'file:///x', 'h'",
    "model_aliases": "'active', 1, {moment}",
    "tweets": "9223372036854775807, 'Ann', {moment}, NULL, NULL, NULL",
    "tombstones": "5, {moment}",
    "jobs": "1, 'job', 1.0",
    "batches": "1, 1, NULL, 1, {ids}, 'waiting', 0, NULL, NULL, NULL, NULL, 1.0, NULL, NULL",
    "workers": "'w', 1.0, 1.0, NULL",
    "entities": "1, 'PER', 'ann'",
    "annotations": "9223372036854775807, 1, 'done', 1.0, NULL",
    "spans": "9223372036854775807, 1, 0, 3, 'PER', 'Ann', 0.5, 1",
}
SPELLINGS = {
    "sqlite": {"moment": "'2026-01-02 03:04:05.000000'", "ids": "'[9223372036854775807]'"},
    "postgresql": {"moment": "'2026-01-02 03:04:05+00'", "ids": "'{9223372036854775807}'"},
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on an empty database of each kind."""
    engine = create_database_engine(database_url)
    yield engine
    engine.dispose()


def alembic(engine: Engine, name: str, *arguments: str) -> None:
    config = module._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        getattr(command, name)(config, *arguments)


def tables(engine: Engine) -> set[str]:
    """List our tables; FTS5's own, which only SQLite has, are none."""
    names = set(inspect(engine).get_table_names()) - {"alembic_version"}
    return {name for name in names if not name.startswith("tweet_words_index")}


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables(engine)}


def test_the_history_leads_to_the_tables(engine: Engine) -> None:
    upgrade(engine)
    alembic(engine, "check")  # raises where a migration is missing
    assert tables(engine) == set(Base.metadata.tables)


def test_an_upgrade_on_the_newest_revision_changes_nothing(engine: Engine) -> None:
    assert upgrade(engine) == upgrade(engine) == head()
    assert tables(engine) == set(Base.metadata.tables)


def test_an_empty_database_is_set_up_when_it_is_opened_and_kept_afterwards(database_url: str) -> None:
    for _ in range(2):
        database = open_database(database_url)
        with database.write_session() as session:
            session.execute(text("INSERT INTO tombstones SELECT count(*) + 1, '2026-01-01' FROM tombstones"))
        database.close()
    engine = create_database_engine(database_url)
    assert counts(engine)["tombstones"] == 2
    engine.dispose()


def test_four_upgrades_of_an_empty_database_at_once_all_succeed(database_url: str) -> None:
    start = Barrier(4)

    def run(_: int) -> str:
        engine = create_database_engine(database_url)
        start.wait(timeout=10)
        try:
            return upgrade(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(run, range(4))) == [head()] * 4


def test_a_database_that_somebody_sets_up_meanwhile_can_be_opened(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = module._revision
    other = create_database_engine(postgresql_url)

    def revision_and_then_another_process(connection: Connection) -> str | None:
        found = revision(connection)
        monkeypatch.setattr(module, "_revision", revision)
        upgrade(other)
        return found

    monkeypatch.setattr(module, "_revision", revision_and_then_another_process)
    try:
        open_database(postgresql_url).close()
    finally:
        other.dispose()


def test_a_filled_database_is_upgraded_without_a_loss(engine: Engine, database_url: str) -> None:
    alembic(engine, "upgrade", "0001")
    assert tables(engine) == set(ROWS), "a row for every table"
    with engine.begin() as connection:
        for name, values in ROWS.items():
            row = values.format(**SPELLINGS[engine.dialect.name])
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({row})")
    upgrade(engine)
    assert {name: count for name, count in counts(engine).items() if name in ROWS} == dict.fromkeys(ROWS, 1)
    database = open_database(database_url)
    with database.read_session() as session:
        tweet = session.get_one(Tweet, 2**63 - 1)
        assert (tweet.text, tweet.created_at and tweet.created_at.isoformat()) == ("Ann", "2026-01-02T03:04:05+00:00")
        assert session.get_one(Batch, 1).tweet_ids == [tweet.id]
        assert session.get_one(Annotation, (tweet.id, 1)).status == "done"
        assert session.get_one(Span, (tweet.id, 1, 0)).surface == "Ann"
        assert session.get_one(ModelVersion, 1).labels == []
        counted = [session.get_one(EntityCount, (1, 1, day)) for day in (20455, EVER)]
        assert [(one.label, one.mentions, one.tweets) for one in counted] == [("PER", 1, 1)] * 2
        [hour] = session.scalars(select(HourCount))
        assert (hour.hour, hour.tweets, hour.mentions) == (20455 * 24 + 3, 1, 1)
        assert forms_of(session, 1) == []
        [activation] = model_versions.history(session)
        assert (activation["version"], activation["activated_at"]) == (1, "2026-01-02T03:04:05+00:00")
    database.close()


def test_versions_of_before_can_be_given_a_fast_form_and_keep_it(engine: Engine, database_url: str) -> None:
    alembic(engine, "upgrade", "0004")
    values = ROWS["model_versions"].format(**SPELLINGS[engine.dialect.name])
    form = FORM | {"model_version_id": 1, "artifact_uri": "file:///form", "artifact_hash": "f"}
    with engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO model_versions VALUES ({values})")
    upgrade(engine)
    database = open_database(database_url)
    with database.write_session() as session:
        record(session, **form)
    with database.read_session() as session:
        [found] = forms_of(session, 1)
        assert {name: getattr(found, name) for name in form} == form
    with pytest.raises(IntegrityError), database.write_session() as session:
        record(session, **form | {"model_version_id": 2})  # there is no such version
    database.close()


def test_foreign_keys_are_on_again_after_an_upgrade(tmp_path: Path) -> None:
    engine = create_database_engine(f"sqlite:///{tmp_path / 'test.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    engine.dispose()


def test_another_revision_is_refused_with_both_names(engine: Engine, database_url: str) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'abc123'"))
    with pytest.raises(DatabaseError, match="update tweetspan here") as caught:
        open_database(database_url)
    assert "abc123" in str(caught.value)
    assert head() in str(caught.value)


def test_a_database_of_another_program_is_refused(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE somebody_elses (id INTEGER)"))
    with pytest.raises(DatabaseError, match="revision none"):
        open_database(database_url)
    assert tables(engine) == {"somebody_elses"}


def test_an_upgrade_from_a_revision_of_the_future_is_an_error_for_users(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'abc123'"))
    with pytest.raises(DatabaseError, match="abc123"):
        upgrade(engine)


def refuse_one_client(listener: socket.socket) -> None:
    """Answer as a PostgreSQL server does that gets a wrong password: the embedded one trusts everybody."""
    fields = b'SFATAL\0C28P01\0Mpassword authentication failed for user "ann"\0\0'
    client, _ = listener.accept()
    with client:
        while True:
            (length,) = struct.unpack("!i", client.recv(4))
            (code,) = struct.unpack("!i", client.recv(length - 4)[:4])
            if code == 196608:  # protocol 3.0; before it the client asks for encryption
                break
            client.sendall(b"N")
        client.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)


def test_a_wrong_password_is_an_error_that_does_not_show_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        listener.settimeout(10)
        server = thread.submit(refuse_one_client, listener)
        port = listener.getsockname()[1]
        with pytest.raises(DatabaseError, match="TWEETSPAN_DATABASE_URL") as caught:
            open_database(f"postgresql+psycopg://ann:{PASSWORD}@127.0.0.1:{port}/db?sslmode=disable")
        server.result(timeout=10)
    assert 'authentication failed for user "ann"' in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"postgresql+psycopg://ann:{PASSWORD}@127.0.0.1:1/db", id="nobody listens"),
        pytest.param(f"postgresql+psycopg://ann:{PASSWORD}@/db?host=/not/there", id="no socket"),
        pytest.param(f"postgresql+psycopg://ann:{PASSWORD}#?:%@127.0.0.1:1/db", id="signs"),
        pytest.param(
            f"postgresql+psycopg://ann@127.0.0.1:1/db?password={PASSWORD}",
            id="parameter",
        ),
        pytest.param(
            f"postgresql+psycopg://ann:p@{PASSWORD}@127.0.0.1:1/db",
            id="bare @",
        ),
        pytest.param(
            f"postgresql+psycopg://ann:{PASSWORD}@127.0.0.1:port/db",
            id="port",
        ),
        pytest.param(PASSWORD, id="no URL"),
    ],
)
def test_a_server_that_is_not_there_is_an_error_without_the_password(url: str) -> None:
    with pytest.raises(DatabaseError, match="TWEETSPAN_DATABASE_URL") as caught:
        open_database(url)
    assert PASSWORD not in str(caught.value)


def test_a_folder_is_no_sqlite_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="cannot open"):
        open_database(f"sqlite:///{tmp_path}")


def test_another_file_is_no_sqlite_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("These are notes, and no database at all. " * 100)
    with pytest.raises(DatabaseError, match="cannot open"):
        open_database(f"sqlite:///{file}")
