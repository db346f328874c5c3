"""`tweetspan tag`: tag texts at once, without a queue."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from commands.min_scores import min_score_option
from settings import RUNTIMES

if TYPE_CHECKING:
    from answers.min_scores import MinScores

_AT_ONCE = 2048  # lines tagged together, as in a worker's batch
_STALE = 1.0  # seconds after which the lines of a slow stream are tagged, with the next one that comes


@click.command("tag", short_help="Tag texts at once, without a queue.")
@click.argument("texts", nargs=-1)
@click.option("--model", default="active", show_default=True, help="A version's number.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(min=1), help="On a CPU.  [default: TWEETSPAN_THREADS, or all cores]")
@click.option(
    "--runtime", type=click.Choice(RUNTIMES), help="See `models optimize`.  [default: TWEETSPAN_RUNTIME, or auto]"
)
@min_score_option("Leave spans with a lower score out")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a text; offsets are code points, end exclusive.")
def tag_command(
    texts: tuple[str, ...],
    model: str,
    device: str,
    threads: int | None,
    runtime: str | None,
    min_score: MinScores,
    as_json: bool,
) -> None:
    """Tag TEXTS, or the lines of standard input, with a registered version.

    \b
    Examples:
      tweetspan tag "Zachary Raicik works for Corvus and lives in San Diego"
      tweetspan tag --min-score 0.5 --min-score ORG=0.7 --json < tweets.txt
    """
    from dataclasses import replace

    from answers.min_scores import known
    from answers.tagged import tagged_text_row
    from commands.opening import opened
    from commands.rendering import marked, transfer_bar
    from db import model_versions
    from worker.active_model import tagger_for

    with opened() as (settings, database):
        runtime, threads = runtime or settings.runtime, threads or settings.threads
        settings = replace(settings, device=device, runtime=runtime, threads=threads)
        with database.read_session() as session:
            version = model_versions.find(session, model)
            otherwise, by_label = known(session, min_score)
        with transfer_bar() as on_block:
            tagger = tagger_for(database, version.id, settings, on_block)
    for chunk in _chunks(texts):
        for text, found in zip(chunk, tagger.tag(chunk), strict=True):
            spans = [span for span in found if span.score >= by_label.get(span.label, otherwise)]
            if not as_json:
                click.echo(marked(text, spans))
                continue
            click.echo(json.dumps(tagged_text_row(text, version.id, spans), ensure_ascii=sys.stdout.isatty()))


def _chunks(texts: tuple[str, ...]) -> Iterator[list[str]]:
    if texts:
        yield list(texts)
        return
    chunk: list[str] = []
    began = time.monotonic()
    for line in sys.stdin.buffer:
        chunk.append(line.decode("utf-8", "replace").rstrip("\r\n"))
        if len(chunk) == _AT_ONCE or time.monotonic() - began > _STALE:
            yield chunk
            chunk, began = [], time.monotonic()
    if chunk:
        yield chunk
