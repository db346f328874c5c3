"""`tweetspan digest`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from commands.filters import filter_options
from tagging.errors import QueryError

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.questions.digest import EntityDigest, PeriodDigest

_FORMATS = {".md": "markdown", ".json": "json", ".html": "html"}


@click.command("digest", short_help="Tell what the tweets say of an entity, or of a period.")
@click.argument("entity", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS.values())),
    help="By default what the output's name ends in, or else markdown.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, instead of standard output.")
@click.option(
    "--tweets", type=click.IntRange(1, 100), help="Of each story; 8 of an entity's, 3 of a period's by default."
)
@filter_options
def digest_command(
    entity: str | None, form: str | None, output: Path | None, tweets: int | None, **asked: Unpack[Asked]
) -> None:
    """Tell the story of an entity: counts, company, phases with their peaks, and the few tweets that say most.

    Without ENTITY, report on a period (by default the day of the newest tweet): what is trending, what is mentioned
    most, and the stories of these. Every statement carries ids of the tweets that it rests on. Tweets that say the same
    are folded into one, and counted. ENTITY may carry its label: ORG:apple.

    \b
    Example: tweetspan digest london --since 7d --output london.html
             tweetspan digest --since 1d
    """
    from answers.asked import chosen_filter
    from commands.opening import opened
    from db.entity_lookup import look_up
    from db.questions.digest import digest_entity, digest_period

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        digest: EntityDigest | PeriodDigest
        if entity is None:
            digest = digest_period(session, chosen, tweets or 3)
        else:
            digest = digest_entity(session, look_up(session, entity, chosen.model_version_id).id, chosen, tweets or 8)
    form = form or _FORMATS.get(output.suffix.lower() if output else "", "markdown")
    _write(_written(digest, form, is_for_terminal=output is None and sys.stdout.isatty()), output)


def _written(digest: EntityDigest | PeriodDigest, form: str, is_for_terminal: bool) -> str:
    import json

    from answers.digests import for_programs

    if form == "json":
        return json.dumps(for_programs(digest), ensure_ascii=is_for_terminal, indent=2) + "\n"
    return _page(form)(_blocks(digest))


def _page(form: str) -> Callable[[Any], str]:
    if form == "html":
        from commands.digest_html import html

        return html
    from commands.digest_markdown import markdown

    return markdown


def _blocks(digest: EntityDigest | PeriodDigest) -> Any:
    from commands.digest_blocks import entity_blocks, period_blocks
    from db.questions.digest import EntityDigest

    return entity_blocks(digest) if isinstance(digest, EntityDigest) else period_blocks(digest)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise QueryError(f"cannot write {str(output)!r}: {error.strerror}; name another file") from error
