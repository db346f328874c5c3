"""`tweetspan train`: fine-tune an encoder and register the version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

_SENTENCE = "Zachary Raicik works for Corvus and lives in San Diego"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _folds(context: click.Context, option: click.Parameter, folds: int) -> int:
    if folds == 1 or folds < 0:
        raise click.BadParameter(f"{folds} is not possible; give 2 or more, or 0 for scores that are not calibrated")
    return folds


@click.command("train", short_help="Fine-tune an encoder and register it.")
@click.option(
    "--dataset", help="`sample`, a Hub id, or a folder of parquet files.  [default: GateNLP/broad_twitter_corpus]"
)
@click.option("--train-file", type=_FILE, help="CoNLL or JSONL instead of a dataset.")
@click.option("--validation-file", type=_FILE, help="Without it a tenth of the training texts is held back.")
@click.option("--test-file", type=_FILE, help="Kept with the fingerprint; never trained on.")
@click.option("--base-model", help="`starter`, a Hub id, or a folder.  [default: bert-base-cased]")
@click.option("--recipe", default="default", show_default=True, help="`default`, or `tutorial` (only the head trains).")
@click.option("--epochs", type=int, help="[default: 3]")
@click.option("--batch-size", type=int, help="Texts a step.  [default: 32]")
@click.option("--learning-rate", type=float, help="[default: 6600 / parameters of the encoder]")
@click.option("--weight-decay", type=float, help="[default: 0.01]")
@click.option("--warmup", type=float, help="Fraction of all steps.  [default: 0.1]")
@click.option("--max-length", type=int, help="Window in token ids; longer texts are read in several.  [default: 128]")
@click.option("--seed", type=int, help="[default: 1]")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), help="[default: auto]")
@click.option("--device", help="auto, cpu, cuda or cuda:N.  [default: auto]")
@click.option("--train-layers", help="all, head or last-N.  [default: all]")
@click.option("--label-subwords", type=click.Choice(["first", "all"]), help="[default: first]")
@click.option(
    "--calibration-folds",
    type=int,
    default=2,
    show_default=True,
    callback=_folds,
    help="K further trainings, on (K - 1) / K of the texts each, that say what a score is worth; 0 for none.",
)
@click.option("--try", "sentence", default=_SENTENCE, show_default=True, help="A text to tag before and after.")
@click.option("--activate", is_flag=True, help="Tag with the new version from now on (the first one always is).")
def train_command(
    dataset: str | None,
    train_file: Path | None,
    validation_file: Path | None,
    test_file: Path | None,
    recipe: str,
    calibration_folds: int,
    sentence: str,
    activate: bool,
    **hyperparameters: Any,
) -> None:
    """Fine-tune an encoder on an annotated corpus and register the version.

    \b
    Without a hub:
      tweetspan train --dataset sample --base-model starter --epochs 8 --batch-size 16
      tweetspan train --train-file train.conll --validation-file dev.conll --base-model starter
    """
    if dataset and train_file:
        raise click.UsageError("give --dataset or --train-file, not both")
    if (validation_file or test_file) and not train_file:
        raise click.UsageError("--validation-file and --test-file go with --train-file")

    from commands.calibrating import calibrate
    from commands.opening import opened
    from commands.training import register, show_corpus, train
    from tagging.quiet import hush_transformers
    from trainer.base_model import find_base_model
    from trainer.config import TrainingConfig
    from trainer.corpus import BROAD_TWITTER_CORPUS, load_files, load_named, with_validation

    hush_transformers()
    config = TrainingConfig.from_recipe(recipe, **hyperparameters)
    find_base_model(config.base_model)  # before minutes are spent on a corpus
    corpus = (
        load_files(train_file, validation_file, test_file)
        if train_file
        else load_named(dataset or BROAD_TWITTER_CORPUS)
    )
    corpus = with_validation(corpus, config.seed)
    show_corpus(corpus)
    with opened() as (settings, database):
        trained = train(config, corpus, sentence)
        calibrate(trained, corpus, calibration_folds)
        version_id, is_active = register(settings, database, trained, corpus, activate)
    click.echo(f"registered as model version {version_id}" + (", active" if is_active else ""))
    if not is_active:
        click.echo(f"to tag with it: tweetspan models activate {version_id}")
