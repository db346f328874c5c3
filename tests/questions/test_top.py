"""The most mentioned entities, by the maintained counts and by the spans."""

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.coverage import Coverage, cover
from db.filters import Filter
from db.questions.top import top
from db.session import Database
from tests.questions.world import Found, Key, World, add_version, filters

few = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
Counted = tuple[str, str, str, int, int]  # shown, label, name, mentions, tweets


def expected(world: World, chosen: Filter) -> list[Counted]:
    groups: dict[Key, list[Found]] = defaultdict(list)
    for one in world.mentions(chosen):
        groups[one.key].append(one)
    counts = [
        (world.shown(key, chosen.model_version_id), key[1], key[0], len(all_), len({one.tweet.id for one in all_}))
        for key, all_ in groups.items()
    ]
    return sorted(counts, key=lambda one: (-one[3], one[2], one[1]))


def answer(database: Database, chosen: Filter, limit: int) -> list[Counted]:
    with database.read_session() as session:
        return [(one.shown, one.label, one.name, one.mentions, one.tweets) for one in top(session, chosen, limit)]


@few
@given(chosen=filters(), limit=st.integers(1, 40))
def test_top(database: Database, world: World, chosen: Filter, limit: int) -> None:
    assert answer(database, chosen, limit) == expected(world, chosen)[:limit]


@few
@given(label=st.none() | st.sampled_from(["PER", "LOC", "MISC"]), hidden=st.booleans(), limit=st.integers(1, 40))
def test_top_of_all_tweets_by_the_maintained_counts(
    database: Database, world: World, label: str | None, hidden: bool, limit: int
) -> None:
    chosen = Filter(model_version_id=1, label=label, hidden=hidden)
    assert chosen.is_plain
    assert answer(database, chosen, limit) == expected(world, chosen)[:limit]


@few
@given(chosen=filters())
def test_coverage(database: Database, world: World, chosen: Filter) -> None:
    everything = Filter(model_version_id=chosen.model_version_id, hidden=True)
    with database.read_session() as session:
        assert cover(session, chosen) == Coverage(
            chosen.model_version_id,
            len(world.read(chosen)),
            len(world.read(everything)),
            len(world.mentions(chosen)),
            len(world.mentions(everything)),
        )


def test_a_version_that_read_nothing(database: Database) -> None:
    add_version(database)
    chosen = Filter(model_version_id=1)
    assert answer(database, chosen, 10) == []
    with database.read_session() as session:
        assert cover(session, chosen) == Coverage(1, 0, 0, 0, 0)


@pytest.mark.parametrize("limit", [1, 3])
def test_an_entity_with_aliases_counts_a_tweet_once(database: Database, world: World, limit: int) -> None:
    chosen = Filter(model_version_id=1, label="PER")
    [bob] = [one for one in answer(database, chosen, 40) if one[2] == "bob"]
    assert bob[3] > bob[4], "a tweet mentions two of the three that were merged"
    assert answer(database, chosen, limit) == expected(world, chosen)[:limit]
