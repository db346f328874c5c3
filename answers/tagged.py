"""Texts that are tagged at once, as programs get them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from answers.row_types import SpanRow, TaggedTextRow

if TYPE_CHECKING:
    from tagging.spans import Span


def tagged_text_row(text: str, version_id: int, spans: Iterable[Span]) -> TaggedTextRow:
    """Write a text with its spans."""
    return {"text": text, "model_version": version_id, "spans": [_span(text, one) for one in spans]}


def _span(text: str, one: Span) -> SpanRow:
    return {
        "start": one.start,
        "end": one.end,
        "label": one.label,
        "surface": one.surface(text),
        "score": round(one.score, 4),
    }
