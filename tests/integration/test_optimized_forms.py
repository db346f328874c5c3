"""Fast forms in the registry, and `tweetspan models optimize` from its arguments to a worker that can load the form."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

import cli
from db import model_versions, optimized_forms
from db.session import Database, open_database
from db.tables import OptimizedForm
from tagging.checkpoint import read_manifest, verify
from tests.ledger_tools import FORM, VERSION, new_version
from tests.processes import environment
from trainer.corpus import load_files, load_named, with_validation
from trainer.sample import sample_folder
from worker import active_model

ELSEWHERE = {"artifact_uri": "file:///form", "artifact_hash": "f"}
EVERYTHING_IS_ALLOWED = ("--max-cost", "100")
NOTHING_IS_ALLOWED = ("--max-cost", "-101")  # a random network may gain by chance
TRAIN, VALIDATION = sample_folder() / "train.jsonl", sample_folder() / "validation.jsonl"


def test_forms_come_fastest_first_and_are_a_versions_own(database: Database) -> None:
    first, second = new_version(database), new_version(database)
    with database.write_session() as session:
        for version_id, precision, speed in [(first, "fp32", 1.5), (first, "int8", 2.5), (second, "int8", 1.1)]:
            told = {"model_version_id": version_id, "precision": precision, "speed": speed}
            optimized_forms.record(session, **FORM | ELSEWHERE | told)
    with database.read_session() as session:
        assert [one.speed for one in optimized_forms.forms_of(session, first)] == [2.5, 1.5]
        assert [one.speed for one in optimized_forms.forms_of(session, second)] == [1.1]


def test_a_form_takes_the_place_of_the_one_of_its_precision(database: Database) -> None:
    version_id = new_version(database)
    for artifact_hash in ("old", "new"):
        with database.write_session() as session:
            told = {"model_version_id": version_id, "artifact_hash": artifact_hash}
            optimized_forms.record(session, **FORM | ELSEWHERE | told)
    with database.write_session() as session:
        assert optimized_forms.relocate(session, "new", "s3://models/1/fp32")
        assert not optimized_forms.relocate(session, "old", "s3://models/1/old"), "it was replaced meanwhile"
    with database.read_session() as session:
        [form] = optimized_forms.forms_of(session, version_id)
        assert (form.artifact_hash, form.artifact_uri) == ("new", "s3://models/1/fp32")
        assert form.created_at.tzinfo is not None


@dataclass
class Home:
    """A home with the tiny model registered as version 1, as if it had been trained on the sample."""

    run: Callable[..., Result]
    database: Database
    models: Path

    def tagged(self, runtime: str) -> dict[tuple[int, int, str], float]:
        """Tag a text by the command, in a process that has loaded nothing; return the spans and their scores."""
        active_model._loaded.clear()
        done = self.run("tag", "--device", "cpu", "--runtime", runtime, "--json", "Ann met Bob in Paris")
        assert done.exit_code == 0, done.output
        return {(one["start"], one["end"], one["label"]): one["score"] for one in json.loads(done.output)["spans"]}

    def forms(self) -> list[OptimizedForm]:
        with self.database.read_session() as session:
            return list(session.scalars(select(OptimizedForm)))


@pytest.fixture
def home(tmp_path: Path, database_url: str, model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home on each database."""
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(active_model, "_loaded", {})
    database = open_database(database_url)
    manifest = read_manifest(model_folder)
    told = {"artifact_uri": model_folder.as_uri(), "artifact_hash": manifest.hash, "labels": list(manifest.labels)}
    corpus = {"corpus": "sample", "corpus_fingerprint": load_named("sample").fingerprint, "config": {"seed": 1}}
    with database.write_session() as session:
        version = model_versions.register(session, **VERSION | told | corpus)
        model_versions.activate(session, version.id)
    yield Home(lambda *arguments: CliRunner().invoke(cli.main, arguments), database, tmp_path / "models")
    database.close()


def test_a_form_is_made_shown_recorded_and_used(home: Home) -> None:
    before = home.tagged("torch")
    made = home.run("models", "optimize", "1", "--precision", "fp32")
    assert made.exit_code == 0, made.output
    assert "the fp32 form of model version 1 is stored" in made.output
    assert "0 texts (0.0%)" in made.output
    [form] = home.forms()
    assert (form.precision, form.texts_checked, form.f1_cost, form.differing_share) == ("fp32", 100, 0.0, 0.0)
    assert form.corpus_fingerprint == load_named("sample").fingerprint
    [folder] = home.models.iterdir()
    assert folder.as_uri() == form.artifact_uri
    assert verify(folder, form.artifact_hash).labels == tuple(read_manifest(folder).labels)
    assert json.loads(home.run("models", "show").output)["fast_forms"][0]["artifact_hash"] == form.artifact_hash
    assert json.loads(home.run("models", "list", "--json").output)[0]["fast_forms"] == ["fp32"]
    assert "fp32" in home.run("models", "list").output
    assert home.tagged("onnx") == pytest.approx(before, abs=1e-3)


def test_a_form_that_costs_too_much_is_refused_and_nothing_is_left_of_it(home: Home) -> None:
    refused = home.run("models", "optimize", "1", *NOTHING_IS_ALLOWED)
    assert refused.exit_code == 1
    assert "points of F1, above -101, and is not stored; take --precision fp32, or allow it with" in refused.output
    assert home.forms() == []
    assert list(home.models.iterdir()) == []


def test_the_cost_that_a_refusal_names_is_enough(home: Home) -> None:
    refused = home.run("models", "optimize", "1", *NOTHING_IS_ALLOWED)
    named = refused.output.split("--max-cost ")[1].strip()
    assert home.run("models", "optimize", "1", "--max-cost", named).exit_code == 0


def test_again_it_replaces_and_a_refusal_leaves_the_one_before(home: Home) -> None:
    made = [json.loads(home.run("models", "optimize", *EVERYTHING_IS_ALLOWED, "--json").output) for _ in range(2)]
    assert made[0]["artifact_hash"] == made[1]["artifact_hash"]
    assert made[0]["precision"] == "int8"
    [form] = home.forms()
    assert form.created_at.isoformat() == made[1]["created_at"] > made[0]["created_at"]
    assert home.run("models", "optimize", *NOTHING_IS_ALLOWED).exit_code == 1
    assert [one.created_at for one in home.forms()] == [form.created_at]
    verify(next(home.models.iterdir()), form.artifact_hash)


def test_without_the_versions_corpus_it_asks_for_files_and_takes_them(home: Home) -> None:
    with home.database.write_session() as session:
        model_versions.find(session).corpus_fingerprint = "another"
    refused = home.run("models", "optimize", "--precision", "fp32")
    assert refused.exit_code == 1
    assert "give --dataset, or --train-file and --validation-file" in refused.output
    files = ("--train-file", str(TRAIN), "--validation-file", str(VALIDATION))
    assert home.run("models", "optimize", "--precision", "fp32", *files).exit_code == 0
    [form] = home.forms()
    assert form.corpus_fingerprint == load_files(TRAIN, VALIDATION).fingerprint


def test_a_corpus_that_is_gone_is_an_error_that_asks_for_files(home: Home) -> None:
    with home.database.write_session() as session:
        model_versions.find(session).corpus = "gone/train.conll"
    refused = home.run("models", "optimize")
    assert refused.exit_code == 1
    assert "the corpus of model version 1 cannot be loaded" in refused.output
    assert "give --dataset, or --train-file and --validation-file" in refused.output


def test_a_file_that_the_version_was_trained_on_is_read_again(home: Home) -> None:
    with home.database.write_session() as session:
        found = model_versions.find(session)
        found.corpus, found.corpus_fingerprint = str(TRAIN), with_validation(load_files(TRAIN), seed=1).fingerprint
    assert home.run("models", "optimize", "--precision", "fp32").exit_code == 0


def test_an_upload_takes_the_forms_along(home: Home, tmp_path: Path, model_folder: Path) -> None:
    assert home.run("models", "optimize", "--precision", "fp32").exit_code == 0
    uri = (tmp_path / "shared" / "1").as_uri()
    uploaded = home.run("models", "upload", "1", uri)
    assert uploaded.exit_code == 0, uploaded.output
    [form] = home.forms()
    assert form.artifact_uri == f"{uri}/fp32-{form.artifact_hash[:16]}"
    verify(tmp_path / "shared" / "1" / form.artifact_uri.rpartition("/")[2], form.artifact_hash)
    verify(tmp_path / "shared" / "1", read_manifest(model_folder).hash)
    assert home.run("models", "upload", "1", uri).exit_code == 0, "what lies there already is only checked"
