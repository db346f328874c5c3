"""The filter of a question, from what was typed to what the database is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from answers.min_scores import MinScores, known
from answers.moments import parse_moment
from answers.wording import legible
from db import model_versions
from db.entity_lookup import known_label
from db.filters import Filter
from db.selection import newest_tweet_time
from tagging.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

_KEYS = ("author", "language", "since", "until", "model")  # in which the sides of a comparison may differ


class Asked(TypedDict):
    """A filter as it is typed: the options of a command, the parameters of an address."""

    model: str
    label: str | None
    since: str | None
    until: str | None
    min_score: MinScores
    language: str | None
    author: str | None
    originals: bool
    kind: str
    hidden: bool
    text_query: str | None


def chosen_filter(session: Session, asked: Asked) -> Filter:
    """Look up what was typed. Raises QueryError or ModelVersionError that says what there is."""
    since, until = _window(session, asked["since"], asked["until"])
    kind: Any = asked["kind"]
    min_score, min_scores = known(session, asked["min_score"])
    return Filter(
        model_version_id=model_versions.find(session, asked["model"]).id,
        label=None if asked["label"] is None else known_label(session, asked["label"]),
        since=since,
        until=until,
        min_score=min_score,
        min_scores=min_scores,
        language=legible(asked["language"]),
        author=legible(asked["author"]),
        retweets=not asked["originals"],
        kind=kind,
        hidden=asked["hidden"],
        query=asked["text_query"],
    )


def two_sides(session: Session, asked: Asked, differences: Sequence[str]) -> tuple[Filter, Filter]:
    """Look up both sides of a comparison; each difference is KEY=VALUE. Raises QueryError, also where none differs."""
    one, other = chosen_filter(session, asked), chosen_filter(session, _changed(asked, differences))
    if one == other:
        raise QueryError("the two sides are the same; let --against say in what the other one differs")
    return one, other


def _changed(asked: Asked, differences: Sequence[str]) -> Asked:
    changed: Any = dict(asked)
    for difference in differences:
        key, equals, value = difference.partition("=")
        if key not in _KEYS or not equals or not value:
            raise QueryError(f"--against takes KEY=VALUE, not {difference[:100]!r}; the keys are {', '.join(_KEYS)}")
        changed[key] = value
    other: Asked = changed
    return other


def _window(session: Session, since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    if since is None and until is None:
        return None, None
    newest = newest_tweet_time(session)
    start, end = (None if text is None else parse_moment(text, newest) for text in (since, until))
    if start and end and start >= end:
        raise QueryError(f"the window from {since!r} until {until!r} is empty; give an end after its beginning")
    return start, end
