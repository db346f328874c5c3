"""2,295 real tweets, read by rules: what is looked at is how they are asked and shown, not the tagger."""

import re
from pathlib import Path

from db.filters import Filter
from db.session import Database
from tagging.spans import Span
from tests.questions.world import Found, Key, StoredTweet, World, add_version, edit, store
from worker.tweet_files import Tweet, read_tweets

_NAME = re.compile(r"@\w+|#\w+|[A-Z]\w+(?: [A-Z]\w+)*")


class RealWorld(World):
    """Remembers its mentions: there are many, and they do not change."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Filter, list[Found]] = {}
        self._shown: dict[tuple[Key, int], str] = {}

    def mentions(self, chosen: Filter) -> list[Found]:
        if chosen not in self._known:
            self._known[chosen] = super().mentions(chosen)
        return self._known[chosen]

    def shown(self, key: Key, version_id: int) -> str:
        if (key, version_id) not in self._shown:
            self._shown[key, version_id] = super().shown(key, version_id)
        return self._shown[key, version_id]


def real_world(database: Database, shared: Path) -> World:
    """Store the real tweets, read by two versions, with some edits."""
    world, versions = RealWorld(), [add_version(database), add_version(database)]
    for file in sorted((shared / "tweets").glob("*.jsonl")):
        with file.open("rb") as stream:
            tweets = [StoredTweet(*row) for row in read_tweets(stream, file.name) if isinstance(row, Tweet)]
        store(database, world, versions[0], {tweet: by_rules(tweet.text) for tweet in tweets})
        store(database, world, versions[1], {tweet: by_rules(tweet.text)[1:] for tweet in tweets[::2]})
    edit(database, world)
    assert len(world.tweets) == 2295
    return world


def by_rules(text: str) -> tuple[Span, ...]:
    """Read handles, hashtags and what begins with a capital; label and score follow from the letters."""
    found = ((one.start(), one.end(), sum(map(ord, one[0]))) for one in _NAME.finditer(text))
    return tuple(
        Span(start, end, ("PER", "LOC", "ORG")[number % 3], number % 100 / 100) for start, end, number in found
    )
