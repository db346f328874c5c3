"""Full text: a tsvector with a GIN index on PostgreSQL, FTS5 on SQLite, both filled with our own words.

See docs/decisions/full-text-by-our-own-words.md.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Select, cast, column, select, table
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from db.bulk import copy_new, dialect, is_one_of
from db.search_words import as_tokens, as_tsvector
from db.tables import TweetWords
from db.text_query import as_match, as_tsquery, parse_query

_FTS5 = table("tweet_words_index", column("rowid"), column("tweet_words_index"))  # kept by triggers on tweet_words


def add(session: Session, texts: Mapping[int, str]) -> None:
    """Store the words of stored tweets, given as id -> text; those that have them, from another version, are left."""
    written = as_tsvector if dialect(session) == "postgresql" else as_tokens
    columns = ("tweet_id", "words")
    copy_new(session, TweetWords, columns, texts, lambda tweet_id: (tweet_id, written(texts[tweet_id])), _known)


def _known(session: Session, ids: Collection[int]) -> Iterable[int]:
    return session.scalars(select(TweetWords.tweet_id).where(is_one_of(session, TweetWords.tweet_id, ids)))


def matching(session: Session, query: str) -> Select[Any]:
    """Return a statement for the ids of the tweets that a query finds. Raises QueryError as `parse_query` does."""
    terms = parse_query(query)
    if dialect(session) == "postgresql":
        return select(TweetWords.tweet_id).where(TweetWords.words.op("@@")(cast(as_tsquery(terms), TSQUERY)))
    return select(_FTS5.c.rowid).where(_FTS5.c.tweet_words_index.match(as_match(terms)))
