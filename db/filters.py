"""Which mentions a question is about: one filter for all of them, and the rows that it leaves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import REAL, ColumnElement, Select, Subquery, case, cast, func, or_, select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.fulltext import matching
from db.selection import Selection, conditions
from db.tables import Annotation, EntityView, Span, Tweet

Kind = Literal["all", "plain", "handles"]


@dataclass(frozen=True, kw_only=True)
class Filter(Selection):
    """The mentions that one model version found, in the tweets of a Selection; the rest narrows them down.

    `label` is that of the entity a mention counts for. `kind` "handles" are mentions that begin with "@", "plain" those
    that do not. `min_score` is the lowest score that counts; `min_scores` has other limits for some labels, of the same
    entities. `hidden` counts the entities that somebody has hidden, too. `query` asks full text for the tweets (see
    `db.text_query`).
    """

    model_version_id: int
    label: str | None = None
    min_score: float = 0.0
    min_scores: Mapping[str, float] = field(default_factory=dict, hash=False)
    kind: Kind = "all"
    hidden: bool = False
    query: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether all mentions of the version count but those of hidden entities, or of another label."""
        return self.takes_all_tweets and self.takes_any_score and self.kind == "all"

    @property
    def takes_any_score(self) -> bool:
        """Whether no mention is left out for its score."""
        return max(self.min_score, *self.min_scores.values(), 0.0) <= 0

    @property
    def takes_all_tweets(self) -> bool:
        """Whether no tweet is left out."""
        selection = (self.language, self.author, self.since, self.until, self.text, self.query)
        return all(one is None for one in selection) and self.retweets

    def of_any_tweet(self) -> "Filter":
        """Return the filter without its conditions on the tweets, for where the tweets are known already."""
        everything: dict[str, Any] = dict.fromkeys(("language", "author", "since", "until", "text", "query"))
        return replace(self, **everything, retweets=True)


def mentions(session: Session, chosen: Filter, entity_ids: Collection[int] | None = None) -> Subquery:
    """Return the mentions that count, a row each, for a FROM clause.

    Its columns are tweet_id, start_char, end_char, surface, score, found_as (the entity before any merge) and, with
    merges applied, entity_id and label. With `entity_ids`, only those that were found as one of these entities (see
    `db.entity_lookup.members`).
    """
    statement = (
        select(
            Span.tweet_id,
            Span.start_char,
            Span.end_char,
            Span.surface,
            Span.score,
            Span.entity_id.label("found_as"),
            func.coalesce(EntityView.root_id, Span.entity_id).label("entity_id"),
            func.coalesce(EntityView.label, Span.label).label("label"),
        )
        .outerjoin(EntityView, EntityView.entity_id == Span.entity_id)
        .where(Span.model_version_id == chosen.model_version_id, *_of_spans(chosen))
    )
    if entity_ids is not None:
        statement = statement.where(is_one_of(session, Span.entity_id, entity_ids))
    if not chosen.takes_all_tweets:
        statement = statement.where(Span.tweet_id.in_(select(Tweet.id).where(*tweet_conditions(session, chosen))))
    return statement.subquery("mentions")


def read_tweets(session: Session, chosen: Filter, *columns: Any) -> Select[Any]:
    """Return a statement over the chosen tweets that the version has read, whether it found anything in them or not."""
    mark = (Annotation.model_version_id == chosen.model_version_id, Annotation.status == "done")
    statement = select(*columns).select_from(Tweet).join(Annotation, Annotation.tweet_id == Tweet.id)
    return statement.where(*mark, *tweet_conditions(session, chosen))


def tweet_conditions(session: Session, chosen: Filter) -> list[ColumnElement[bool]]:
    """Return the SQL of a filter's conditions on the tweets. Raises QueryError for a query that asks nothing."""
    found = conditions(chosen)
    if chosen.query is not None:
        found.append(Tweet.id.in_(matching(session, chosen.query)))
    return found


def _of_spans(chosen: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    label = func.coalesce(EntityView.label, Span.label)
    if not chosen.hidden:
        found.append(or_(EntityView.is_hidden.is_(None), EntityView.is_hidden.is_(False)))
    if chosen.label is not None:
        found.append(label == chosen.label)
    if not chosen.takes_any_score:
        by_label = {one: cast(score, REAL) for one, score in chosen.min_scores.items()}
        otherwise = cast(chosen.min_score, REAL)
        found.append(Span.score >= (case(by_label, value=label, else_=otherwise) if by_label else otherwise))
    if chosen.kind != "all":
        is_handle = Span.surface.startswith("@")
        found.append(is_handle if chosen.kind == "handles" else ~is_handle)
    return found
