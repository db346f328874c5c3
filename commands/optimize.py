"""`tweetspan models optimize`: make a version's fast form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trainer.comparison import Comparison

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("optimize")
@click.argument("version", default="active")
@click.option("--precision", type=click.Choice(["int8", "fp32"]), default="int8", show_default=True)
@click.option("--max-cost", type=float, default=0.3, show_default=True, help="Points of F1 that it may cost.")
@click.option("--dataset", help="`sample`, a Hub id, or a folder of parquet files.  [default: the version's corpus]")
@click.option("--train-file", type=_FILE, help="CoNLL or JSONL instead of a dataset.")
@click.option("--validation-file", type=_FILE, help="Without it a tenth of the training texts is held back.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def optimize(
    version: str,
    precision: str,
    max_cost: float,
    dataset: str | None,
    train_file: Path | None,
    validation_file: Path | None,
    as_json: bool,
) -> None:
    """Make a form of a version that a CPU reads faster, compare the two on the validation split, and store it.

    int8 computes with small integers, whose scales come from up to 1,000 training texts; fp32 computes as the
    checkpoint does. A form that costs too much F1 is refused and not stored; one made before is replaced.

    Workers on a CPU that load the version from then on tag with the fastest form that is there (--runtime auto);
    one that runs already keeps what it has loaded. Other machines get it by `tweetspan models upload`.

    \b
    Examples:
      tweetspan models optimize 2
      tweetspan models optimize 2 --train-file train.conll --validation-file dev.conll
    """
    if dataset and train_file:
        raise click.UsageError("give --dataset or --train-file, not both")
    if validation_file and not train_file:
        raise click.UsageError("--validation-file goes with --train-file")

    from commands import optimizing
    from commands.opening import opened
    from commands.rendering import print_json
    from commands.version_corpus import corpus_for
    from db import model_versions
    from tagging.quiet import hush_transformers

    def on_compared(comparison: Comparison) -> None:
        if not as_json:
            optimizing.show(precision, comparison)

    hush_transformers()
    with opened() as (settings, database):
        with database.read_session() as session:
            found = model_versions.find(session, version)
        corpus = corpus_for(found, dataset, train_file, validation_file)
        form = optimizing.optimize(settings, database, found, corpus, precision, max_cost, on_compared)
    if as_json:
        print_json(form)
        return
    click.echo(f"the {precision} form of model version {found.id} is stored; a worker uses it from its next start on")
    if form["speed"] <= 1:
        click.echo("it is no faster than the checkpoint here: --runtime auto passes it over")
