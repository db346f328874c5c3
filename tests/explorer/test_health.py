"""Whether it lives and can answer, told to whoever asks."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db import model_versions
from db.session import Database
from explorer.access import Access
from tests.explorer.conftest import TOKEN, Explorer
from tests.ledger_tools import new_version
from tests.questions.world import World


def test_it_is_ready_once_a_version_is_active(explorer: Explorer, database: Database) -> None:
    client = explorer(Access(TOKEN, is_closed=True))
    assert client.get("/healthz").json() == {"status": "alive"}
    assert (client.get("/readyz").status_code, client.get("/readyz").json()["reason"]) == (
        503,
        "no model version is active",
    )
    new_version(database)
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (200, {"status": "ready"})


def test_it_says_that_every_connection_is_taken(reader: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(_: object) -> None:
        raise PoolTimeout("QueuePool limit of size 20 overflow 20 reached")

    monkeypatch.setattr(model_versions, "active_id", taken)
    answer = reader.get("/today")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "every connection to the database is taken" in answer.text
    assert reader.get("/readyz").status_code == 503


def test_it_is_not_ready_without_its_database(reader: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the server is gone"))

    monkeypatch.setattr(model_versions, "active_id", away)
    answer = reader.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "the database does not answer")
    assert reader.get("/healthz").status_code == 200


def test_monitors_may_ask_for_the_head_alone(reader: TestClient, world: World) -> None:
    assert [reader.head(path).status_code for path in ("/healthz", "/readyz", "/today", "/nowhere")] == [
        200,
        200,
        200,
        404,
    ]
    assert reader.head("/api/tag").status_code == 405


def test_the_api_leads_to_its_description(reader: TestClient) -> None:
    assert reader.get("/api", follow_redirects=False).headers["location"] == "/docs"
