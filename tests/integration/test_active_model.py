"""A batch whose model lies elsewhere: fetched, or refused and the batch returned; with a real, tiny network."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from sqlalchemy import select

from db import ledger, model_versions, optimized_forms
from db.session import Database
from db.tables import Annotation, Batch
from settings import Settings, read_settings
from tagging.checkpoint import read_manifest
from tagging.errors import CheckpointError, DeviceError
from tagging.onnx_form import write_onnx_form
from tagging.tagger import Tagger
from tests.ledger_tools import FORM, VERSION
from tests.readings import keys
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
    monkeypatch.setenv("TWEETSPAN_THREADS", "1")  # two that compute a tiny network wait for each other
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


def on_cpu(runtime: str = "auto") -> Settings:
    return replace(read_settings(), device="cpu", runtime=runtime)


def annotated(database: Database, runtime: str = "auto") -> bool:
    """Enqueue a tweet and annotate its batch on the CPU."""
    enqueue(database, [Tweet(1, "Ann met Bob in Paris", None, None, None, None)], "")
    with database.read_session() as session:
        batch_id = session.scalars(select(Batch.id)).one()
    return annotate_batch(database, batch_id, lambda version_id: tagger_for(database, version_id, on_cpu(runtime)))


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
    loaded = tagger_for(database, first, on_cpu())
    with pytest.raises(CheckpointError):
        tagger_for(database, register(database, web.url, "1" * 64), on_cpu())
    assert tagger_for(database, first, on_cpu()) is loaded


def test_a_damaged_cache_is_fetched_again_with_signs_of_life(
    database: Database, web: Web, model_folder: Path, home: Path
) -> None:
    registered = read_manifest(model_folder).hash
    version = register(database, web.url, registered)
    tagger_for(database, version, on_cpu())
    active_model._loaded.clear()
    (home / "cache" / "models" / registered / "model.safetensors").write_bytes(b"damaged")
    web.asked.clear()
    lived: list[int] = []
    tagger_for(database, version, on_cpu(), lambda moved, size: lived.append(moved))
    assert "/model.safetensors" in web.asked
    assert len(lived) >= len(web.asked)


TEXTS = ["Ann met Bob in Paris", "@ana_b and #London are words, 😀 too"]


@pytest.fixture(scope="session")
def form_folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model in a form for ONNX Runtime."""
    folder = tmp_path_factory.mktemp("form") / "form"
    write_onnx_form(model_folder, folder, "fp32", TEXTS)
    return folder


def add_form(database: Database, version_id: int, uri: str, artifact_hash: str, **values: object) -> None:
    with database.write_session() as session:
        told = {"model_version_id": version_id, "artifact_uri": uri, "artifact_hash": artifact_hash}
        optimized_forms.record(session, **FORM | told | values)


def loaded_by(caplog: pytest.LogCaptureFixture) -> str:
    """Say which form the last version was loaded in."""
    return [one.getMessage() for one in caplog.records if "loaded on cpu" in one.getMessage()][-1].partition(": ")[2]


@pytest.mark.parametrize(
    ("runtime", "speed", "expected"),
    [
        ("auto", 2.0, "fp32 form"),
        ("auto", 0.9, "checkpoint"),
        ("onnx", 0.9, "fp32 form"),
        ("torch", 2.0, "checkpoint"),
    ],
)
def test_the_runtime_decides_what_is_loaded_and_the_entities_stay(
    database: Database, model_folder: Path, form_folder: Path, caplog: pytest.LogCaptureFixture,
    runtime: str, speed: float, expected: str,
) -> None:  # fmt: skip
    version = register(database, model_folder.as_uri(), read_manifest(model_folder).hash)
    add_form(database, version, form_folder.as_uri(), read_manifest(form_folder).hash, speed=speed)
    with caplog.at_level(logging.INFO, "worker.active_model"):
        found = tagger_for(database, version, on_cpu(runtime)).tag(TEXTS)
    assert loaded_by(caplog) == expected
    assert keys(found) == keys(Tagger.load(model_folder, "cpu").tag(TEXTS))
    assert any(found)


def test_of_several_forms_the_fastest_is_taken_and_a_missing_one_passed_over(
    database: Database, model_folder: Path, form_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    version = register(database, model_folder.as_uri(), read_manifest(model_folder).hash)
    add_form(database, version, form_folder.as_uri(), read_manifest(form_folder).hash, speed=2.0)
    add_form(database, version, (tmp_path / "gone").as_uri(), "1" * 64, speed=3.0, precision="int8")
    with caplog.at_level(logging.INFO, "worker.active_model"):
        tagger_for(database, version, on_cpu())
    assert loaded_by(caplog) == "fp32 form"
    [warning] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warning.startswith(f"the int8 form of model version {version} cannot be used here, its fp32 form is tried: ")
    assert "run `tweetspan models upload" in warning


def test_a_form_that_is_not_the_recorded_one_is_not_loaded(
    database: Database, model_folder: Path, form_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    version = register(database, model_folder.as_uri(), read_manifest(model_folder).hash)
    add_form(database, version, form_folder.as_uri(), "1" * 64)
    with caplog.at_level(logging.INFO, "worker.active_model"):
        tagger_for(database, version, on_cpu())
    assert loaded_by(caplog) == "checkpoint"
    assert "registered is 111111111111…" in caplog.text


def test_a_form_serves_where_the_checkpoint_is_not(database: Database, form_folder: Path, tmp_path: Path) -> None:
    version = register(database, (tmp_path / "gone").as_uri(), "1" * 64)
    add_form(database, version, form_folder.as_uri(), read_manifest(form_folder).hash)
    assert annotated(database)


def test_onnx_without_a_form_gives_the_batch_back_and_names_the_command(database: Database, model_folder: Path) -> None:
    version = register(database, model_folder.as_uri(), read_manifest(model_folder).hash)
    assert not annotated(database, "onnx")
    with database.read_session() as session:
        batch = session.scalars(select(Batch)).one()
    assert (batch.status, batch.attempts) == (ledger.WAITING, 0)
    assert batch.error is not None
    assert f"`tweetspan models optimize {version}`" in batch.error


def test_a_card_tags_by_torch(
    database: Database, model_folder: Path, form_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = register(database, model_folder.as_uri(), read_manifest(model_folder).hash)
    add_form(database, version, form_folder.as_uri(), read_manifest(form_folder).hash)
    monkeypatch.setattr(active_model, "find_device", lambda name: torch.device("cuda"))
    asked: list[Path] = []

    def load(folder: Path, *_: object) -> SimpleNamespace:
        asked.append(folder)
        return SimpleNamespace(device="cuda:0")

    monkeypatch.setattr(Tagger, "load", load)
    card = replace(read_settings(), device="cuda:0")
    with pytest.raises(DeviceError, match="use --device cpu"):
        tagger_for(database, version, replace(card, runtime="onnx"))
    assert asked == []
    tagger_for(database, version, card)
    assert asked == [model_folder]
