"""`train --search`: a real process, killed in the midst of a trial, and started again."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from db import model_versions, search_trials
from db.session import Database
from tests.ledger_tools import VERSION
from tests.processes import TWEETSPAN, environment, running, tweetspan, wait_until


def test_a_search_survives_a_kill_and_registers_the_best_trial(tmp_path: Path, tiny_encoder: Path) -> None:
    env = environment(tmp_path)
    command = ["train", "--dataset", "sample", "--base-model", str(tiny_encoder), "--search", "6", "--epochs", "2"]
    command += ["--max-length", "64", "--calibration-folds", "0"]
    with running([*TWEETSPAN, *command], env, tmp_path / "killed.log") as killed:
        wait_until(lambda: "trial 1 complete" in killed.said or "trial 1 pruned" in killed.said, 600, "two trials")
        killed.kill()
    assert "trial 5" not in killed.said
    assert json.loads(tweetspan(env, "models", "list", "--json").stdout) == []

    done = subprocess.run([*TWEETSPAN, *command], env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "trial 1 " not in done.stderr, "what had ended is not run again"
    assert "trial 5 " in done.stderr
    assert "complete, best" in done.stdout
    assert "registered as model version 1, active" in done.stdout

    shown = json.loads(tweetspan(env, "models", "show", "1").stdout)
    trials = shown["search"]
    assert [one["number"] for one in trials] == list(range(6))
    assert len({one["study"] for one in trials}) == 1
    complete = [one for one in trials if one["state"] == "complete"]
    best = max(complete, key=lambda one: max(scores["overall_f1"] for scores in one["epochs"]))
    assert shown["config"] == shown["config"] | best["hyperparameters"]
    assert shown["config"]["epochs"] == 2, "it was given"
    assert shown["scores"]["epochs"] == best["epochs"], "trained again it scores the same"

    again = tweetspan(env, *command)
    assert "of this search came model version 1: tweetspan models show 1" in again.stdout
    assert len(json.loads(tweetspan(env, "models", "list", "--json").stdout)) == 1


def test_trials_are_kept_by_version(database: Database) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    trial = {"state": "complete", "hyperparameters": {"epochs": 3}, "epochs": [{"overall_f1": 0.5}],
             "started_at": moment, "ended_at": moment}  # fmt: skip
    with database.write_session() as session:
        first, second, third = (model_versions.register(session, **VERSION).id for _ in range(3))
        search_trials.record(session, first, "s", [{**trial, "number": number} for number in range(2)])
        search_trials.record(session, second, "s", [{**trial, "number": number} for number in range(3)])
    with database.read_session() as session:
        assert [one.number for one in search_trials.trials_of(session, second)] == [0, 1, 2]
        assert list(search_trials.trials_of(session, third)) == []
        assert [search_trials.version_of(session, "s", trials) for trials in (1, 2, 3)] == [None, first, second]
        assert search_trials.version_of(session, "another", 2) is None
        told = search_trials.details(search_trials.trials_of(session, first)[1])
        assert told == {**trial, "number": 1, "study": "s", "started_at": moment.isoformat(),
                        "ended_at": moment.isoformat()}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--search", "2", "--search-time", "soon"), "'soon' is not a length of time; write 90s, 30m, 2h or 1d"),
        (("--search-time", "30m"), "--search-time goes with --search"),
    ],
)
def test_a_search_that_cannot_be_is_refused(arguments: tuple[str, ...], told: str) -> None:
    refused = CliRunner().invoke(cli.main, ["train", "--dataset", "sample", *arguments])
    assert refused.exit_code != 0
    assert told in refused.output
