"""The lowest score of a span that counts, for all labels or for one, as it is written: 0.7, or ORG=0.7."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from db.entity_lookup import known_label
from tagging.errors import QueryError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ALL = "all labels"  # no label has a blank in it
_NUMBER = re.compile(r"\d{0,20}\.?\d{1,20}")

MinScores = dict[str, float]  # by label as it was typed, or for ALL


def parse_min_scores(texts: Sequence[str]) -> MinScores:
    """Read limits, several in a text with commas between them; the last one for a label counts. Raises QueryError for
    another text or a number above 1.

    >>> parse_min_scores(["0.5, PER=0.6", "ORG=0.9"])
    {'all labels': 0.5, 'PER': 0.6, 'ORG': 0.9}
    """
    scores: MinScores = {}
    for text in (one for several in texts for one in several.rstrip(", ").split(",")):
        label, equals, number = text.rpartition("=")
        if equals and not label.strip():
            raise QueryError(f"{text[:100]!r} names no label; write 0.7, or ORG=0.7")
        if not _NUMBER.fullmatch(number.strip()) or float(number) > 1:
            raise QueryError(f"{number[:100]!r} is not a score from 0 to 1; write 0.7, or ORG=0.7")
        scores[label.strip() or ALL] = float(number)
    return scores


def known(session: Session, given: MinScores) -> tuple[float, dict[str, float]]:
    """Return the limit for all labels, and those by label as the versions write it. Raises QueryError for others."""
    return given.get(ALL, 0.0), {known_label(session, label): at for label, at in given.items() if label != ALL}
