"""What a digest holds, of an entity or of a period, as programs get it from `answers.digests.for_programs`."""

from typing_extensions import TypedDict

from answers.digest_types import StoryRow
from db.coverage import Coverage


class EntityDigestRow(TypedDict):
    """The story of one entity, and what it is made from."""

    covers: Coverage
    story: StoryRow


class LeaderRow(TypedDict):
    """One of the most mentioned entities; the numbers before are None if the window before was not read.

    `story` is the entity under whose story this one's is told, where there is any.
    """

    entity_id: int
    shown: str
    label: str
    name: str
    mentions: int
    tweets: int
    mentions_before: int | None
    tweets_before: int | None
    story: int | None
    tweet_ids: list[str]


class ExampleRow(TypedDict):
    """A mention in a tweet of the window."""

    tweet_id: str
    created_at: str | None
    author: str | None
    text: str
    start: int
    end: int
    label: str
    surface: str
    score: float


class RisenRow(TypedDict):
    """An entity that more of the tweets mention than before, by its log-likelihood ratio."""

    entity_id: int
    shown: str
    label: str
    name: str
    tweets: int
    tweets_read: int
    tweets_before: int
    tweets_read_before: int
    score: float
    examples: list[ExampleRow]


class PeriodDigestRow(TypedDict):
    """A period's report; `trends` are None where no tweet of the window before was read."""

    covers: Coverage
    since: str
    until: str
    since_before: str
    tweets_before: int
    top: list[LeaderRow]
    trends: list[RisenRow] | None
    stories: list[StoryRow]
