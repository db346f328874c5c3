"""`tweetspan export`: stored annotations for other programs."""

from __future__ import annotations

import json
from typing import TextIO

import click


@click.command("export", short_help="Write annotations for other programs.")
@click.option("--format", "file_format", type=click.Choice(["jsonl"]), default="jsonl", show_default=True)
@click.option("--model", default="active", show_default=True, help="A version's number.")
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-", help="[default: standard output]")
def export_command(file_format: str, model: str, output: TextIO) -> None:
    """Write every tweet that a version has read, with its spans: one JSON object a line.

    Offsets are Unicode code points into `text`, end exclusive; ids are strings.

    \b
    Example: tweetspan export > annotations.jsonl
    """
    from commands.opening import opened
    from db import exports, model_versions

    with opened() as (_, database):
        with database.read_session() as session:
            version_id = model_versions.find(session, model).id
        last = 0
        while True:
            with database.read_session() as session:
                rows = exports.annotated_tweets(session, version_id, after=last)
            if not rows:
                break
            output.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            last = int(rows[-1]["id"])
    if not last:
        click.echo(f"version {version_id} has read no tweet yet; see `tweetspan status`", err=True)
