"""`tweetspan models export`: a version as a folder with a model card."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("export")
@click.argument("version")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), required=True, help="A folder that is empty or not there yet."
)
def export(version: str, folder: Path) -> None:
    """Copy a version's model, checked against its hash, into a folder, with a model card (README.md).

    The folder is a stock Hugging Face one: `transformers` loads it, and a model hub takes it as it is. The card tells
    data, recipe, scores with 95 % intervals, what a span's score means, intended use, limits and licence; it may be
    edited: it is not part of the hash. The fast forms are not copied.

    \b
    Example: tweetspan models export active --to tweet-tagger
    """
    from commands.exporting_model import export_model
    from commands.opening import opened
    from db import model_versions
    from tagging.quiet import hush_transformers

    hush_transformers()
    with opened() as (settings, database):
        with database.read_session() as session:
            found = model_versions.find(session, version)
            counts = model_versions.validation_counts(session, found.id)
        export_model(settings, found, counts, folder)
    click.echo(f"model version {found.id} lies in {folder}; read {folder / 'README.md'} before you pass it on")
