"""Search hyperparameters with Optuna: TPE proposes trials, successive halving over epochs stops what falls behind.

Optuna's storage is an SQLite file of its own, and only trials that have ended are written there. A search that was
killed so loses nothing but the trial that was cut off; that one is proposed and run again, since a proposal depends
on the ended trials and the seed alone.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.trial import FrozenTrial, TrialState

from tagging.errors import ConfigError
from trainer.config import TrainingConfig
from trainer.encoder import load_encoder
from trainer.epochs import Listener, Scores
from trainer.examples import Corpus
from trainer.finetune import finetune
from trainer.study_file import opened_study

Space = dict[str, BaseDistribution]
_REDUCTION = 2  # after 1, 2, 4 ... epochs the better half of the trials goes on


@dataclass(frozen=True)
class Trial:
    """A trial that has ended; `state` is complete, pruned or failed (out of memory); `epochs` are its scores."""

    number: int
    state: str
    hyperparameters: dict[str, Any]
    epochs: list[Scores]
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Search:
    """A search that has ended: its trials, and which of them scored best, ready to be trained."""

    study: str
    trials: list[Trial]
    best: int
    config: TrainingConfig


def space(config: TrainingConfig, given: Collection[str] = ()) -> Space:
    """Give what is searched, around a configuration with its learning rate filled in; what was `given` is fixed."""
    rate, size = config.learning_rate or 1e-3, config.batch_size
    sizes = {half for half in (size // 2, size, 2 * size) if 1 <= half <= 4096 and half % config.accumulation == 0}
    searched: Space = {
        "learning_rate": FloatDistribution(rate / 4, min(4 * rate, 1), log=True),
        "epochs": IntDistribution(max(1, config.epochs // 2), min(2 * config.epochs, 1000)),
        "batch_size": CategoricalDistribution(sorted(sizes)),
        "weight_decay": FloatDistribution(0, max(0.1, config.weight_decay)),
        "warmup": FloatDistribution(0, max(0.3, config.warmup)),
    }
    return {name: distribution for name, distribution in searched.items() if name not in given}


def search(
    config: TrainingConfig,
    given: Collection[str],
    corpus: Corpus,
    folder: Path,
    trials: int,
    seconds: float | None = None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
    on_step: Callable[[int, int, int], None] = lambda number, done, total: None,
) -> Search:
    """Run trials until there are so many, or they took so many seconds; those that ended in an earlier call count.

    The first trial is `config` itself. Its hyperparameters named in `given` stay as they are. The study's file lies in
    `folder`, under a name that the configuration, the space and the corpus make: the same call goes on with it.
    Raises ConfigError if nothing is left to search or no trial came to its end,
    TrainingRunningError.
    """
    config = config.with_learning_rate(load_encoder(config, corpus).network.base_model.num_parameters())
    searched = space(config, given)
    if not searched:
        raise ConfigError(f"nothing is left to search; do not give all of {', '.join(space(config))}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    name = _name(config, searched, corpus)
    with opened_study(folder, name) as stored:
        study = optuna.create_study(direction="maximize", pruner=_pruner())
        study.add_trials(stored.trials)
        while len(study.trials) < trials and not _is_over(study.trials, seconds):
            _run(study, config, searched, corpus, on_step)
            stored.add_trial(study.trials[-1])
            on_trial(_trial(study.trials[-1]))
    if not any(one.state == TrialState.COMPLETE for one in study.trials):
        raise ConfigError("every trial ran out of memory; give a smaller --batch-size")
    best = study.best_trial
    return Search(name, [_trial(one) for one in study.trials], best.number, replace(config, **_rounded(best.params)))


def _run(
    study: optuna.Study,
    config: TrainingConfig,
    searched: Space,
    corpus: Corpus,
    on_step: Callable[[int, int, int], None],
) -> None:
    if not study.trials:
        study.enqueue_trial({name: getattr(config, name) for name in searched})
    study.sampler = optuna.samplers.TPESampler(
        seed=(config.seed + len(study.trials)) % 2**32
    )  # whatever came before a kill
    trial = study.ask(searched)
    tried = replace(config, **_rounded(trial.params))
    epochs: list[Scores] = []

    def on_epoch(epoch: int, scores: Scores) -> None:
        epochs.append(scores)
        trial.report(scores[config.best_by], epoch)
        if trial.should_prune() and epoch < tried.epochs:
            raise optuna.TrialPruned

    listener = Listener(on_step=lambda done, total: on_step(trial.number, done, total), on_epoch=on_epoch)
    value, state = None, TrialState.COMPLETE
    try:
        value = finetune(tried, corpus, listener=listener).scores[config.best_by]
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except torch.OutOfMemoryError:
        state = TrialState.FAIL
    trial.set_user_attr("epochs", epochs)
    study.tell(trial, value, state)


def _rounded(params: dict[str, Any]) -> dict[str, Any]:
    """Cut the numbers to what can be read and given again by hand."""
    return {name: float(f"{value:.3g}") if isinstance(value, float) else value for name, value in params.items()}


def _trial(frozen: FrozenTrial) -> Trial:
    assert frozen.datetime_start is not None
    assert frozen.datetime_complete is not None
    state = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned"}.get(frozen.state, "failed")
    return Trial(
        frozen.number,
        state,
        _rounded(frozen.params),
        frozen.user_attrs["epochs"],
        frozen.datetime_start.astimezone(),
        frozen.datetime_complete.astimezone(),
    )


def _is_over(trials: list[FrozenTrial], seconds: float | None) -> bool:
    spent = sum(one.duration.total_seconds() for one in trials if one.duration)
    return bool(trials) and seconds is not None and spent >= seconds


def _pruner() -> optuna.pruners.BasePruner:
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=_REDUCTION)


def _name(config: TrainingConfig, searched: Space, corpus: Corpus) -> str:
    distributions = {name: distribution_to_json(distribution) for name, distribution in searched.items()}
    said = json.dumps([config.as_dict(), distributions, corpus.fingerprint], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
