"""What did a version find in this tweet?"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.questions.search import Mention
from db.tables import Annotation, ModelVersion, Span, Tweet
from tagging.errors import UnknownError


@dataclass(frozen=True)
class TweetReading:
    """A tweet with the spans that a version found; `status` is its mark's, or None if it was not read yet."""

    tweet_id: int
    text: str
    status: str | None
    error: str | None
    mentions: list[Mention]


def read_tweet(session: Session, tweet_id: int, model_version_id: int) -> TweetReading:
    """Return one tweet with its spans, labelled as they were found. Raises UnknownError if the tweet is not stored."""
    return _reading(session, _stored(session, tweet_id), model_version_id)


def readings_of(session: Session, tweet_id: int) -> tuple[Tweet, dict[int, TweetReading]]:
    """Return one tweet, and its reading by each version, the newest first. Raises UnknownError if it is not stored."""
    tweet = _stored(session, tweet_id)
    versions = session.scalars(select(ModelVersion.id).order_by(ModelVersion.id.desc())).all()
    return tweet, {version: _reading(session, tweet, version) for version in versions}


def _stored(session: Session, tweet_id: int) -> Tweet:
    tweet = session.get(Tweet, tweet_id)
    if tweet is None:
        raise UnknownError(f"tweet {tweet_id} is not stored; see `tweetspan status` for what is")
    return tweet


def _reading(session: Session, tweet: Tweet, model_version_id: int) -> TweetReading:
    mark = session.get(Annotation, (tweet.id, model_version_id))
    mine = select(Span).where(Span.tweet_id == tweet.id, Span.model_version_id == model_version_id)
    found = [
        Mention(
            tweet.id, tweet.created_at, tweet.author, tweet.text,
            span.start_char, span.end_char, span.label, span.surface, span.score,
        )
        for span in session.scalars(mine.order_by(Span.start_char))
    ]  # fmt: skip
    status, error = (mark.status, mark.error) if mark else (None, None)
    return TweetReading(tweet.id, tweet.text, status, error, found)
