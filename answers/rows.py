"""The rows of each answer, as programs get them: JSON and CSV of the commands and of the explorer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from answers.row_types import (
    ContextRow,
    ContrastRow,
    DetailsRow,
    EditRow,
    EntityRow,
    FoundTweetRow,
    MentionRow,
    PeriodRow,
    ReadTweetRow,
    RelatedRow,
    SimilarTweetRow,
    SpanRow,
    SuggestionRow,
    TopRow,
    TrendRow,
    TweetRow,
    WeighedEntityRow,
)
from db.entity_edits import Edit
from db.filters import Filter
from db.questions.browse import FoundTweet
from db.questions.compare import Contrast
from db.questions.context import Context
from db.questions.reading import TweetReading
from db.questions.related import Related
from db.questions.search import Mention
from db.questions.show import EntityDetails
from db.questions.similar import SimilarTweet
from db.questions.suggest import Suggestion
from db.questions.timeline import Period
from db.questions.top import EntityCount
from db.questions.trending import Trend


class _HasTweet(Protocol):
    @property
    def tweet_id(self) -> int: ...
    @property
    def created_at(self) -> datetime | None: ...
    @property
    def author(self) -> str | None: ...


class _HasTweetText(_HasTweet, Protocol):
    @property
    def text(self) -> str: ...


class _HasEntity(Protocol):
    @property
    def shown(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def name(self) -> str: ...


def top_row(one: EntityCount) -> TopRow:
    """Write an entity that is mentioned most."""
    return {**_entity(one), "mentions": one.mentions, "tweets": one.tweets}


def mention_row(one: Mention) -> MentionRow:
    """Write a mention."""
    return {**_tweet(one), **span_row(one)}


def span_row(one: Mention) -> SpanRow:
    """Write the span of a mention."""
    return {
        "start": one.start,
        "end": one.end,
        "label": one.label,
        "surface": one.surface,
        "score": round(one.score, 4),
    }


def read_tweet_row(one: TweetReading, version_id: int) -> ReadTweetRow:
    """Write a tweet as a version read it."""
    return {
        "id": str(one.tweet_id),
        "text": one.text,
        "model_version": version_id,
        "status": one.status,
        "error": one.error,
        "spans": [mention_row(mention) for mention in one.mentions],
    }


def found_tweet_row(one: FoundTweet) -> FoundTweetRow:
    """Write a tweet that was found."""
    return {**_tweet(one), "mentions": [span_row(mention) for mention in one.mentions]}


def similar_tweet_row(one: SimilarTweet) -> SimilarTweetRow:
    """Write a tweet that is like another."""
    shared: list[WeighedEntityRow] = [
        {**_entity(entity), "tweets": entity.tweets, "weight": round(entity.weight, 4)} for entity in one.shared
    ]
    return {**_tweet(one), "score": round(one.score, 4), "shared": shared}


def context_row(one: Context) -> ContextRow:
    """Write a mention in its context."""
    return {
        "tweet_id": str(one.tweet_id),
        "created_at": _time(one.created_at),
        "author": one.author,
        "before": one.before,
        "surface": one.surface,
        "after": one.after,
        "start": one.start,
        "end": one.end,
    }


def details_row(one: EntityDetails) -> DetailsRow:
    """Write what is known about an entity."""
    return {
        **_entity(one),
        "hidden": one.is_hidden,
        "mentions": one.mentions,
        "tweets": one.tweets,
        "share_of_tweets": one.share,
        "first_seen": _time(one.first_seen),
        "last_seen": _time(one.last_seen),
        "labels": dict(one.labels),
        "surfaces": dict(one.surfaces),
        "authors": dict(one.authors),
        "aliases": {f"{alias.label}:{alias.name}": alias.mentions for alias in one.aliases},
        "related": {f"{other.label}:{other.name}": other.together for other in one.related},
    }


def related_row(one: Related) -> RelatedRow:
    """Write an entity that meets another."""
    return {
        **_entity(one),
        "tweets_together": one.together,
        "tweets_with_asked": one.one,
        "tweets_with_this": one.other,
        "tweets": one.total,
        "pmi": round(one.pmi, 4),
        "log_likelihood": round(one.log_likelihood, 4),
    }


def trend_row(one: Trend, window: Filter, before: Filter) -> TrendRow:
    """Write a trend between two windows, whose beginnings are known."""
    assert window.since is not None
    assert before.since is not None
    return {
        **_entity(one),
        "tweets": one.tweets,
        "tweets_read": one.tweets_read,
        "tweets_before": one.tweets_before,
        "tweets_read_before": one.tweets_read_before,
        "times": None if one.times is None else round(one.times, 3),
        "score": round(one.score, 3),
        "since": window.since.isoformat(),
        "since_before": before.since.isoformat(),
        "tweet_ids": [str(example.tweet_id) for example in one.examples],
    }


def contrast_row(one: Contrast) -> ContrastRow:
    """Write an entity on two sides."""
    return {
        **_entity(one),
        "mentions": one.mentions,
        "tweets": one.tweets,
        "tweets_read": one.tweets_read,
        "other_mentions": one.other_mentions,
        "other_tweets": one.other_tweets,
        "other_tweets_read": one.other_tweets_read,
        "score": round(one.score, 3),
    }


def period_row(one: Period) -> PeriodRow:
    """Write a period of a timeline."""
    return {
        "start": one.start.isoformat(),
        "tweets": one.tweets,
        "mentions": one.mentions,
        "mentioning_tweets": one.mentioning_tweets,
        "share": None if one.share is None else round(one.share, 6),
    }


def suggestion_row(one: Suggestion) -> SuggestionRow:
    """Write two entities that may be one."""
    return {
        "entity": f"{one.entity.label}:{one.entity.name}",
        "mentions": one.entity.mentions,
        "into": f"{one.into.label}:{one.into.name}",
        "into_mentions": one.into.mentions,
        "reason": one.reason,
        "evidence": one.evidence,
    }


def edit_row(one: Edit) -> EditRow:
    """Write a line of the history."""
    return {
        "edit": one.id,
        "kind": one.kind,
        "entity": one.entity,
        "to": one.to,
        "who": one.who,
        "why": one.why,
        "at": one.made_at.isoformat(timespec="minutes"),
        "undone": f"{one.undone_at.isoformat(timespec='minutes')} by {one.undone_by}" if one.undone_at else None,
    }


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row for a table without depth, CSV: lists become texts.

    >>> flat({"entity": "Bonn", "tweet_ids": ["1", "2"], "shared": [{"label": "LOC", "entity": "Bonn"}]})
    {'entity': 'Bonn', 'tweet_ids': '1 2', 'shared': 'LOC:Bonn'}
    """
    return {name: _listed(value) if isinstance(value, list) else value for name, value in row.items()}


def _listed(values: Iterable[Any]) -> str:
    values = list(values)
    if all(isinstance(one, str) for one in values):
        return " ".join(values)
    return "; ".join(f"{one['label']}:{one.get('surface') or one.get('entity')}" for one in values)


def _entity(one: _HasEntity) -> EntityRow:
    return {"entity": one.shown, "label": one.label, "name": one.name}


def _tweet(one: _HasTweetText) -> TweetRow:
    return {"tweet_id": str(one.tweet_id), "created_at": _time(one.created_at), "author": one.author, "text": one.text}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
