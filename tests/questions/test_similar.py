"""Tweets that share entities with another, compared with a brute force."""

from collections import defaultdict
from math import fsum, log

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import spans, tweets
from db.entity_names import normalised_name
from db.filters import Filter
from db.questions import similar as module
from db.questions.similar import SimilarTweet, similar, weighed_entities
from db.session import Database
from tagging.errors import QueryError
from tagging.spans import Span
from tests.questions.test_search import store_names
from tests.questions.world import NOON, Key, StoredTweet, World, add_version, filters, random_world, store

few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)

Row = tuple[int, float, list[tuple[str, str]]]  # tweet id, score, shared (name, label)


@pytest.fixture
def large_world(database: Database) -> World:
    """Enough tweets that some share several entities."""
    return random_world(database, seed=3, size=150)


def weights(world: World, chosen: Filter) -> dict[Key, float]:
    """The weight of each entity: a tweet that mentions two of its aliases counts twice."""
    everything = world.mentions(Filter(model_version_id=chosen.model_version_id, hidden=True))
    tweets: dict[Key, set[tuple[int, Key]]] = defaultdict(set)
    for one in everything:
        tweets[one.key].add((one.tweet.id, (normalised_name(one.surface), one.span.label)))
    total = len(world.readings[chosen.model_version_id])
    return {key: log(total / min(total, len(all_))) for key, all_ in tweets.items()}


def said(text: str) -> list[str]:
    kept = [one for one in text.split() if one[0] != "@"]
    return [normalised_name(one) for one in kept or text.split()]


def expected(world: World, source: StoredTweet, chosen: Filter, limit: int) -> list[Row]:
    weighs = weights(world, chosen)
    mentions = world.mentions(chosen.of_any_tweet())
    of_source = {one.key for one in mentions if one.tweet.id == source.id}
    ranked = []
    for tweet in world.read(chosen):
        shared = of_source & {one.key for one in mentions if one.tweet.id == tweet.id}
        if shared:
            score = fsum(weighs[key] for key in shared)
            at = -tweet.created_at.timestamp() if tweet.created_at else float("inf")
            ranked.append((-score, at, -tweet.id, tweet, shared))
    answer: list[Row] = []
    originals, texts = [source.retweet_of or source.id], [said(source.text)]
    for score, _, _, tweet, shared in sorted(ranked, key=lambda one: one[:3]):
        original, text = tweet.retweet_of or tweet.id, said(tweet.text)
        is_of_source = originals[0] in (original, tweet.id)  # also where the original itself is said to be a retweet
        if original not in originals and text not in texts and not is_of_source:
            answer.append((tweet.id, pytest.approx(-score), sorted(shared)))
        if not is_of_source:
            originals.append(original)
            texts.append(text)
    return answer[:limit]


def row(one: SimilarTweet) -> Row:
    assert one.score == pytest.approx(sum(entity.weight for entity in one.shared))
    assert [entity.weight for entity in one.shared] == sorted((entity.weight for entity in one.shared), reverse=True)
    return one.tweet_id, one.score, sorted((entity.name, entity.label) for entity in one.shared)


@few
@given(position=st.integers(0, 150), chosen=filters(), limit=st.sampled_from([1, 5, 200]))
def test_similar(database: Database, large_world: World, position: int, chosen: Filter, limit: int) -> None:
    read = sorted(large_world.readings[chosen.model_version_id])
    source = large_world.tweets[read[position % len(read)]]
    with database.read_session() as session:
        answer = similar(session, source.id, chosen, limit)
    assert [row(one) for one in answer] == expected(large_world, source, chosen, limit)
    assert all(one.text == large_world.tweets[one.tweet_id].text for one in answer)


def tweet(tweet_id: int, text: str, retweet_of: int | None = None, author: str | None = None) -> StoredTweet:
    return StoredTweet(tweet_id, text, NOON, author, None, retweet_of)


def store_tweets(database: Database, version_id: int, *all_: StoredTweet) -> None:
    """Store tweets in which every capitalised word is a person."""
    found = {}
    for one in all_:
        starts = [at for at, char in enumerate(one.text) if char.isupper() and one.text[at - 1 : at] in ("", " ")]
        found[one] = tuple(Span(at, at + len(one.text[at:].split()[0]), "PER", 0.9) for at in starts)
    store(database, World(), version_id, found)


def ids(database: Database, tweet_id: int, limit: int = 10) -> list[int]:
    with database.read_session() as session:
        return [one.tweet_id for one in similar(session, tweet_id, Filter(model_version_id=1), limit)]


def test_rare_entities_weigh_more_and_copies_are_shown_once(database: Database) -> None:
    store_tweets(
        database,
        add_version(database),
        tweet(1, "Ann sees Bob"),
        *(tweet(number, f"Ann number {number}") for number in range(10, 17)),
        tweet(20, "so Bob it is"),
        tweet(21, "so Bob it is http://t.co/a"),
        tweet(22, "@zoe so Bob, it is!"),
        tweet(30, "more of Bob", retweet_of=31),
        tweet(32, "more of Bob ...", retweet_of=31),
        tweet(31, "more of Bob and of others"),
        tweet(40, "rt Ann sees Bob", retweet_of=1),
        tweet(41, "Ann sees Bob http://t.co/b"),
        tweet(50, "nobody"),
    )
    assert ids(database, 1) == [32, 22, *range(16, 9, -1)]
    assert ids(database, 40) == ids(database, 1), "a retweet stands for what it retweets"
    assert ids(database, 50) == []
    with database.read_session() as session:
        assert weighed_entities(session, 50, Filter(model_version_id=1)) == []
        best = similar(session, 1, Filter(model_version_id=1), 1)[0]
        assert [(one.shown, one.label, one.tweets) for one in best.shared] == [("Bob", "PER", 9)]


def test_the_rarest_entities_are_looked_at_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    common = [tweet(number, f"Ann is number {number}") for number in range(100, 130)]
    retweets = [tweet(number, f"Ann Bob {number}", retweet_of=1) for number in range(200, 220)]
    rare = [tweet(2, "the old Bob"), tweet(3, "not Bob again"), tweet(4, "Ann and Bob")]
    store_tweets(database, add_version(database), tweet(1, "Ann Bob"), *common, *rare, *retweets)
    monkeypatch.setattr(module, "_LOOKED_AT", 5)
    assert ids(database, 1) == [4, 3, 2, 129, 128]


def test_what_cannot_be_asked(database: Database) -> None:
    version_id = add_version(database)
    store_names(database, version_id, 1, NOON, ("Ann", "PER"))
    with database.write_session() as session:
        tweets.add(session, [(number, "t", None, None, None, None) for number in (2, 3)])
        spans.mark_dead(session, version_id, [3], "too long")
    with database.read_session() as session:
        assert similar(session, 1, Filter(model_version_id=version_id)) == []
        for number, error in ((2, "was not read by version 1"), (3, "was not read"), (4, "tweet 4 is not stored")):
            with pytest.raises(QueryError, match=error):
                similar(session, number, Filter(model_version_id=version_id))
