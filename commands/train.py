"""`tweetspan train`: fine-tune an encoder and register the version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from answers.moments import parse_duration
from commands.corpus_changes import change_options

_SENTENCE = "Zachary Raicik works for Corvus and lives in San Diego"
_MOST_FOLDS = 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _folds(context: click.Context, option: click.Parameter, folds: int) -> int:
    if folds == 1 or not 0 <= folds <= _MOST_FOLDS:
        raise click.BadParameter(
            f"{folds} is not possible; give 2 to {_MOST_FOLDS}, or 0 for scores that are not calibrated"
        )
    return folds


@click.command("train", short_help="Fine-tune an encoder and register it.")
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    help="`sample`, a Hub id, or a folder of parquet files; several are joined, also with files.  "
    "[default: GateNLP/broad_twitter_corpus]",
)
@click.option("--train-file", "train_files", type=_FILE, multiple=True, help="CoNLL or JSONL; several are joined.")
@click.option(
    "--validation-file",
    "validation_files",
    type=_FILE,
    multiple=True,
    help="Without any validation text a tenth of the training texts is held back.",
)
@click.option("--test-file", "test_files", type=_FILE, multiple=True, help="Kept with the fingerprint; not trained on.")
@change_options
@click.option("--base-model", help="`starter`, a Hub id, or a folder.  [default: bert-base-cased]")
@click.option("--recipe", default="default", show_default=True, help="`default`, or `tutorial` (only the head trains).")
@click.option("--epochs", type=int, help="[default: 3]")
@click.option("--batch-size", type=int, help="Texts a step.  [default: 32]")
@click.option("--accumulation", type=int, help="Parts in which a step reads its texts, to save memory.  [default: 1]")
@click.option("--learning-rate", type=float, help="[default: 4500 / parameters of the encoder]")
@click.option("--weight-decay", type=float, help="[default: 0.01]")
@click.option("--warmup", type=float, help="Fraction of all steps.  [default: 0.1]")
@click.option("--max-length", type=int, help="Window in token ids; longer texts are read in several.  [default: 128]")
@click.option("--seed", type=int, help="[default: 1]")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), help="[default: auto]")
@click.option("--device", help="auto, cpu, cuda or cuda:N.  [default: auto]")
@click.option("--train-layers", help="all, head or last-N.  [default: all]")
@click.option("--label-subwords", type=click.Choice(["first", "all"]), help="[default: first]")
@click.option(
    "--set",
    "set_values",
    metavar="NAME=VALUE",
    multiple=True,
    help="Any other hyperparameter (docs/training.md), such as label_smoothing=0.05 or wide_vocabulary=no.",
)
@click.option(
    "--calibration-folds",
    type=int,
    default=3,
    show_default=True,
    callback=_folds,
    help="K further trainings, on (K - 1) / K of the texts each, that say what a score is worth; 0 for none.",
)
@click.option(
    "--search",
    "trials",
    type=click.IntRange(1),
    help="Try so many settings of learning rate, epochs, batch size, weight decay and warmup (those given here are "
    "kept); train and register the best. The same command goes on with a search that was cut off.",
)
@click.option("--search-time", help="Begin no trial after so long in all: 30m, 2h.  [default: no limit]")
@click.option("--try", "sentence", default=_SENTENCE, show_default=True, help="A text to tag before and after.")
@click.option("--activate", is_flag=True, help="Tag with it from now on, unless it is worse (the first always does).")
@click.option("--resume", is_flag=True, help="Go on from the last whole epoch of the same training, if it was cut off.")
def train_command(
    datasets: tuple[str, ...],
    train_files: tuple[Path, ...],
    validation_files: tuple[Path, ...],
    test_files: tuple[Path, ...],
    changes: list[str],
    recipe: str,
    set_values: tuple[str, ...],
    calibration_folds: int,
    trials: int | None,
    search_time: str | None,
    sentence: str,
    activate: bool,
    resume: bool,
    **hyperparameters: Any,
) -> None:
    """Fine-tune an encoder on an annotated corpus and register the version.

    \b
    Without a hub:
      tweetspan train --dataset sample --base-model starter --epochs 8 --batch-size 16
      tweetspan train --train-file train.conll --validation-file dev.conll --base-model starter
      tweetspan train --dataset sample --base-model starter --search 20 --search-time 30m
    """
    if (validation_files or test_files) and not train_files:
        raise click.UsageError("--validation-file and --test-file go with --train-file")
    if search_time and not trials:
        raise click.UsageError("--search-time goes with --search")
    seconds = parse_duration(search_time) if search_time else None

    from commands.calibrating import calibrate
    from commands.checkpoint_folders import checkpoint_folder
    from commands.opening import opened
    from commands.registering import register
    from commands.training import show_corpus, train
    from tagging.quiet import hush_transformers
    from trainer.base_model import find_base_model
    from trainer.config import TrainingConfig, read_values
    from trainer.corpus import BROAD_TWITTER_CORPUS, load_corpus, with_validation
    from trainer.corpus_repairs import change

    hush_transformers()
    given = {name: value for name, value in hyperparameters.items() if value is not None}
    values = read_values(set_values)
    if twice := given.keys() & values.keys():
        raise click.UsageError(f"{twice.pop()} is given by an option and by --set; give it once")
    given |= values
    config = TrainingConfig.from_recipe(recipe, **given)
    find_base_model(config.base_model)  # before minutes are spent on a corpus
    if not (datasets or train_files):
        datasets = (BROAD_TWITTER_CORPUS,)
    loaded = load_corpus(datasets, train_files, validation_files, test_files)
    corpus = change(with_validation(loaded, config.seed), changes)
    show_corpus(corpus)
    with opened() as (settings, database):
        found = None
        if trials:
            from commands.searching import registered, run_search

            found = run_search(config, given.keys(), corpus, settings.searches_folder, trials, seconds)
            if known := registered(database, found):
                click.echo(f"of this search came model version {known}: tweetspan models show {known}")
                click.echo("for more trials give a larger --search, or --search-time")
                return
            config = found.config
        with checkpoint_folder(settings.home, config, corpus, resume) as checkpoints:
            trained = train(config, corpus, sentence, checkpoints, resume)
            calibrate(trained, corpus, calibration_folds)
            done = register(settings, database, trained, corpus, activate, resume, found)
    click.echo(f"registered as model version {done.version}" + (", active" if done.is_active else ""))
    click.echo(f"its report: {done.report}")
    if done.compared:
        click.echo(done.compared)
    elif not done.is_active:
        click.echo(f"to tag with it: tweetspan models activate {done.version}")
