"""`tweetspan models compare`: two versions on the same annotated texts."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option("--dataset", help="`sample`, a Hub id, or a folder of parquet files: its validation split.")
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CoNLL or JSONL: all of it.")
@click.option("--show", type=click.IntRange(min=0), default=5, show_default=True, help="Texts on which they differ.")
@click.option("--json", "as_json", is_flag=True, help="For machines; offsets are code points, end exclusive.")
def compare(first: str, second: str, dataset: str | None, file: Path | None, show: int, as_json: bool) -> None:
    """Compare SECOND with FIRST on the same annotated texts, and show where they differ.

    Both tag the texts: by default the validation split that they have in common. Differences in F1, second less first,
    come with their 95 % interval and p-value by paired bootstrap over texts: official, with "@" joined, and plain,
    for all labels and for each. None of the p-values is corrected for how many there are.

    \b
    Examples:
      tweetspan models compare 1 2
      tweetspan models compare active 2 --file dev.conll --show 20
    """
    if dataset and file:
        raise click.UsageError("give --dataset or --file, not both")

    from commands import comparing
    from commands.opening import opened
    from commands.rendering import print_json
    from db import model_versions
    from tagging.quiet import hush_transformers

    hush_transformers()
    with opened() as (settings, database):
        with database.read_session() as session:
            versions = model_versions.find(session, first), model_versions.find(session, second)
        examples = comparing.examples_for(versions, dataset, file)
        comparison = comparing.compare(settings, database, versions, examples)
    if as_json:
        print_json(comparison.as_dict(show))
    else:
        comparing.print_comparison(comparison, show)
