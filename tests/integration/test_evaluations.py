"""Evaluations in the registry, and `tweetspan evaluate` on versions, folders and models of others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from transformers import AutoConfig

import cli
from db import evaluations, model_versions
from db.session import Database, open_database
from tagging.checkpoint import MANIFEST_NAME, read_manifest
from tagging.errors import EncoderError
from tagging.tagger import Tagger
from tests.ledger_tools import VERSION, new_version
from tests.processes import environment
from tests.readings import assert_same_reading
from trainer.corpus import load_named
from trainer.sample import sample_folder
from trainer.stock_model import load_model
from worker import active_model

Run = Callable[..., Result]
TEST = sample_folder() / "test.jsonl"
RATES = {"f1": {"value": 0.7, "low": 0.6, "high": 0.8}}
EVALUATION: dict[str, Any] = {
    "texts_fingerprint": "t", "corpus": "sample", "split": "test", "texts": 100,
    "results": {"figures": {"official": {"micro": RATES}}},
}  # fmt: skip


def test_an_evaluation_takes_the_place_of_the_one_on_the_same_texts(database: Database) -> None:
    first, second = new_version(database), new_version(database)
    for version_id, fingerprint, texts in [(first, "t", 90), (first, "t", 100), (first, "u", 5), (second, "t", 100)]:
        told = {"model_version_id": version_id, "texts_fingerprint": fingerprint, "texts": texts}
        with database.write_session() as session:
            evaluations.record(session, **EVALUATION | told)
    with database.read_session() as session:
        found = evaluations.evaluations_of(session, first)
        assert [(one.texts_fingerprint, one.texts) for one in found] == [("u", 5), ("t", 100)]
        told = evaluations.summary(found[1])
        assert (told["corpus"], told["split"], told["f1"]) == ("sample", "test", {"official": RATES["f1"]})


@pytest.fixture
def run(tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a home with the tiny model as version 1, as if it had been trained on the sample."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(active_model, "_loaded", {})
    database = open_database(f"sqlite:///{tmp_path / 'tweetspan.db'}")
    manifest, corpus = read_manifest(model_folder), load_named("sample")
    told = {"artifact_uri": model_folder.as_uri(), "artifact_hash": manifest.hash, "labels": list(manifest.labels)}
    trained = {"corpus": "sample", "corpus_fingerprint": corpus.fingerprint, "split_sizes": corpus.sizes}
    with database.write_session() as session:
        version = model_versions.register(session, **VERSION | told | trained | {"config": {"seed": 1}})
        model_versions.activate(session, version.id)
    database.close()
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_version_is_evaluated_on_its_own_corpus_and_the_registry_tells(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "report.html"
    shown = run("evaluate", "--html", str(page))
    assert shown.exit_code == 0, shown.output
    assert "model version 1 on sample, validation: 100 texts" in shown.output
    assert "<h1>model version 1 on sample</h1>" in page.read_text(encoding="utf-8")
    [recorded] = told(run("models", "show"))["evaluations"]
    assert (recorded["corpus"], recorded["split"], recorded["texts"]) == ("sample", "validation", 100)
    assert recorded["f1"].keys() == {"official", "joined", "plain"}


def test_the_same_texts_have_the_same_fingerprint_wherever_they_come_from(run: Run, model_folder: Path) -> None:
    named = told(run("evaluate", "1", "--split", "test", "--json"))
    file = told(run("evaluate", "1", "--file", str(TEST), "--json"))
    folder = told(run("evaluate", str(model_folder), "--dataset", "sample", "--split", "test", "--json"))
    assert named["texts_fingerprint"] == file["texts_fingerprint"] == folder["texts_fingerprint"]
    assert named["evaluation"] == file["evaluation"]
    unseen = [part for part in named["evaluation"]["slices"] if not part["group"].startswith("in the training split")]
    assert len(unseen) < len(named["evaluation"]["slices"])
    assert folder["evaluation"] == named["evaluation"] | {"slices": unseen}, "what it was trained on is not known"
    assert (named["model"], folder["model"], folder["base_model"]) == ("model version 1", str(model_folder), None)
    assert len(told(run("models", "show"))["evaluations"]) == 1


def test_a_setting_of_all_cards_means_auto(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWEETSPAN_DEVICE", "all")
    assert told(run("evaluate", "1", "--file", str(TEST), "--json"))["evaluation"]["texts"] == 100


def test_what_cannot_be_evaluated_is_said(run: Run, model_folder: Path, tmp_path: Path) -> None:
    assert "--dataset or --file" in run("evaluate", str(model_folder)).output
    assert "--file stands alone" in run("evaluate", "1", "--file", str(TEST), "--split", "test").output
    assert "there is no model version 7" in run("evaluate", "7").output
    (tmp_path / "file").touch()
    assert "holds no text" in run("evaluate", "1", "--file", str(tmp_path / "file")).output
    unwritable = run("evaluate", "1", "--file", str(TEST), "--html", str(tmp_path / "file" / "report.html"))
    assert unwritable.exit_code == 1
    assert "name another file" in unwritable.output


@pytest.fixture
def stock_folder(model_folder: Path, tmp_path: Path) -> Path:
    """The tiny model without our manifest: a folder as others write it."""
    folder = shutil.copytree(model_folder, tmp_path / "stock")
    (folder / MANIFEST_NAME).unlink()
    return folder


def test_a_model_of_others_tags_as_ours_does(stock_folder: Path, model_folder: Path) -> None:
    texts = ["Ann met Bob in Paris", "@ana_b is in #London"]
    assert_same_reading(load_model(str(stock_folder), "cpu").tag(texts), Tagger.load(model_folder, "cpu").tag(texts))


def test_labels_that_are_not_iob2_are_refused(stock_folder: Path) -> None:
    config = AutoConfig.from_pretrained(stock_folder)
    config.id2label = {index: f"LABEL_{index}" for index in range(config.num_labels)}
    config.save_pretrained(stock_folder)
    with pytest.raises(EncoderError, match="are not IOB2"):
        load_model(str(stock_folder), "cpu")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="as a token classifier"):
        load_model(str(tmp_path), "cpu")
