"""A training that is cut off goes on from its last whole epoch, and ends as if nothing had happened."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from commands.checkpoint_folders import checkpoint_folder
from tagging.errors import TrainingRunningError
from tests.processes import ROOT, TWEETSPAN, environment, tweetspan
from trainer.config import TrainingConfig
from trainer.examples import Corpus

EPOCHS = 4


def command(encoder: Path, *more: str) -> list[str]:
    named = ["--dataset", "sample", "--base-model", str(encoder), "--epochs", str(EPOCHS), "--batch-size", "4"]
    return ["train", *named, "--max-length", "64", "--calibration-folds", "0", *more]


def versions(home: Path) -> list[dict[str, object]]:
    return json.loads(tweetspan(environment(home), "models", "list", "--json").stdout)


def weights(home: Path) -> dict[str, object]:
    (folder,) = (home / "models").iterdir()
    return load_file(folder / "model.safetensors")


def kill_in_the_third_epoch(home: Path, encoder: Path) -> None:
    with subprocess.Popen(
        [*TWEETSPAN, *command(encoder)], env=environment(home), cwd=ROOT, stdout=subprocess.DEVNULL
    ) as process:
        while len(list(home.glob("training/*/checkpoint-*/epochs.json"))) < 2:
            assert process.poll() is None, "it has ended before the third epoch"
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL


def test_a_killed_training_ends_with_the_same_weights(tiny_encoder: Path, tmp_path: Path) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    kill_in_the_third_epoch(cut, tiny_encoder)
    assert versions(cut) == []
    resumed = tweetspan(environment(cut), *command(tiny_encoder, "--resume"))
    assert resumed.returncode == 0, resumed.stderr
    assert "going on from checkpoint-" in resumed.stdout
    assert "epoch 2:" not in resumed.stdout
    assert "epoch 3:" in resumed.stdout
    unbroken = tweetspan(environment(whole), *command(tiny_encoder))
    assert unbroken.returncode == 0, unbroken.stderr
    after, expected = weights(cut), weights(whole)
    assert after.keys() == expected.keys()
    assert all(after[name].equal(expected[name]) for name in expected)  # to the bit
    assert len(versions(cut)) == 1
    assert [path for path in (cut / "training").iterdir() if path.is_dir()] == [], "no checkpoint is left"


def test_a_training_without_resume_begins_anew(tiny_encoder: Path, tmp_path: Path) -> None:
    kill_in_the_third_epoch(tmp_path, tiny_encoder)
    anew = tweetspan(environment(tmp_path), *command(tiny_encoder))
    assert anew.returncode == 0, anew.stderr
    assert "epoch 1:" in anew.stdout


def test_resume_says_that_there_is_nothing_to_go_on_from(tiny_encoder: Path, tmp_path: Path) -> None:
    begun = tweetspan(environment(tmp_path), *command(tiny_encoder, "--resume", "--epochs", "1"))
    assert begun.returncode == 0, begun.stderr
    assert "nothing to go on from" in begun.stdout


def test_a_training_that_runs_already_is_not_resumed_beside_it(tmp_path: Path) -> None:
    config, corpus = TrainingConfig(), Corpus("none", {})
    with checkpoint_folder(tmp_path, config, corpus, resume=False) as first:
        assert first
        (first / "checkpoint").touch()
        with pytest.raises(TrainingRunningError, match="the same training runs already"):
            checkpoint_folder(tmp_path, config, corpus, resume=True).__enter__()
        with checkpoint_folder(tmp_path, config, corpus, resume=False) as second:
            assert second is None
        assert (first / "checkpoint").exists()
    assert not first.exists()
