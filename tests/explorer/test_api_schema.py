"""The API answers as its OpenAPI description says, whatever it is asked; `make explorer-fuzz` asks much more."""

from collections.abc import Iterator
from typing import Any

import pytest

from db.session import Database
from explorer.access import Access
from explorer.api import work
from tests.explorer.conftest import TOKEN, Explorer
from tests.explorer.fuzzing import fuzz
from tests.fake_tagger import FakeTagger
from tests.ledger_tools import enqueue_tweets
from tests.questions.world import World
from worker import active_model


@pytest.fixture
def app(explorer: Explorer, database: Database, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An explorer with a world, a job and a tagger."""
    enqueue_tweets(database, range(5001, 5005), 2)
    monkeypatch.setattr(active_model, "tagger_for", lambda *_: FakeTagger())
    with explorer(Access(TOKEN)) as client:
        yield client.app


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_answer_has_its_documented_form(app: Any) -> None:
    found = fuzz(app, examples=5, seed=1, phases=["examples", "fuzzing"])
    assert not found.failures, "\n".join(found.failures)
    assert found.cases > 120
    assert found.statuses[200] > 30


def test_every_operation_is_described(app: Any) -> None:
    described = app.openapi()
    operations = [one for path in described["paths"].values() for one in path.values()]
    assert {tag for one in operations for tag in one["tags"]} == {tag["name"] for tag in described["tags"]}
    for one in operations:
        assert one["summary"]
        assert one["description"].endswith(".")
        assert {"200", "400", "401", "422", "503"} <= set(one["responses"])
        for parameter in one.get("parameters", ()):
            assert parameter["description"]
    writing = [path for path, found in described["paths"].items() if "post" in found]
    assert len(writing) == 6
    for path in writing:
        assert described["paths"][path]["post"]["security"] == [{"HTTPBearer": []}]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_fault_would_be_found(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "job_row", lambda _: {"job": "one without its columns"})
    failures = fuzz(app, examples=2, seed=1, phases=["fuzzing"]).failures
    assert any(one.startswith("GET /api/jobs: ") for one in failures)
