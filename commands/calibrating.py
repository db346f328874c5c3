"""What `tweetspan train` shows while it calibrates the scores of a trained model."""

from __future__ import annotations

import time

import click

from commands.rendering import progress_bar
from trainer import calibration
from trainer.epochs import Listener
from trainer.examples import Corpus
from trainer.finetune import TrainedModel


def calibrate(trained: TrainedModel, corpus: Corpus, folds: int) -> None:
    """Calibrate the scores of a trained model's spans, with a progress bar; 0 folds leave them as they are."""
    if not folds:
        return
    started = time.monotonic()
    with progress_bar() as progress:
        bars = [progress.add_task(f"calibration {fold} of {folds}", total=None) for fold in range(1, folds + 1)]
        trained.tagger.calibration = calibration.calibrate(
            trained,
            corpus,
            folds,
            lambda fold: Listener(on_step=lambda done, total: progress.update(bars[fold], completed=done, total=total)),
        )
    found = trained.tagger.calibration
    if found is None:
        click.echo("scores are not calibrated: the corpus has too few entities for that")
        return
    told = f"scores are calibrated on {found.spans} spans in texts that {folds} trainings had not seen"
    click.echo(f"{told}, {time.monotonic() - started:.0f} s")
