"""What did a version find in this tweet?"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.questions.search import Mention
from db.tables import Annotation, Span, Tweet
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
    tweet = session.get(Tweet, tweet_id)
    if tweet is None:
        raise UnknownError(f"tweet {tweet_id} is not stored; see `tweetspan status` for what is")
    mark = session.get(Annotation, (tweet_id, model_version_id))
    mine = select(Span).where(Span.tweet_id == tweet_id, Span.model_version_id == model_version_id)
    found = [
        Mention(
            tweet_id, tweet.created_at, tweet.author, tweet.text,
            span.start_char, span.end_char, span.label, span.surface, span.score,
        )
        for span in session.scalars(mine.order_by(Span.start_char))
    ]  # fmt: skip
    status, error = (mark.status, mark.error) if mark else (None, None)
    return TweetReading(tweet_id, tweet.text, status, error, found)
