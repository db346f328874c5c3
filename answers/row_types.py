"""What the rows of each answer hold: see `answers.rows`, which writes them.

Ids of tweets are texts, since they are too long for the numbers of JavaScript; times are ISO 8601 in UTC; offsets are
code points into the tweet's text, end exclusive.
"""

from typing_extensions import TypedDict  # pydantic takes no other on Python 3.11


class EntityRow(TypedDict):
    """What an entity is called: `name` is the normalised name, `label:name` is its key."""

    entity: str
    label: str
    name: str


class TopRow(EntityRow):
    """An entity and how often it is mentioned."""

    mentions: int
    tweets: int


class TweetRow(TypedDict):
    """A tweet."""

    tweet_id: str
    created_at: str | None
    author: str | None
    text: str


class SpanRow(TypedDict):
    """A span of a tweet's text."""

    start: int
    end: int
    label: str
    surface: str
    score: float


class MentionRow(TweetRow, SpanRow):
    """A mention, with the tweet that holds it."""


class ReadTweetRow(TypedDict):
    """A tweet with what a version found; `status` is that of its reading, None if it was not read yet."""

    id: str
    text: str
    model_version: int
    status: str | None
    error: str | None
    spans: list[MentionRow]


class TaggedTextRow(TypedDict):
    """A text with what a version finds in it."""

    text: str
    model_version: int
    spans: list[SpanRow]


class FoundTweetRow(TweetRow):
    """A tweet with all its mentions."""

    mentions: list[SpanRow]


class WeighedEntityRow(EntityRow):
    """An entity that two tweets share, and how much that says."""

    tweets: int
    weight: float


class SimilarTweetRow(TweetRow):
    """A tweet that shares entities with another."""

    score: float
    shared: list[WeighedEntityRow]


class ContextRow(TypedDict):
    """A mention between the words around it."""

    tweet_id: str
    created_at: str | None
    author: str | None
    before: str
    surface: str
    after: str
    start: int
    end: int


class DetailsRow(EntityRow):
    """What is known about one entity."""

    hidden: bool
    mentions: int
    tweets: int
    share_of_tweets: float
    first_seen: str | None
    last_seen: str | None
    labels: dict[str, int]
    surfaces: dict[str, int]
    authors: dict[str, int]
    aliases: dict[str, int]
    related: dict[str, int]


class RelatedRow(EntityRow):
    """An entity that is mentioned together with another."""

    tweets_together: int
    tweets_with_asked: int
    tweets_with_this: int
    tweets: int
    pmi: float
    log_likelihood: float


class TrendRow(EntityRow):
    """An entity that is mentioned more than before."""

    tweets: int
    tweets_read: int
    tweets_before: int
    tweets_read_before: int
    times: float | None
    score: float
    since: str
    since_before: str
    tweet_ids: list[str]


class ContrastRow(EntityRow):
    """An entity on two sides."""

    mentions: int
    tweets: int
    tweets_read: int
    other_mentions: int
    other_tweets: int
    other_tweets_read: int
    score: float


class PeriodRow(TypedDict):
    """A period of a timeline."""

    start: str
    tweets: int
    mentions: int
    mentioning_tweets: int | None
    share: float | None


class SuggestionRow(TypedDict):
    """Two entities that may be one, written "LABEL:name"."""

    entity: str
    mentions: int
    into: str
    into_mentions: int
    reason: str
    evidence: str


class EditRow(TypedDict):
    """What a person said about an entity."""

    edit: int
    kind: str
    entity: str
    to: str | None
    who: str
    why: str | None
    at: str
    undone: str | None
