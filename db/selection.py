"""Which stored tweets are meant: by language, author, time or a piece of text."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from db.tables import Annotation, Tweet


@dataclass(frozen=True)
class Selection:
    """Tweets for which all conditions hold; None asks nothing.

    `since` is included, `until` is not; a tweet without a time stands outside every window. `author` and `language`
    are compared, and `text` is looked for, without regard to the case of ASCII letters. Without `retweets`, only
    originals.
    """

    language: str | None = None
    author: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    retweets: bool = True


def unread(session: Session, version_id: int, chosen: Selection, after: int, limit: int) -> list[int]:
    """Return the next ids above `after`, rising, of selected tweets that do not carry the version's mark."""
    has_mark = exists().where(Annotation.tweet_id == Tweet.id, Annotation.model_version_id == version_id)
    wanted = select(Tweet.id).where(Tweet.id > after, ~has_mark, *conditions(chosen))
    return list(session.scalars(wanted.order_by(Tweet.id).limit(limit)))


def conditions(chosen: Selection) -> list[ColumnElement[bool]]:
    """Return the SQL of a selection's conditions on the tweets."""
    found: list[ColumnElement[bool]] = []
    if chosen.language is not None:
        found.append(func.lower(Tweet.language) == func.lower(chosen.language))
    if chosen.author is not None:
        found.append(func.lower(Tweet.author) == func.lower(chosen.author))
    if chosen.since is not None:
        found.append(Tweet.created_at >= chosen.since)
    if chosen.until is not None:
        found.append(Tweet.created_at < chosen.until)
    if chosen.text is not None:
        found.append(Tweet.text.icontains(chosen.text, autoescape=True))
    if not chosen.retweets:
        found.append(Tweet.retweet_of.is_(None))
    return found


def newest_tweet_time(session: Session) -> datetime | None:
    """Return the time of the newest tweet: a relative window counts back from it, so that old corpora answer too."""
    return session.scalar(select(func.max(Tweet.created_at)))
