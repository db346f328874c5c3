"""Tweets by their words and the entities that they mention."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.entity_names import normalised_name
from db.filters import Filter
from db.questions.browse import FoundTweet
from db.questions.find import find
from db.session import Database
from tagging.errors import QueryError
from tests.questions.test_search import mention
from tests.questions.world import NOON, Found, Key, World, filters, holds

few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)

QUERIES = ("rain", '"rain in"', "Lon* -again", "again, the", "@ann", "bob", "-🎉 it's", "sure -Ann")
MENTIONED = ("PER:*", "loc:*", "LOC:london", "PER:bob", "@Ann", "PER:ann", "ORG:a_b", "London, UK", "LOC:são paulo")


def key_of(world: World, text: str, version_id: int) -> Key:
    """The entity that a text names: with its label, or that with most mentions."""
    label, _, name = text.rpartition(":")
    given = {name: key for key, name in world.names.items()}
    if name in given:
        return given[name]
    if label:
        return world.root((normalised_name(name), label))
    counted = [one.key for one in world.mentions(Filter(model_version_id=version_id, hidden=True))]
    keys = {world.root((normalised_name(name), label)) for label in ("PER", "LOC", "ORG")}
    return max(keys, key=counted.count)


def expected(world: World, query: str | None, mentioned: list[str], chosen: Filter) -> list[FoundTweet]:
    def newest_first(tweet: FoundTweet) -> tuple[float, int]:
        return (-tweet.created_at.timestamp() if tweet.created_at else float("inf"), -tweet.tweet_id)

    def fits(found: list[Found]) -> bool:
        keys = {one.key for one in found}
        return all(
            any(key[1] == text[:3].upper() for key in keys)
            if text.endswith("*")
            else key_of(world, text, chosen.model_version_id) in keys
            for text in mentioned
        )

    answer = []
    all_mentions = world.mentions(chosen)
    for tweet in world.read(chosen):
        found = [one for one in all_mentions if one.tweet.id == tweet.id]
        if fits(found) and (query is None or holds(tweet.text, query)):
            mentions = [mention(one, one.key[1]) for one in found]
            answer.append(FoundTweet(tweet.id, tweet.created_at, tweet.author, tweet.text, mentions))
    return sorted(answer, key=newest_first)


@few
@given(
    query=st.none() | st.sampled_from(QUERIES),
    mentioned=st.lists(st.sampled_from(MENTIONED), max_size=2),
    chosen=filters(),
    limit=st.sampled_from([1, 3, 60]),
)
def test_find(
    database: Database, world: World, query: str | None, mentioned: list[str], chosen: Filter, limit: int
) -> None:
    with database.read_session() as session:
        if query is None and not mentioned:
            with pytest.raises(QueryError, match="nothing to find"):
                find(session, query, mentioned, chosen, limit)
        else:
            answer = find(session, query, mentioned, chosen, limit)
            assert answer == expected(world, query, mentioned, chosen)[:limit]


@pytest.mark.parametrize(
    ("query", "mentioned", "some"),
    [
        ("rain", [], 5), ("rain", ["PER:*"], 5), (None, ["PER:*", "LOC:*"], 5), (None, ["LOC:london"], 3),
        ("lond*", ["PER:bob"], 1), (None, ["PER:ann", "London, UK"], 1),
    ],
)  # fmt: skip
def test_the_world_holds_tweets_to_find(
    database: Database, world: World, query: str | None, mentioned: list[str], some: int
) -> None:
    with database.read_session() as session:
        assert len(find(session, query, mentioned, Filter(model_version_id=1), 60)) >= some


@pytest.mark.parametrize(
    ("mentioned", "said"),
    [
        ("MISC:nobody", "no entity is called 'MISC:nobody'"), ("DOG:*", "no model version has the label 'DOG'"),
        ("*", "no entity is called '\\*'"), (" ", "is empty"), ("PER:", "is empty"), ('"; --', "no entity"),
        ("x" * 1000, "no entity is called 'xxx"),
    ],
)  # fmt: skip
def test_what_is_not_there(database: Database, world: World, mentioned: str, said: str) -> None:
    with database.read_session() as session, pytest.raises(QueryError, match=said):
        find(session, "rain", [mentioned], Filter(model_version_id=1))


def test_undated_tweets_come_last_and_only_while_there_is_room(database: Database, world: World) -> None:
    with database.read_session() as session:
        everything = find(session, None, ["PER:*"], Filter(model_version_id=1), 60)
        dated = [one for one in everything if one.created_at]
        assert everything[: len(dated)] == dated != everything
        assert (
            find(session, None, ["PER:*"], Filter(model_version_id=1), len(dated) + 1) == everything[: len(dated) + 1]
        )
        assert find(session, None, ["PER:*"], Filter(model_version_id=1, since=NOON), 60) == [
            one for one in dated if one.created_at and one.created_at >= NOON
        ]
