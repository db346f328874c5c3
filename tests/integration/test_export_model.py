"""`tweetspan models export`: a folder that tweetspan and plain transformers load, with a card that says what it is."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from huggingface_hub import ModelCard
from transformers import pipeline

import cli
from db import evaluations, model_versions
from db.session import Database, open_database
from tagging.checkpoint import read_manifest, verify
from tagging.errors import CheckpointError
from tagging.tagger import Tagger
from tests.ledger_tools import VERSION
from tests.processes import environment
from tests.readings import assert_same_reading
from trainer.corpus import load_named
from trainer.evaluation import evaluate

Run = Callable[..., Result]
TEXTS = ["Ann met Bob in Paris", "@ana_b: #London, 😀"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'home' / 'tweetspan.db'}")
    yield opened
    opened.close()


@pytest.fixture
def run(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def register(database: Database, model_folder: Path, **told: Any) -> str:
    manifest = read_manifest(model_folder)
    model = {"artifact_uri": model_folder.as_uri(), "artifact_hash": manifest.hash, "labels": list(manifest.labels)}
    with database.write_session() as session:
        return str(model_versions.register(session, **VERSION | model | told).id)


def test_an_exported_folder_is_the_registered_model(
    run: Run, database: Database, model_folder: Path, tmp_path: Path
) -> None:
    sources = {"datasets": [], "train_files": [str(tmp_path / "train.conll")]}
    version = register(database, model_folder, config={"corpus_sources": sources})
    folder = tmp_path / "a new" / "folder"
    done = run("models", "export", version, "--to", str(folder))
    assert done.exit_code == 0, done.output
    manifest = verify(folder, read_manifest(model_folder).hash)
    assert {path.name for path in folder.iterdir()} == {*manifest.files, "tweetspan.json", "README.md"}
    assert str(tmp_path) not in (folder / "README.md").read_text(encoding="utf-8")
    expected = Tagger.load(model_folder, "cpu").tag(TEXTS)
    assert any(expected)
    assert_same_reading(Tagger.load(folder, "cpu", manifest.hash).tag(TEXTS), expected)
    assert [path.name for path in folder.parent.iterdir()] == ["folder"], "nothing is left beside it"


def test_plain_transformers_loads_an_exported_folder(
    run: Run, database: Database, model_folder: Path, tmp_path: Path
) -> None:
    run("models", "export", register(database, model_folder), "--to", str(tmp_path / "out"))
    read = [
        pipeline("token-classification", str(folder), aggregation_strategy="first", device="cpu")(TEXTS[0])
        for folder in (model_folder, tmp_path / "out")
    ]
    assert read[0] == read[1] != []


def test_the_card_may_be_edited_and_nothing_else(
    run: Run, database: Database, model_folder: Path, tmp_path: Path
) -> None:
    run("models", "export", register(database, model_folder), "--to", str(tmp_path / "out"))
    (tmp_path / "out" / "README.md").write_text("# Mine")
    verify(tmp_path / "out", read_manifest(model_folder).hash)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match=r"notes\.txt is not in the manifest"):
        verify(tmp_path / "out")


def test_the_card_tells_the_scores_that_were_measured(
    run: Run, database: Database, model_folder: Path, tmp_path: Path
) -> None:
    version = register(database, model_folder, corpus="sample", split_sizes={"validation": 100})
    validation = load_named("sample").splits["validation"]
    measured = evaluate(Tagger.load(model_folder, "cpu").tag, validation)
    with database.write_session() as session:
        for split, texts in (("test", 7), ("validation", 100)):
            told = {"texts_fingerprint": split, "corpus": "sample", "split": split, "texts": texts}
            evaluations.record(session, model_version_id=int(version), results=measured.as_dict(), **told)
    done = run("models", "export", version, "--to", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    card = ModelCard.load(tmp_path / "out" / "README.md")
    plain = measured.figures["plain"].micro
    [found] = [one for one in card.data.eval_results if (one.dataset_split, one.metric_name) == ("test", "f1, plain")]
    assert found.metric_value == round(plain.f1.value, 4)
    assert f"| plain | all | {plain.f1.value:.3f} ({plain.f1.low:.3f} to {plain.f1.high:.3f}) |" in card.text
    assert f"{plain.recall.high:.3f}) | {plain.gold} |" in card.text
    first, second = "On 100 texts of the sample corpus of tweetspan (validation):", "On 7 texts"
    assert card.text.index(first) < card.text.index(second)
    assert "The encoder sees no capitals" in card.text


@pytest.mark.parametrize("there", ["file", "folder with a file", "folder with a hidden file"])
def test_what_is_there_is_not_written_over(
    run: Run, database: Database, model_folder: Path, tmp_path: Path, there: str
) -> None:
    place = tmp_path / "out"
    if there == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / (".mine" if "hidden" in there else "mine")).write_text("mine")
    refused = run("models", "export", register(database, model_folder), "--to", str(place))
    assert refused.exit_code == 1
    assert f"Error: {place} is not an empty folder; give --to one that is empty or not there yet" in refused.output
    assert len([*place.rglob("*")] if place.is_dir() else [place]) == 1


def test_an_empty_folder_is_filled(run: Run, database: Database, model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert run("models", "export", register(database, model_folder), "--to", str(tmp_path / "out")).exit_code == 0
    verify(tmp_path / "out")


def test_a_damaged_model_is_not_exported(run: Run, database: Database, model_folder: Path, tmp_path: Path) -> None:
    version = register(database, model_folder, artifact_hash="0" * 64)
    refused = run("models", "export", version, "--to", str(tmp_path / "out"))
    assert refused.exit_code == 1
    assert "registered is 000000000000…" in refused.output
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_an_error(
    run: Run, database: Database, model_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    refused = run("models", "export", register(database, model_folder), "--to", str(tmp_path / "file" / "out"))
    assert refused.exit_code == 1
    assert "give another folder to --to" in refused.output
