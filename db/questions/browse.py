"""Which tweets come next, newest first, of those that hold these words and mention these entities?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select
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

    @property
    def place(self) -> "Place":
        """Where the tweet stands in the order."""
        return Place(self.created_at, self.tweet_id)


@dataclass(frozen=True)
class Place:
    """A place in the order of tweets: newest first, of equally new ones the highest id, those without a time last."""

    created_at: datetime | None
    tweet_id: int

    def __str__(self) -> str:
        return f"{self.created_at.isoformat() if self.created_at else ''}/{self.tweet_id}"


def parse_place(text: str) -> Place:
    """Read a place as it is written. Raises QueryError for another text.

    >>> str(parse_place("2024-03-05T14:00:00+00:00/17")), str(parse_place("/17"))
    ('2024-03-05T14:00:00+00:00/17', '/17')
    """
    moment, slash, number = text.rpartition("/")
    try:
        if not slash or not number.isascii() or not number.isdecimal() or len(number) > 19:
            raise ValueError
        return Place(datetime.fromisoformat(moment).astimezone(UTC) if moment else None, int(number))
    except (ValueError, OverflowError):
        raise QueryError(f"{text[:100]!r} is no place among the tweets; follow the link to older ones") from None


def browse(
    session: Session,
    query: str | None,
    mentioned: Sequence[str],
    chosen: Filter,
    limit: int = 20,
    after: Place | None = None,
) -> list[FoundTweet]:
    """Return the tweets for which all holds that come after a place, or from the newest on.

    `query` and `mentioned` are those of `db.questions.find.find`, and may be nothing: then all tweets that the version
    has read are gone through.
    """
    rows: list[Any] = list(newest_rows(session, query, mentioned, chosen, limit, after))
    found = _mentions_in(session, chosen, [row.id for row in rows])
    return [FoundTweet(row.id, row.created_at, row.author, row.text, found[row.id]) for row in rows]


def newest_rows(
    session: Session,
    query: str | None,
    mentioned: Sequence[str],
    chosen: Filter,
    limit: int,
    after: Place | None = None,
) -> Iterator[Row[Any]]:
    """Return id, time, author, language and text of these tweets.

    The dated tweets are read, and then the others: by one order for both, no index would give them.
    """
    wanted: list[ColumnElement[bool]] = []
    if query is not None:
        wanted.append(Tweet.id.in_(matching(session, query)))
    wanted += [Tweet.id.in_(_tweets_mentioning(session, text, chosen)) for text in mentioned]
    columns = (Tweet.id, Tweet.created_at, Tweet.author, Tweet.language, Tweet.text)
    newest = read_tweets(session, chosen, *columns).where(*wanted).order_by(Tweet.created_at.desc(), Tweet.id.desc())
    for part in _parts(after):
        rows = session.execute(newest.where(*part).limit(limit)).all()
        limit -= len(rows)
        yield from rows


def _parts(after: Place | None) -> list[list[ColumnElement[bool]]]:
    """Return the conditions of the dated tweets, and of the others, that come after a place."""
    is_dated, is_undated = Tweet.created_at.is_not(None), Tweet.created_at.is_(None)
    if after is None:
        return [[is_dated], [is_undated]]
    is_lower = Tweet.id < after.tweet_id
    if after.created_at is None:
        return [[is_undated, is_lower]]
    is_older = or_(Tweet.created_at < after.created_at, and_(Tweet.created_at == after.created_at, is_lower))
    return [[Tweet.created_at <= after.created_at, is_older], [is_undated]]


def _tweets_mentioning(session: Session, text: str, chosen: Filter) -> Select[tuple[int]]:
    label, _, name = text.partition(":")
    if name.strip() == "*":
        found = mentions(session, chosen.of_any_tweet())
        return select(found.c.tweet_id).where(found.c.label == known_label(session, label.strip()))
    entity = look_up(session, text, chosen.model_version_id)
    return select(mentions(session, chosen.of_any_tweet(), members(session, entity.id)).c.tweet_id)


def _mentions_in(session: Session, chosen: Filter, tweet_ids: Sequence[int]) -> dict[int, list[Mention]]:
    found = mentions(session, chosen.of_any_tweet())
    rows = rows_of(found).where(is_one_of(session, found.c.tweet_id, tweet_ids)).order_by(found.c.start_char)
    by_tweet: dict[int, list[Mention]] = defaultdict(list)
    for one in read_mentions(session, rows):
        by_tweet[one.tweet_id].append(one)
    return by_tweet
