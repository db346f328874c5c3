"""`tweetspan models compare`, with two tiny networks on the sample's validation split."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli
from commands import comparing
from db import model_versions
from db.session import Database, open_database
from tagging.checkpoint import read_manifest
from tagging.tagger import Tagger
from tests.ledger_tools import VERSION
from tests.processes import environment
from trainer.config import TrainingConfig
from trainer.corpus import load_named, with_validation
from trainer.finetune import TrainedModel, load_encoder
from trainer.sample import sample_folder
from trainer.scoring import score
from worker import active_model

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def other_folder(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model folder of another tiny random network."""
    config = TrainingConfig(base_model=str(tiny_encoder), device="cpu", seed=2)
    tagger = load_encoder(config, load_named("sample"))
    tagger.network.classifier.weight.data *= 50
    folder = tmp_path_factory.mktemp("other") / "model"
    TrainedModel(tagger, config, {}).save(folder)
    return folder


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'tweetspan.db'}")
    yield opened
    opened.close()


@pytest.fixture
def run(
    tmp_path: Path, database: Database, model_folder: Path, other_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run a command where the two are versions 1 and 2, as if they had been trained on the sample."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(active_model, "_loaded", {})
    for folder in (model_folder, other_folder):
        manifest = read_manifest(folder)
        told = {"artifact_uri": folder.as_uri(), "artifact_hash": manifest.hash, "labels": list(manifest.labels)}
        corpus = {"corpus": "sample", "corpus_fingerprint": load_named("sample").fingerprint}
        with database.write_session() as session:
            model_versions.register(session, **VERSION | told | corpus)
    return lambda *arguments: CliRunner().invoke(cli.main, ["models", "compare", *arguments])


def compared(run: Run, *arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_answer_is_what_each_finds_and_how_it_scores(run: Run, model_folder: Path, other_folder: Path) -> None:
    answer = compared(run, "1", "2", "--show", "1000")
    validation = load_named("sample").splits["validation"]
    found = []
    for name, folder in (("first", model_folder), ("second", other_folder)):
        tagger = Tagger.load(folder, "cpu")
        scores = score(tagger.tag, validation)
        rows = {(row["figure"], row["label"]): row[name] for row in answer["scores"]}
        assert rows["official", None] == pytest.approx(scores["overall_f1"])
        assert rows["plain", None] == pytest.approx(scores["plain_f1"])
        assert rows["official", "PER"] == pytest.approx(scores["PER"]["f1"])
        found.append(
            [
                [(one.start, one.end, one.label) for one in spans]
                for spans in tagger.tag([one.text for one in validation])
            ]
        )
    differing = [position for position, (one, other) in enumerate(zip(*found, strict=True)) if one != other]
    assert len(differing) == answer["differing"] > 0
    assert [one["position"] for one in answer["shown"]] == differing
    for name, spans in zip(("first", "second"), found, strict=True):
        shown = [[(one["start"], one["end"], one["label"]) for one in text[name]] for text in answer["shown"]]
        assert shown == [spans[position] for position in differing]
    for row in answer["scores"]:
        difference = row["difference"]
        assert difference["value"] == pytest.approx(row["second"] - row["first"])
        assert difference["low"] <= difference["high"]
    assert len(answer["scores"]) == 3 * 4, "three figures; all labels, and each of three"


def test_a_version_does_not_differ_from_itself(run: Run) -> None:
    answer = compared(run, "2", "2")
    assert (answer["differing"], answer["shown"]) == (0, [])
    assert {tuple(row["difference"].values()) for row in answer["scores"]} == {(0.0, 0.0, 0.0, 1.0)}


def test_a_validation_split_that_each_drew_for_itself_is_refused(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = load_named("sample")
    without = replace(sample, splits={"train": sample.splits["train"]})
    monkeypatch.setattr(comparing, "load_named", lambda name: without)
    answer = compared(run, "1", "2", "--dataset", "one/without")
    assert answer["texts"] == len(with_validation(without, 1).splits["validation"])
    with database.write_session() as session:
        model_versions.find(session, "2").config = {"seed": 2}
    refused = run("1", "2", "--dataset", "one/without")
    assert refused.exit_code == 1
    assert "one/without has no validation split" in refused.output
    assert "(seeds 1 and 2); give --file" in refused.output
    monkeypatch.setattr(comparing, "load_named", lambda name: sample)
    assert compared(run, "1", "2", "--dataset", "sample")["texts"] == 100


def test_a_setting_of_all_cards_means_auto(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWEETSPAN_DEVICE", "all")
    assert compared(run, "1", "2")["texts"] == 100


def test_a_file_is_read_whole(run: Run) -> None:
    assert compared(run, "1", "2", "--file", str(sample_folder() / "test.jsonl"))["texts"] == 100


def test_a_terminal_sees_a_table_and_marked_texts(run: Run) -> None:
    shown = run("1", "2", "--show", "2").output
    assert "F1 on 100 texts; the difference is version 2 less version 1" in shown
    assert shown.count("\ntext ") == shown.count("\n  gold       ") == 2
    assert "](PER)" in shown
    assert "of 100 texts are read differently" in shown


def test_without_texts_in_common_it_asks_for_some(run: Run, database: Database) -> None:
    with database.write_session() as session:
        model_versions.find(session, "2").corpus_fingerprint = "another"
    refused = run("1", "2")
    assert refused.exit_code == 1
    assert "model versions 1 and 2 were validated on different corpora; give --file" in refused.output
    with database.write_session() as session:
        for name in ("1", "2"):
            version = model_versions.find(session, name)
            version.corpus, version.corpus_fingerprint = "gone/train.conll", "gone"
    refused = run("1", "2")
    assert refused.exit_code == 1
    assert "the corpus of model version 1 cannot be loaded: " in refused.output
    assert "gone/train.conll" in refused.output
    assert refused.output.endswith("; give --file with annotated texts, or --dataset\n")
    assert run("1", "2", "--dataset", "sample").exit_code == 0
