"""What `tweetspan train --search` shows while it works."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from commands.rendering import paused, print_table, progress_bar
from db import search_trials
from db.session import Database
from trainer.config import TrainingConfig
from trainer.examples import Corpus
from trainer.search import Search, Trial, search


def run_search(
    config: TrainingConfig, given: Collection[str], corpus: Corpus, folder: Path, trials: int, seconds: float | None
) -> Search:
    """Search with a progress bar, a line for each trial that ends, and a table of all at the end."""
    with progress_bar() as progress:
        bar = progress.add_task("searching", total=None)

        def on_step(number: int, done: int, total: int) -> None:
            progress.update(bar, description=f"trial {number}", completed=done, total=total)

        def on_trial(trial: Trial) -> None:
            with paused(progress):
                best = _best(trial, config.best_by)
                click.echo(f"trial {trial.number} {trial.state}, {config.best_by} {_figure(best)}", err=True)

        found = search(config, given, corpus, folder, trials, seconds, on_trial, on_step)
    _show(found, config.best_by)
    return found


def registered(database: Database, found: Search) -> int | None:
    """Return the version that came of a search as it is now, None if it has yet to be trained."""
    with database.read_session() as session:
        return search_trials.version_of(session, found.study, len(found.trials))


def _show(found: Search, best_by: str) -> None:
    names = list(found.trials[0].hyperparameters)
    rows = [
        [
            trial.number,
            trial.state + (", best" if trial.number == found.best else ""),
            *(f"{value:g}" for value in trial.hyperparameters.values()),
            " ".join(_figure(scores[best_by]) for scores in trial.epochs),
            f"{(trial.ended_at - trial.started_at).total_seconds():.0f} s",
        ]
        for trial in found.trials
    ]
    print_table(["trial", "state", *(name.replace("_", " ") for name in names), f"{best_by} by epoch", "time"], rows)


def _best(trial: Trial, best_by: str) -> float | None:
    return max((scores[best_by] for scores in trial.epochs), default=None)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
