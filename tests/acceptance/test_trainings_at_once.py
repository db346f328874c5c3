"""Trainings at once on one database, as real processes: each is registered as if it had been alone."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from commands import model_folders
from db import model_versions
from db.session import open_database
from tagging.checkpoint import read_manifest, verify
from tests.processes import ROOT, TWEETSPAN, environment

SEEDS = (1, 2, 1)  # two of the same seed make the very same model


def test_trainings_at_once_do_not_disturb_each_other(tmp_path: Path, database_url: str, tiny_encoder: Path) -> None:
    env = environment(tmp_path, database_url)  # the database is empty: they set it up at once, too
    named = "train --dataset sample --epochs 1 --calibration-folds 0 --base-model"
    command = [*TWEETSPAN, *named.split(), str(tiny_encoder)]
    started = [
        subprocess.Popen([*command, "--seed", str(seed)], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for seed in SEEDS
    ]
    said = [process.communicate(timeout=600)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    numbers = [int(text.split("registered as model version ")[1].split("\n")[0].split(",")[0]) for text in said]
    assert sorted(numbers) == [1, 2, 3]
    assert [", active" in text for text in said].count(True) == 1, "the first, and no other"

    database = open_database(database_url)
    with database.read_session() as session:
        versions = [model_versions.find(session, str(number)) for number in numbers]
        assert [version.config["seed"] for version in versions] == list(SEEDS)
        assert [row["version"] for row in model_versions.history(session)] == [model_versions.active_id(session)]
    database.close()
    one, other, same = versions
    assert one.artifact_hash == same.artifact_hash != other.artifact_hash, "nobody's weights depend on the others"
    assert json.dumps(one.scores) == json.dumps(same.scores)
    for version in versions:
        verify(Path(version.artifact_uri.removeprefix("file://")), version.artifact_hash)
    assert len(list((tmp_path / "models").iterdir())) == 2, "nothing is left over"


def test_who_keeps_a_model_that_another_has_just_kept_takes_that(
    tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact_hash = read_manifest(model_folder).hash
    remove = shutil.rmtree

    def remove_and_then_another_process(folder: Path, ignore_errors: bool = False) -> None:
        remove(folder, ignore_errors=ignore_errors)
        monkeypatch.setattr(shutil, "rmtree", remove)
        shutil.copytree(model_folder, tmp_path / artifact_hash[:16])

    monkeypatch.setattr(shutil, "rmtree", remove_and_then_another_process)
    with model_folders.new_folder(tmp_path) as partial:
        shutil.copytree(model_folder, partial)
        kept = model_folders.keep(partial, artifact_hash)
    verify(kept, artifact_hash)
    assert list(tmp_path.iterdir()) == [kept]
