"""Which tweets hold these words and mention these entities?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.entity_lookup import known_label, look_up, members
from db.filters import Filter, mentions, read_tweets
from db.fulltext import matching
from db.questions.search import Mention, read_mentions, rows_of
from db.tables import Tweet
from tagging.errors import QueryError


@dataclass(frozen=True)
class FoundTweet:
    """A tweet with all its mentions, in the order of the text."""

    tweet_id: int
    created_at: datetime | None
    author: str | None
    text: str
    mentions: list[Mention]


def find(
    session: Session, query: str | None, mentioned: Sequence[str], chosen: Filter, limit: int = 20
) -> list[FoundTweet]:
    """Return the tweets for which all holds, newest first, those without a time last.

    `query` asks the words (see `db.text_query`). Each of `mentioned` is an entity as in `look_up`, "london" or
    "PER:jane doe", or any of a label, "LOC:*". Only mentions that the filter leaves count, and are returned. Raises
    QueryError for an unknown entity or label, a query that asks nothing, and where nothing at all is asked.
    """
    if query is None and not mentioned:
        raise QueryError("nothing to find is named; give words, or --mentions with an entity such as 'LOC:london'")
    wanted: list[ColumnElement[bool]] = []
    if query is not None:
        wanted.append(Tweet.id.in_(matching(session, query)))
    wanted += [Tweet.id.in_(_tweets_mentioning(session, text, chosen)) for text in mentioned]
    tweets: list[Any] = list(_newest(session, chosen, wanted, limit))
    found = _mentions_in(session, chosen, [tweet.id for tweet in tweets])
    return [FoundTweet(one.id, one.created_at, one.author, one.text, found[one.id]) for one in tweets]


def _tweets_mentioning(session: Session, text: str, chosen: Filter) -> Select[tuple[int]]:
    label, _, name = text.partition(":")
    if name.strip() == "*":
        found = mentions(session, chosen.of_any_tweet())
        return select(found.c.tweet_id).where(found.c.label == known_label(session, label.strip()))
    entity = look_up(session, text, chosen.model_version_id)
    return select(mentions(session, chosen.of_any_tweet(), members(session, entity.id)).c.tweet_id)


def _newest(session: Session, chosen: Filter, wanted: Sequence[ColumnElement[bool]], limit: int) -> Iterator[Row[Any]]:
    """Read the dated tweets, and then the others: by one order for both, no index would give them."""
    columns = (Tweet.id, Tweet.created_at, Tweet.author, Tweet.text)
    newest = read_tweets(session, chosen, *columns).where(*wanted).order_by(Tweet.created_at.desc(), Tweet.id.desc())
    for has_time in (Tweet.created_at.is_not(None), Tweet.created_at.is_(None)):
        rows = session.execute(newest.where(has_time).limit(limit)).all()
        limit -= len(rows)
        yield from rows


def _mentions_in(session: Session, chosen: Filter, tweet_ids: Sequence[int]) -> dict[int, list[Mention]]:
    found = mentions(session, chosen.of_any_tweet())
    rows = rows_of(found).where(is_one_of(session, found.c.tweet_id, tweet_ids)).order_by(found.c.start_char)
    by_tweet: dict[int, list[Mention]] = defaultdict(list)
    for one in read_mentions(session, rows):
        by_tweet[one.tweet_id].append(one)
    return by_tweet
