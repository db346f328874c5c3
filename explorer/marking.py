"""A text with its spans marked, for a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from markupsafe import Markup

from answers.wording import clean

_MARK = Markup('<mark class="{}" title="{}">{}</mark>')
_KNOWN = {"PER": "per", "ORG": "org", "LOC": "loc"}


class HasSpan(Protocol):
    """A span with its score."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def score(self) -> float: ...  # noqa: D102


def marked(text: str, spans: Iterable[HasSpan], version: int, most: int = 0) -> Markup:
    """Return a text, escaped, with its spans marked; label, score and version are shown on hover.

    With `most`, a longer text is cut after so many characters. Spans are in the order of the text and do not overlap.
    """
    end = min(len(text), most or len(text))
    parts: list[Markup | str] = []
    position = 0
    for span in spans:
        if span.end > end:
            break
        told = f"{clean(span.label)}, score {span.score:.2f}, version {version}"
        surface = Markup.escape(clean(text[span.start : span.end]))
        parts += [clean(text[position : span.start]), _MARK.format(_KNOWN.get(span.label, "other"), told, surface)]
        position = span.end
    return Markup("").join([*parts, clean(text[position:end]), "" if end == len(text) else " …"])
