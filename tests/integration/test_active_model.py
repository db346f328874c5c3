"""A batch whose model lies elsewhere: fetched, or refused and the batch returned; with a real, tiny network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from db import ledger, model_versions
from db.session import Database
from db.tables import Annotation, Batch
from tagging.checkpoint import read_manifest
from tagging.errors import CheckpointError
from tests.ledger_tools import VERSION
from tests.web import Web, serving
from worker import active_model
from worker.active_model import tagger_for
from worker.enqueue import enqueue
from worker.tasks import annotate_batch
from worker.tweet_files import Tweet


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, in a process that has loaded nothing."""
    monkeypatch.setenv("TWEETSPAN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(active_model, "_loaded", {})
    return tmp_path / "home"


@pytest.fixture
def web(model_folder: Path) -> Iterator[Web]:
    with serving(model_folder) as web:
        yield web


def register(database: Database, uri: str, artifact_hash: str) -> int:
    with database.write_session() as session:
        version = model_versions.register(session, **VERSION | {"artifact_uri": uri, "artifact_hash": artifact_hash})
        model_versions.activate(session, version.id)
        return version.id


def annotated(database: Database) -> bool:
    """Enqueue a tweet and annotate its batch on the CPU."""
    enqueue(database, [Tweet(1, "Ann met Bob in Paris", None, None, None, None)], "")
    with database.read_session() as session:
        batch_id = session.scalars(select(Batch.id)).one()
    return annotate_batch(database, batch_id, lambda version_id: tagger_for(database, version_id, "cpu"))


def test_a_batch_is_tagged_with_a_model_from_elsewhere(database: Database, web: Web, model_folder: Path) -> None:
    register(database, web.url, read_manifest(model_folder).hash)
    assert annotated(database)
    with database.read_session() as session:
        assert session.scalars(select(Annotation.status)).all() == ["done"]


@pytest.mark.parametrize("why", ["another hash", "not there", "no such folder"])
def test_a_batch_whose_model_is_refused_goes_back_uncounted(
    database: Database, web: Web, model_folder: Path, tmp_path: Path, why: str
) -> None:
    registered = read_manifest(model_folder).hash
    uri, artifact_hash, said = {
        "another hash": (web.url, "1" * 64, f"{web.url} has hash {registered[:12]}…, registered is 111111111111…"),
        "not there": (f"{web.url}/nothing", registered, f"nothing is found at {web.url}/nothing;"),
        "no such folder": ((tmp_path / "x").as_uri(), registered, "on this machine; run `tweetspan models upload"),
    }[why]
    register(database, uri, artifact_hash)
    assert not annotated(database)
    with database.read_session() as session:
        batch = session.scalars(select(Batch)).one()
        assert (batch.status, batch.attempts) == (ledger.WAITING, 0)
        assert batch.error is not None
        assert said in batch.error
        assert session.scalars(select(Annotation)).all() == []


def test_a_refused_version_leaves_the_loaded_one(database: Database, web: Web, model_folder: Path) -> None:
    first = register(database, model_folder.as_uri(), read_manifest(model_folder).hash)
    loaded = tagger_for(database, first, "cpu")
    with pytest.raises(CheckpointError):
        tagger_for(database, register(database, web.url, "1" * 64), "cpu")
    assert tagger_for(database, first, "cpu") is loaded


def test_a_damaged_cache_is_fetched_again_with_signs_of_life(
    database: Database, web: Web, model_folder: Path, home: Path
) -> None:
    registered = read_manifest(model_folder).hash
    version = register(database, web.url, registered)
    tagger_for(database, version, "cpu")
    active_model._loaded.clear()
    (home / "cache" / "models" / registered / "model.safetensors").write_bytes(b"damaged")
    web.asked.clear()
    lived: list[int] = []
    tagger_for(database, version, "cpu", lambda moved, size: lived.append(moved))
    assert "/model.safetensors" in web.asked
    assert len(lived) >= len(web.asked)
