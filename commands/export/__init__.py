"""`tweetspan export`: stored annotations for other programs. One file a format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Unpack

import click

from answers.wording import covered
from commands.export.formats import BINARY, FORMATS, IDS, writer
from commands.export.output import STANDARD_OUTPUT, opened_output, shown_on_terminal, write_provenance
from commands.filters import filter_options

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from answers.asked import Asked
    from commands.export.formats import Pages
    from db.exports import ExportedTweet
    from db.filters import Filter
    from db.session import Database


@click.command("export", short_help="Write annotations for other programs.")
@click.option("--format", "file_format", type=click.Choice(FORMATS), default="jsonl", show_default=True)
@click.option("--ids-only", is_flag=True, help="Only the ids of the tweets, one a line; instead of --format.")
@click.option("--entity", help="Only mentions of it, and the tweets that hold them.")
@click.option(
    "--output", type=click.Path(dir_okay=False), default=STANDARD_OUTPUT, help="A file.  [default: standard output]"
)
@click.option("--label-config", is_flag=True, help="Print a Label Studio project's labelling set-up, and end.")
@filter_options
def export_command(
    file_format: str, ids_only: bool, entity: str | None, output: str, label_config: bool, **asked: Unpack[Asked]
) -> None:
    """Write the tweets that a version has read, with their spans, in the order of their ids.

    Offsets are Unicode code points into the text, end exclusive, in every format. A span's `label` is the version's;
    its `entity` is what the mention counts for, with merges applied. Tweets without a span are written, too, unless
    --label, --min-score, --kind or --entity asks for something of spans.

    \b
    jsonl         a tweet a line, its spans in it; `tweetspan train --train-file` reads it
    csv           a span a row. Texts are not changed: in a spreadsheet, import
                  the columns as text, or a tweet that begins with = is a formula
    parquet       a tweet a row, its spans a list of structs, for DuckDB, Polars
    conll         a word, a tab and an IOB2 label a line; an empty line between tweets
    spacy         training data a line: {"text", "entities": [[start, end, label]]}
    label-studio  tasks with predictions; --label-config prints the project's set-up

    Where --output is a file, FILE.provenance.json is written beside it once it is whole: version, hashes, filter,
    date. Platforms allow ids to be shared, not texts: --ids-only. See docs/exports.md.

    \b
    Examples:
      tweetspan export > annotations.jsonl
      tweetspan export --format parquet --output spans.parquet --label LOC --since 7d
    """
    from commands.opening import opened

    with opened() as (_, database):
        if label_config:
            _print_label_config(database, asked)
        else:
            _export(database, IDS if ids_only else file_format, entity, output, asked)


def _print_label_config(database: Database, asked: Asked) -> None:
    from answers.asked import chosen_filter
    from commands.export.as_label_studio import label_config
    from db.entity_lookup import labels_of

    with database.read_session() as session:
        click.echo(label_config(labels_of(session, chosen_filter(session, asked).model_version_id)), nl=False)


def _export(database: Database, name: str, entity: str | None, output: str, asked: Asked) -> None:
    from answers.asked import chosen_filter
    from commands.rendering import progress_bar
    from db import exports
    from db.coverage import cover

    with database.read_session() as session:
        chosen = chosen_filter(session, asked)
        entity_ids = _members(session, entity, chosen)
        provenance, coverage = exports.provenance(session, chosen, entity), cover(session, chosen)
    written = Counter(tweets=0, spans=0)
    with progress_bar() as progress, opened_output(output, name in BINARY) as sink:
        bar = progress.add_task("tweets", total=coverage.tweets, visible=not shown_on_terminal(output))
        pages = _counted(_pages(database, chosen, entity_ids), written, lambda tweets: progress.advance(bar, tweets))
        notes = {what: number for what, number in writer(name)(pages, sink, provenance).items() if number}
    write_provenance(output, {**provenance, "format": name, **written, "notes": notes})
    for what, number in notes.items():
        click.echo(f"{number:,} {what}", err=True)
    counts = f"{written['tweets']:,} tweets with {written['spans']:,} spans"
    click.secho(f"{counts}, {covered(coverage)}", dim=True, err=True)


def _pages(database: Database, chosen: Filter, entity_ids: list[int] | None) -> Iterator[Sequence[ExportedTweet]]:
    """Read page by page, each in a session of its own, so that no transaction is open while somebody reads."""
    from db import exports

    last = 0
    while True:
        with database.read_session() as session:
            page = exports.annotated_tweets(session, chosen, entity_ids, after=last)
        if not page:
            return
        yield page
        last = page[-1].id


def _counted(pages: Pages, written: Counter[str], on_tweets: Callable[[int], None]) -> Pages:
    for page in pages:
        written.update(tweets=len(page), spans=sum(len(tweet.spans) for tweet in page))
        on_tweets(len(page))
        yield page


def _members(session: Session, entity: str | None, chosen: Filter) -> list[int] | None:
    from db.entity_lookup import look_up, members

    return members(session, look_up(session, entity, chosen.model_version_id).id) if entity is not None else None
