"""What the story of an entity holds, as programs get it from `answers.digests.for_programs`.

Ids of tweets are texts, times are ISO 8601 in UTC. Where a statement rests on more than ten tweets, ten ids are given.
"""

from typing_extensions import TypedDict  # pydantic takes no other on Python 3.11


class StoryCounts(TypedDict):
    """How often an entity is mentioned: `originals` of the tweets are no retweets, `undated` have no time."""

    mentions: int
    tweets: int
    originals: int
    undated: int
    authors: int
    first: str | None
    last: str | None
    tweet_ids: list[str]


class StoryPeriod(TypedDict):
    """A period of a story's timeline, with the lowest and the highest id of its tweets."""

    start: str
    tweets: int
    mentions: int
    mentioning_tweets: int | None
    tweet_ids: list[str]


class StoryCompanion(TypedDict):
    """An entity that is mentioned in the same tweets."""

    entity_id: int
    shown: str
    label: str
    name: str
    tweets: int
    tweet_ids: list[str]


class StoryQuote(TypedDict):
    """A tweet that stands for all that say the same: `tweets`, with their retweets."""

    tweet_id: str
    created_at: str | None
    author: str | None
    text: str
    tweets: int
    tweet_ids: list[str]


class StoryPhaseRow(TypedDict):
    """A phase from `start` until before `end`, with most mentions in the `peak_seconds` from `peak` on."""

    start: str | None
    end: str | None
    peak: str | None
    peak_seconds: int
    peak_mentions: int
    peak_tweets: int
    peak_tweet_ids: list[str]
    mentions: int
    tweets: int
    quotes: list[StoryQuote]


class StoryRow(TypedDict):
    """What the tweets say of an entity; `by` is the length of the timeline's periods."""

    entity_id: int
    shown: str
    label: str
    name: str
    counts: StoryCounts
    by: str
    timeline: list[StoryPeriod]
    companions: list[StoryCompanion]
    phases: list[StoryPhaseRow]
