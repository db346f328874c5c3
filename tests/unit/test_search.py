"""The search for hyperparameters: what is tried, what is stopped, and that a search which was cut off goes on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tagging.errors import ConfigError, TrainingRunningError
from tagging.spans import Span
from trainer import search as module
from trainer.config import TrainingConfig
from trainer.examples import Corpus, Example
from trainer.finetune import Listener
from trainer.search import Search, Trial, search, space
from trainer.study_file import opened_study

ANA = Example("Ana met Bob", (Span(0, 3, "PER"), Span(8, 11, "PER")))
CORPUS = Corpus("small", {"train": (ANA,) * 12, "validation": (ANA,)})
Rate = Callable[[TrainingConfig, int], float]


def curve(config: TrainingConfig, epoch: int) -> float:
    """Score as if a certain learning rate were best, and later epochs better."""
    assert config.learning_rate is not None
    return 1 - abs(config.learning_rate - 1e-3) * 100 - 0.1 / epoch


@pytest.fixture
def rated(monkeypatch: pytest.MonkeyPatch) -> Callable[[Rate], list[TrainingConfig]]:
    """Put a figure for each epoch in the place of training; what was trained is listed."""
    trained: list[TrainingConfig] = []

    def put(rate: Rate) -> list[TrainingConfig]:
        def finetune(config: TrainingConfig, corpus: Corpus, listener: Listener) -> Any:
            trained.append(config)
            epochs = [{"overall_f1": rate(config, epoch)} for epoch in range(1, config.epochs + 1)]
            for epoch, scores in enumerate(epochs, start=1):
                listener.on_step(epoch, config.epochs)
                listener.on_epoch(epoch, scores)
            return SimpleNamespace(scores=max(epochs, key=lambda scores: scores["overall_f1"]))

        monkeypatch.setattr(module, "finetune", finetune)
        return trained

    return put


@pytest.fixture
def config(tiny_encoder: Path) -> TrainingConfig:
    """A training of a tiny encoder."""
    return TrainingConfig(str(tiny_encoder), epochs=4, batch_size=8, max_length=32, device="cpu")


def tried(found: Search) -> list[tuple[Any, ...]]:
    """List what must not depend on when a search was cut off."""
    return [(one.number, one.state, one.hyperparameters, one.epochs) for one in found.trials]


def test_what_was_given_is_not_searched() -> None:
    config = TrainingConfig(learning_rate=2e-4, warmup=0.5)
    assert list(space(config)) == ["learning_rate", "epochs", "batch_size", "weight_decay", "warmup"]
    assert list(space(config, {"epochs", "warmup", "seed"})) == ["learning_rate", "batch_size", "weight_decay"]
    for name, distribution in space(config).items():
        assert distribution._contains(distribution.to_internal_repr(getattr(config, name))), f"{name} as it is"


def test_the_first_trial_is_the_configuration_itself_and_the_best_is_returned(
    rated: Any, config: TrainingConfig, tmp_path: Path
) -> None:
    trained = rated(curve)
    found = search(config, {"epochs"}, CORPUS, tmp_path, trials=8)
    resolved = replace(config, learning_rate=1e-3)
    assert trained[0] == resolved
    assert [one.number for one in found.trials] == list(range(8))
    assert {one.epochs for one in trained} == {4}
    best = max(found.trials, key=lambda one: one.epochs[-1]["overall_f1"])
    assert found.best == best.number
    assert found.config == trained[best.number] == replace(resolved, **best.hyperparameters)
    assert best.state == "complete"
    assert best.started_at <= best.ended_at


def test_a_trial_that_falls_behind_is_stopped(rated: Any, config: TrainingConfig, tmp_path: Path) -> None:
    rated(lambda config, epoch: curve(config, epoch) if config.learning_rate == 1e-3 else 0.01 * config.batch_size / 8)
    heard: list[Trial] = []
    found = search(config, {"epochs"}, CORPUS, tmp_path, trials=6, on_trial=heard.append)
    assert heard == found.trials
    assert found.best == 0
    assert [one.state for one in found.trials] == ["complete"] + ["pruned"] * 5
    assert [len(one.epochs) < 4 for one in found.trials] == [False] + [True] * 5


def test_a_search_that_was_cut_off_goes_on_as_if_nothing_had_happened(
    rated: Any, config: TrainingConfig, tmp_path: Path
) -> None:
    trained = rated(curve)
    unbroken = search(config, (), CORPUS, tmp_path / "unbroken", trials=12)
    trained.clear()

    def cut_off(number: int, done: int, total: int) -> None:
        if number == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(config, (), CORPUS, tmp_path / "broken", trials=12, on_step=cut_off)
    ended = search(config, (), CORPUS, tmp_path / "broken", trials=5)
    assert len(trained) == 6
    resumed = search(config, (), CORPUS, tmp_path / "broken", trials=12)
    assert len(trained) == 13, "one was run twice"
    assert tried(ended) == tried(unbroken)[:5]
    assert tried(resumed) == tried(unbroken)
    assert (resumed.study, resumed.best, resumed.config) == (unbroken.study, unbroken.best, unbroken.config)
    assert [one.started_at for one in resumed.trials[:5]] == [one.started_at for one in ended.trials]


def test_another_question_is_another_study(rated: Any, config: TrainingConfig, tmp_path: Path) -> None:
    rated(curve)
    other = Corpus("small", {"train": (ANA,) * 11, "validation": (ANA,)})
    asked = [
        (config, (), CORPUS),
        (replace(config, seed=2), (), CORPUS),
        (config, {"warmup"}, CORPUS),
        (config, (), other),
    ]
    studies = [search(*question, tmp_path, trials=1).study for question in asked]
    assert len(set(studies)) == len(asked) == len(list(tmp_path.glob("*.db")))


def test_no_trial_begins_once_the_time_is_over_but_there_is_one(
    rated: Any, config: TrainingConfig, tmp_path: Path
) -> None:
    rated(curve)
    assert len(search(config, (), CORPUS, tmp_path, trials=9, seconds=0).trials) == 1
    assert len(search(config, (), CORPUS, tmp_path, trials=9, seconds=0).trials) == 1, "earlier trials' time counts"
    assert len(search(config, (), CORPUS, tmp_path, trials=3, seconds=3600).trials) == 3


def test_a_trial_that_runs_out_of_memory_is_recorded_and_the_search_goes_on(
    rated: Any, config: TrainingConfig, tmp_path: Path
) -> None:
    def crowded(config: TrainingConfig, epoch: int) -> float:
        if config.batch_size >= 8:
            raise torch.OutOfMemoryError
        return 0.5

    rated(crowded)
    found = search(config, (), CORPUS, tmp_path, trials=10)
    failed = [one for one in found.trials if one.state == "failed"]
    assert found.trials[0] in failed
    assert all(one.hyperparameters["batch_size"] >= 8 and not one.epochs for one in failed)
    assert found.config.batch_size == 4
    with pytest.raises(ConfigError, match="every trial ran out of memory; give a smaller --batch-size"):
        search(config, {"batch_size"}, CORPUS, tmp_path, trials=2)


def test_nothing_to_search_is_refused(config: TrainingConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="do not give all of learning_rate, epochs, batch_size, weight_decay, warmup"):
        search(config, set(space(config)), CORPUS, tmp_path, trials=2)


def test_a_study_is_open_in_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        opened_study(tmp_path, "mine"),
        opened_study(tmp_path, "another"),
        pytest.raises(TrainingRunningError, match="search mine runs already"),
        opened_study(tmp_path, "mine"),
    ):
        pass
    with opened_study(tmp_path, "mine") as study:
        assert study.trials == []


def test_a_real_training_is_searched(config: TrainingConfig, tmp_path: Path) -> None:
    found = search(replace(config, epochs=1), {"epochs"}, CORPUS, tmp_path, trials=2)
    assert [scores.keys() >= {"overall_f1", "plain_f1"} for scores in found.trials[0].epochs] == [True]
    assert found.config.learning_rate == found.trials[found.best].hyperparameters["learning_rate"]


def test_only_what_a_configuration_takes_is_searched() -> None:
    sizes = space(TrainingConfig(learning_rate=1e-4, batch_size=32, accumulation=32, epochs=700))
    assert sizes["batch_size"].choices == (32, 64)
    assert sizes["epochs"].high == 1000
    assert space(TrainingConfig(learning_rate=1e-4, batch_size=4096))["batch_size"].choices == (2048, 4096)
