"""`tweetspan evaluate`: how good a model is, and what it gets wrong."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("evaluate", short_help="Measure how good a model is, and what it gets wrong.")
@click.argument("model", default="active")
@click.option("--dataset", help="`sample`, a Hub id, or a folder of parquet files.  [default: the version's corpus]")
@click.option("--file", type=_FILE, help="Annotated texts in CoNLL or JSONL, instead of a dataset.")
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), help="Of the dataset.  [default: validation]"
)
@click.option("--device", help="auto, cpu, cuda or cuda:N.  [default: TWEETSPAN_DEVICE, or auto]")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a report to this file.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def evaluate_command(
    model: str,
    dataset: str | None,
    file: Path | None,
    split: str | None,
    device: str | None,
    page: Path | None,
    as_json: bool,
) -> None:
    """Evaluate MODEL on annotated texts: a registered version, a folder, or a token classifier of the Hub.

    Entities count as right with their very boundaries and label, in three figures: official (the corpus's own tokens),
    joined ("@" and its handle are one entity) and plain (joined, without handles). Intervals hold 95 %, by bootstrap
    over texts. What a version scores is kept, and told by `models show`.

    \b
    Examples:
      tweetspan evaluate 1 --file dev.conll --html report.html
      tweetspan evaluate 2 --split test
      tweetspan evaluate dslim/bert-base-NER --dataset sample
    """
    if file and (dataset or split):
        raise click.UsageError("--file stands alone: --dataset and --split go with each other")

    from dataclasses import replace

    from commands import evaluating
    from commands.annotated_texts import find_texts
    from commands.evaluation_tables import show
    from commands.opening import opened
    from commands.rendering import print_json
    from tagging.quiet import hush_transformers

    hush_transformers()
    with opened() as (settings, database):
        settings = replace(settings, device=device or settings.single_device)
        tagger, version = evaluating.find_model(settings, database, model)
        if not (version or dataset or file):
            raise click.UsageError(f"{model} is not registered; say on what to evaluate it: --dataset or --file")
        texts = find_texts(version, dataset, file, split or "validation")
        report = evaluating.measure(tagger, model, texts)
        if version:
            report = report.of_version(version)
            with database.write_session() as session:
                evaluating.record(session, version.id, report)
    if page:
        evaluating.write_html(report, page)
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
        if page:
            click.echo(f"the report: {page}")
