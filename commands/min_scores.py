"""The option --min-score: the lowest score of a span that counts, for all labels or for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_SCORE = click.FloatRange(0, 1)
ALL = "all labels"  # no label has a blank in it

MinScores = dict[str, float]  # by label as it was typed, or for ALL


def min_score_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the option; it comes as the keyword `min_score`, a MinScores."""
    return click.option(
        "--min-score", multiple=True, metavar="[LABEL=]SCORE", callback=_parsed, help=f"{help_text}; also by label."
    )


def known(session: Session, given: MinScores) -> tuple[float, dict[str, float]]:
    """Return the limit for all labels, and those by label as the versions write it. Raises QueryError for others."""
    from db.entity_lookup import known_label

    return given.get(ALL, 0.0), {known_label(session, label): at for label, at in given.items() if label != ALL}


def _parsed(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> MinScores:
    scores: MinScores = {}
    for text in given:
        label, equals, number = text.rpartition("=")
        if equals and not label.strip():
            raise click.BadParameter(f"{text[:100]!r} names no label; write 0.7, or ORG=0.7")
        scores[label.strip() or ALL] = _SCORE(number.strip(), option, context)
    return scores
