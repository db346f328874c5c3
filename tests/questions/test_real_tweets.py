"""The questions on 2,295 real tweets, against the brute force of the other tests. The readings are by rules: what is
checked is how they are asked, not the tagger."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.filters import Filter
from db.questions.find import find
from db.questions.search import search
from db.questions.similar import similar
from db.session import Database
from tests.questions import test_compare, test_exports, test_find, test_similar, test_timeline, test_top
from tests.questions.real_world import real_world
from tests.questions.test_search import mention, newest_first
from tests.questions.world import Key, World

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


@pytest.fixture
def real(database: Database, shared: Path) -> World:
    """The real tweets in a fresh database of each kind."""
    return real_world(database, shared)


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
