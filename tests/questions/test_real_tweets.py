"""The questions on 2,295 real tweets, against the brute force of the other tests. The readings are by rules: what is
checked is how they are asked, not the tagger."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.filters import Filter
from db.questions.find import find
from db.questions.search import search
from db.questions.similar import similar
from db.session import Database
from tagging.spans import Span
from tests.questions import test_compare, test_exports, test_find, test_similar, test_timeline, test_top
from tests.questions.test_search import mention, newest_first
from tests.questions.world import Found, Key, StoredTweet, World, add_version, edit, store
from worker.tweet_files import Tweet, read_tweets

EARLY = datetime(2012, 1, 9, 12, tzinfo=UTC)
MIDDLE = datetime(2012, 1, 17, tzinfo=UTC)
PLAIN = Filter(model_version_id=1)
FILTERS = [
    PLAIN,
    Filter(model_version_id=2, label="LOC"),
    Filter(model_version_id=1, since=EARLY, until=MIDDLE, kind="plain", min_score=0.6),
    Filter(model_version_id=1, retweets=False, kind="handles", hidden=True),
    Filter(model_version_id=2, query="the -rt"),
    Filter(model_version_id=1, query="new*", until=MIDDLE),
]
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


@pytest.fixture
def real(database: Database, shared: Path) -> World:
    """The real tweets, read by two versions, with some edits, in a fresh database of each kind."""
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


def test_every_question(database: Database, real: World) -> None:
    for chosen in FILTERS:
        assert test_top.answer(database, chosen, 200) == test_top.expected(real, chosen)[:200]
        busiest = test_top.expected(real, chosen)[0]
        key: Key = (busiest[2], busiest[1])
        for by in ("day", "week"):
            for one in (None, key):
                assert test_timeline.answer(database, chosen, by, one) == test_timeline.expected(real, chosen, by, one)
        test_compare.check(database, real, chosen, replace(chosen, model_version_id=3 - chosen.model_version_id))
        assert test_exports.read_all(database, chosen, None, 500) == test_exports.expected(real, chosen)
        check_tweets(database, real, chosen, key)


def check_tweets(database: Database, real: World, chosen: Filter, key: Key) -> None:
    """Compare what returns tweets."""
    name = f"{key[1]}:{key[0]}"
    mentions = sorted((one for one in real.mentions(chosen) if one.key == key), key=newest_first)
    with database.read_session() as session:
        found = search(session, key[0], replace(chosen, label=key[1]), 1000, "exact")
        assert [one for one in found if one.surface in {one.surface for one in mentions}] == [
            mention(one, key[1]) for one in mentions
        ]
        assert find(session, "the", [name], chosen, 50) == test_find.expected(real, "the", [name], chosen)[:50]
        source = mentions[0].tweet
        answer = [test_similar.row(one) for one in similar(session, source.id, chosen, 20)]
    assert answer == test_similar.expected(real, source, chosen, 20)
