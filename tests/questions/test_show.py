"""What is known about one entity, against plain loops over a small world."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.entity_names import normalised_name
from db.filters import Filter
from db.questions.show import Alias, EntityDetails, show
from db.session import Database
from tests.questions.world import Found, Key, World, entities, entity_id, filters

few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
ALIASES: dict[Key, list[Key]] = {("bob", "PER"): [("ann", "LOC"), ("ann", "PER")]}


def answer(database: Database, key: Key, chosen: Filter, limit: int = 5) -> EntityDetails:
    asked = entity_id(database, key)
    with database.read_session() as session:
        return show(session, asked, chosen, limit)


def ranked(texts: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(texts).items(), key=lambda one: (-one[1], one[0]))


def found_as(one: Found) -> Key:
    return normalised_name(one.surface), one.span.label


@few
@given(key=entities(), chosen=filters(), limit=st.integers(1, 6))
def test_show(database: Database, world: World, key: Key, chosen: Filter, limit: int) -> None:
    mine = [one for one in world.mentions(chosen) if one.key == key]
    tweets = {one.tweet.id: one.tweet for one in mine}
    times = [tweet.created_at for tweet in tweets.values() if tweet.created_at]
    by_alias = Counter(map(found_as, mine))
    details = answer(database, key, chosen, limit)
    assert (details.name, details.label) == key
    assert details.shown == world.shown(key, chosen.model_version_id)
    assert details.is_hidden == (key in world.hidden)
    assert (details.mentions, details.tweets) == (len(mine), len(tweets))
    assert details.tweets_read == len(world.read(chosen))
    assert details.share * max(1, details.tweets_read) == len(tweets)
    assert details.first_seen == min(times, default=None)
    assert details.last_seen == max(times, default=None)
    assert details.labels == ranked(one.span.label for one in mine)
    assert details.surfaces == ranked(one.surface for one in mine)[:limit]
    assert details.authors == ranked(tweet.author for tweet in tweets.values() if tweet.author)[:limit]
    assert details.aliases == [Alias(*alias, by_alias[alias]) for alias in ALIASES.get(key, [])]


@few
@given(key=entities(), chosen=filters(), limit=st.integers(1, 6))
def test_what_it_is_most_often_mentioned_with(
    database: Database, world: World, key: Key, chosen: Filter, limit: int
) -> None:
    tweets_of: dict[Key, set[int]] = defaultdict(set)
    for one in world.mentions(Filter(**{**vars(chosen), "label": None})):
        tweets_of[one.key].add(one.tweet.id)
    mine = tweets_of.pop(key, set())
    wanted = {other: len(mine & ids) for other, ids in tweets_of.items() if chosen.label in (None, other[1])}
    expected = sorted(((-count, *other) for other, count in wanted.items() if count))[:limit]
    found = answer(database, key, chosen, limit).related
    assert [(-one.together, one.name, one.label) for one in found] == expected


def test_a_hidden_entity_is_described_where_it_is_asked_for(database: Database, world: World) -> None:
    without, with_ = (answer(database, ("a_b", "ORG"), Filter(model_version_id=1, hidden=one)) for one in (False, True))
    assert without.is_hidden
    assert with_.is_hidden
    assert (without.mentions, without.surfaces, without.related) == (0, [], [])
    assert with_.mentions > 0
    assert with_.related
