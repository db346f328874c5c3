"""The option --min-score: the lowest score of a span that counts, for all labels or for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tagging.errors import QueryError

if TYPE_CHECKING:
    from answers.min_scores import MinScores


def min_score_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the option; it comes as the keyword `min_score`, a MinScores."""
    return click.option(
        "--min-score", multiple=True, metavar="[LABEL=]SCORE", callback=_parsed, help=f"{help_text}; also by label."
    )


def _parsed(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> MinScores:
    from answers.min_scores import parse_min_scores

    try:
        return parse_min_scores(given)
    except QueryError as error:
        raise click.BadParameter(str(error)) from error
