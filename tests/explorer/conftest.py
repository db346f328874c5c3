"""The explorer over a small random world, asked as a program asks it; each test on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db import model_versions
from db.session import Database
from explorer.access import Access
from explorer.app import create_app
from explorer.service import Service
from settings import read_settings
from tests.questions.world import World, random_world

TOKEN = "a-token-of-the-tests"

Explorer = Callable[[Access], TestClient]


@pytest.fixture
def world(database: Database) -> World:
    """A random world with edits, active version 1."""
    made = random_world(database)
    with database.write_session() as session:
        model_versions.activate(session, 1)
    return made


@pytest.fixture
def explorer(database: Database, database_url: str, tmp_path: Path) -> Explorer:
    """Return what makes a client of the explorer under some access."""
    environ = {"TWEETSPAN_HOME": str(tmp_path / "home"), "TWEETSPAN_DATABASE_URL": database_url}
    settings = read_settings(environ)
    return lambda access: TestClient(
        create_app(Service(database, settings, access), ["testserver"]), headers={"sec-fetch-site": "same-origin"}
    )


@pytest.fixture
def reader(explorer: Explorer) -> TestClient:
    """A client of an explorer that only reads."""
    return explorer(Access())


@pytest.fixture
def writer(explorer: Explorer) -> TestClient:
    """A client that has signed in with the token."""
    client = explorer(Access(TOKEN))
    assert client.post("/sign-in", data={"token": TOKEN}, follow_redirects=False).status_code == 303
    return client
