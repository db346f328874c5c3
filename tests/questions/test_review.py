"""Tweets for review: low scores, disagreement and rare entities, in turn."""

from collections import Counter, defaultdict
from itertools import chain, zip_longest

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.filters import Filter
from db.questions import review
from db.questions.review import for_review
from db.session import Database
from tagging.spans import Span
from tests.questions.world import NOON, StoredTweet, World, add_version, entity_id, filters, store

few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
Ranking = dict[int, str]


def by_score(world: World, chosen: Filter) -> Ranking:
    lowest = {one.tweet.id: 2.0 for one in world.mentions(chosen)}
    for one in world.mentions(chosen):
        lowest[one.tweet.id] = min(lowest[one.tweet.id], one.span.score)
    ranked = sorted(lowest, key=lambda tweet_id: (lowest[tweet_id], tweet_id))
    return {tweet_id: f"a score of {lowest[tweet_id]:.2f}" for tweet_id in ranked}


def by_disagreement(world: World, chosen: Filter) -> Ranking:
    mine, other = chosen.model_version_id, 3 - chosen.model_version_id
    found: dict[int, dict[int, set[tuple[int, int, str]]]] = {}
    for version in (mine, other):
        asked = Filter(**{**vars(chosen), "model_version_id": version})
        found[version] = {tweet.id: set() for tweet in world.read(asked)}
        for one in world.mentions(asked):
            found[version][one.tweet.id].add((one.span.start, one.span.end, one.key[1]))
    differ = {
        tweet_id: len(found[mine][tweet_id] ^ found[other][tweet_id]) for tweet_id in found[mine].keys() & found[other]
    }
    ranked = sorted((one for one in differ if differ[one]), key=lambda tweet_id: (-differ[tweet_id], -tweet_id))
    told = {1: "1 span"}
    return {
        one: f"versions {mine} and {other} disagree on {told.get(differ[one], f'{differ[one]} spans')}"
        for one in ranked
    }


def rare(database: Database, world: World, chosen: Filter) -> Ranking:
    everything = world.mentions(Filter(model_version_id=chosen.model_version_id, hidden=True))
    ever = Counter(one.key for one in everything)
    touched = {*chain(*world.merges), *world.names, *world.hidden}
    in_tweets = defaultdict(list)
    for one in world.mentions(chosen):
        if one.key not in touched and ever[one.key] <= 3:
            in_tweets[one.key].append(one.tweet.id)
    ranking: Ranking = {}
    for key in sorted(in_tweets, key=lambda key: (ever[key], -entity_id(database, key))):
        times = f"{ever[key]} mention{'s' if ever[key] > 1 else ''}"
        ranking.setdefault(max(in_tweets[key]), f"{key[1]}:{key[0]} has {times}")
    return ranking


def expected(database: Database, world: World, chosen: Filter) -> list[tuple[int, tuple[str, ...]]]:
    rankings = (by_score(world, chosen), by_disagreement(world, chosen), rare(database, world, chosen))
    reasons: dict[int, list[str]] = defaultdict(list)
    for turn in zip_longest(*(ranking.items() for ranking in rankings)):
        for one in turn:
            if one:
                reasons[one[0]].append(one[1])
    return [(tweet_id, tuple(why)) for tweet_id, why in reasons.items()]


@few
@given(chosen=filters())
def test_tweets_for_review(database: Database, world: World, chosen: Filter) -> None:
    with database.read_session() as session:
        found = for_review(session, chosen, 60)
    assert [(one.tweet_id, one.reasons) for one in found] == expected(database, world, chosen)[:60]
    for one in found:
        mine = [(m.span.start, m.span.end, m.key[1]) for m in world.mentions(chosen) if m.tweet.id == one.tweet_id]
        assert [(span.start, span.end, span.label) for span in one.spans] == mine
        assert one.text == world.tweets[one.tweet_id].text


@few
@given(limit=st.integers(1, 12))
def test_a_few_are_the_first_of_many(database: Database, world: World, limit: int) -> None:
    chosen = Filter(model_version_id=1)
    with database.read_session() as session:
        few, many = for_review(session, chosen, limit), for_review(session, chosen, 60)
    assert [one.tweet_id for one in few] == [one.tweet_id for one in many[:limit]]


def test_there_are_rare_entities_in_the_world(database: Database, world: World) -> None:
    assert rare(database, world, Filter(model_version_id=2))
    assert by_disagreement(world, Filter(model_version_id=2))


def test_each_text_comes_once(database: Database) -> None:
    version_id, world = add_version(database), World()
    same = {StoredTweet(number, "Ann again", NOON, None, None, None): (Span(0, 3, "PER", 0.5),) for number in (3, 1, 2)}
    other = {StoredTweet(4, "Bob", NOON, None, None, None): (Span(0, 3, "PER", 0.9),)}
    store(database, world, version_id, same | other)
    with database.read_session() as session:
        found = for_review(session, Filter(model_version_id=version_id), 10)
    assert [one.tweet_id for one in found] == [1, 4]
    assert set(found[1].reasons) == {"a score of 0.90", "PER:bob has 1 mention"}


def test_only_the_newest_tweets_are_compared(database: Database, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "_COMPARED", 5)
    both = sorted(world.readings[2])[-5:]
    with database.read_session() as session:
        found = for_review(session, Filter(model_version_id=1), 60)
    differing = {one.tweet_id for one in found if any("disagree" in reason for reason in one.reasons)}
    assert differing == by_disagreement(world, Filter(model_version_id=1)).keys() & set(both)


def test_nothing_read_is_nothing_to_review(database: Database) -> None:
    version_id = add_version(database)
    with database.read_session() as session:
        assert for_review(session, Filter(model_version_id=version_id), 5) == []
