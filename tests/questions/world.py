"""A small random world of tweets, readings and edits, in Python and in a database, and what brute force says of it.

Answers are checked against plain loops over `World.mentions(chosen)`; nothing here knows how the database is asked.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from db import entity_edits, model_versions, spans, tweets
from db.entity_names import normalised_name
from db.filters import Filter
from db.session import Database
from tagging.spans import Span
from tagging.words import words
from tests.ledger_tools import VERSION

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABELS = ("PER", "LOC", "ORG")
SURFACES = (
    "London", "LONDON", "#london", "Londonderry", "Ann", "ann", "@ann", "Bob", "bob's", "100% sure", "a_b", "São Paulo",
)  # fmt: skip
FILLERS = ("rain in", "the", "again,", "so much for", "🎉", "and", "says no to", "at 5pm in", "it's", "meets")
AUTHORS = ("ann", "bob", "Cy", None)
LANGUAGES = ("en", "pt", None)

Key = tuple[str, str]  # normalised name, label


@dataclass(frozen=True)
class StoredTweet:
    """A row of `tweets`."""

    id: int
    text: str
    created_at: datetime | None
    author: str | None
    language: str | None
    retweet_of: int | None


@dataclass(frozen=True)
class Found:
    """A mention: its tweet, its span, and the entity that it counts for."""

    tweet: StoredTweet
    span: Span
    key: Key

    @property
    def surface(self) -> str:
        return self.span.surface(self.tweet.text)


@dataclass(repr=False)
class World:
    """What is stored: tweets, what each version read, and the edits that count."""

    tweets: dict[int, StoredTweet] = field(default_factory=dict)
    readings: dict[int, dict[int, tuple[Span, ...]]] = field(default_factory=dict)  # version -> tweet -> spans
    merges: list[tuple[Key, Key]] = field(default_factory=list)
    names: dict[Key, str] = field(default_factory=dict)
    hidden: set[Key] = field(default_factory=set)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"<a world of {len(self.tweets)} tweets>")  # hypothesis would write all of them, and warn

    edits: dict[int, tuple[str, Key, Key | str | None]] = field(default_factory=dict)  # that count, by their ids

    def apply_edits(self) -> None:
        """Let merges, names and hidden entities be what the edits say."""
        self.merges, self.names, self.hidden = [], {}, set()
        for kind, key, to in self.edits.values():
            if kind == "hide":
                self.hidden.add(key)
            elif isinstance(to, str):
                self.names[key] = to
            elif to is not None:
                self.merges.append((key, to))

    def root(self, key: Key) -> Key:
        """The entity that one counts for."""
        into: dict[Key, Key] = {}

        def end(one: Key) -> Key:
            while one in into:
                one = into[one]
            return one

        for source, target in self.merges:
            if end(source) != end(target):
                into[end(source)] = end(target)
        return end(key)

    def read(self, chosen: Filter) -> list[StoredTweet]:
        """The chosen tweets that the version has read."""
        mine = self.readings.get(chosen.model_version_id, {})
        return [tweet for tweet in self.tweets.values() if tweet.id in mine and _takes_tweet(chosen, tweet)]

    def mentions(self, chosen: Filter) -> list[Found]:
        """The mentions that count, by tweet and position."""
        return [
            found
            for tweet in sorted(self.read(chosen), key=lambda one: one.id)
            for span in self.readings[chosen.model_version_id][tweet.id]
            for found in [Found(tweet, span, self.root((normalised_name(span.surface(tweet.text)), span.label)))]
            if self._takes(chosen, found)
        ]

    def shown(self, key: Key, version_id: int) -> str:
        """What an entity is shown as."""
        if key in self.names:
            return self.names[key]
        everything = self.mentions(Filter(model_version_id=version_id, hidden=True))
        surfaces = Counter(one.surface for one in everything if one.key == key)
        return min(surfaces, key=lambda one: (-surfaces[one], one), default=key[0])

    def _takes(self, chosen: Filter, found: Found) -> bool:
        is_handle = found.surface.startswith("@")
        return (
            (chosen.hidden or found.key not in self.hidden)
            and (chosen.label is None or found.key[1] == chosen.label)
            and found.span.score >= chosen.min_scores.get(found.key[1], chosen.min_score)
            and (chosen.kind == "all" or is_handle == (chosen.kind == "handles"))
        )


def _takes_tweet(chosen: Filter, tweet: StoredTweet) -> bool:
    at = tweet.created_at
    return (
        (chosen.since is None or (at is not None and at >= chosen.since))
        and (chosen.until is None or (at is not None and at < chosen.until))
        and (chosen.author is None or (tweet.author or "").lower() == chosen.author.lower())
        and (chosen.language is None or (tweet.language or "").lower() == chosen.language.lower())
        and (chosen.text is None or chosen.text.lower() in tweet.text.lower())
        and (chosen.query is None or holds(tweet.text, chosen.query))
        and (chosen.retweets or tweet.retweet_of is None)
    )


def holds(text: str, query: str) -> bool:
    """Whether a text holds all that a query asks for."""
    inside = plain_words(text)
    return all(is_wanted == _stands(asked, is_prefix, inside) for is_wanted, is_prefix, asked in plain_terms(query))


def plain_terms(query: str) -> list[tuple[bool, bool, list[str]]]:
    """The terms of a query: whether it is wanted, whether its end is open, and its words, which stand together."""
    found = re.findall(r'-?"[^"]*"|\S+', query)
    bodies = [(one[0] != "-", one.removeprefix("-")) for one in found]
    terms = [(wanted, body[-1:] == "*", plain_words(body.strip('"') if body[:1] == '"' else body.rstrip("*")))
             for wanted, body in bodies]  # fmt: skip
    return [one for one in terms if one[2]]


def _stands(asked: list[str], is_prefix: bool, inside: list[str]) -> bool:
    def fits(at: int) -> bool:
        there = inside[at : at + len(asked)]
        return there == asked or (is_prefix and there[:-1] == asked[:-1] and there[-1].startswith(asked[-1]))

    return any(fits(at) for at in range(len(inside) - len(asked) + 1))


def plain_words(text: str) -> list[str]:
    """The normalised words of a text, without those that are a sign of punctuation, once or repeated."""
    found = (normalised_name(text[start:end].replace("’", "'")) for start, end in words(text))
    return [word for word in found if not (len({*word}) == 1 and unicodedata.category(word[0])[0] == "P")]


def random_tweet(random: Random, tweet_id: int, others: Iterable[int] = ()) -> tuple[StoredTweet, tuple[Span, ...]]:
    """A tweet with up to four mentions among other words, and their spans; scores have two digits."""
    text, found = "", []
    for _ in range(random.randrange(5)):
        text += random.choice(FILLERS) + " "
        surface = random.choice(SURFACES)
        score = round(random.uniform(0.2, 1), 2)
        found.append(Span(len(text), len(text) + len(surface), random.choice(LABELS), score))
        text += surface + " "
    at = random.choice([None, *(NOON + timedelta(hours=hours) for hours in range(-40, 40, 7))])
    original = random.choice([None, None, None, *others])
    tweet = StoredTweet(
        tweet_id, text + random.choice(FILLERS), at, random.choice(AUTHORS), random.choice(LANGUAGES), original
    )
    return tweet, tuple(found)


def store(database: Database, world: World, version_id: int, found: dict[StoredTweet, tuple[Span, ...]]) -> None:
    """Store tweets and what a version found in them, in the database and in the world."""
    with database.write_session() as session:
        keys = {spans.entity_key(tweet.text, span) for tweet, all_ in found.items() for span in all_}
        ids = spans.look_up_entities(session, keys)
        tweets.add(session, [tuple(vars(tweet).values()) for tweet in found])
        spans.store(session, version_id, {tweet.id: (tweet.text, all_) for tweet, all_ in found.items()}, ids)
    for tweet, all_ in found.items():
        world.tweets.setdefault(tweet.id, tweet)
        world.readings.setdefault(version_id, {}).setdefault(tweet.id, all_)


def add_version(database: Database) -> int:
    """Register a version."""
    with database.write_session() as session:
        return model_versions.register(session, **VERSION).id


def entity_id(database: Database, key: Key) -> int:
    """Return the id of an entity, which is made if it is new."""
    with database.write_session() as session:
        return spans.look_up_entities(session, [key])[key]


def random_world(database: Database, seed: int = 7, size: int = 60, edited: bool = True) -> World:
    """Fill an empty database: tweets, two versions (1 and 2) with different results, unread tweets, merges and more."""
    random, world = Random(seed), World()
    versions = [add_version(database), add_version(database)]
    ids = random.sample(range(1, 1000), size)
    made = dict(random_tweet(random, tweet_id, ids[:5]) for tweet_id in ids)
    store(database, world, versions[0], made)
    store(database, world, versions[1], {tweet: found[1:] for tweet, found in list(made.items())[: size * 2 // 3]})
    with database.write_session() as session:
        unread = [random_tweet(random, tweet_id)[0] for tweet_id in range(2000, 2005)]
        tweets.add(session, [tuple(vars(tweet).values()) for tweet in unread])
    world.tweets |= {tweet.id: tweet for tweet in unread}
    if edited:
        edit(database, world)
    return world


def edit(database: Database, world: World) -> None:
    """Merge, rename and hide some entities."""
    merge(database, world, ("ann", "LOC"), ("ann", "PER"))
    merge(database, world, ("ann", "PER"), ("bob", "PER"))
    rename(database, world, ("london", "LOC"), "London, UK")
    hide(database, world, ("a_b", "ORG"))


def merge(database: Database, world: World, source: Key, target: Key) -> int:
    """Let an entity count for another, and return the edit's id; so do the next two."""
    one, other = entity_id(database, source), entity_id(database, target)
    with database.write_session() as session:
        edit_id = entity_edits.merge(session, one, other, "ann", "same person").id
    return _record(world, edit_id, "merge", world.root(source), world.root(target))


def rename(database: Database, world: World, key: Key, name: str) -> int:
    """Give an entity a name."""
    one = entity_id(database, key)
    with database.write_session() as session:
        edit_id = entity_edits.rename(session, one, name, "ann").id
    return _record(world, edit_id, "rename", world.root(key), name)


def hide(database: Database, world: World, key: Key) -> int | None:
    """Hide an entity; None if it is hidden."""
    one = entity_id(database, key)
    with database.write_session() as session:
        made = entity_edits.hide(session, one, "ann", "noise")
        edit_id = made.id if made else None
    return edit_id if edit_id is None else _record(world, edit_id, "hide", world.root(key), None)


def undo(database: Database, world: World, edit_id: int) -> None:
    """Take an edit back."""
    with database.write_session() as session:
        entity_edits.undo(session, edit_id, "bob")
    del world.edits[edit_id]
    world.apply_edits()


def _record(world: World, edit_id: int, kind: str, key: Key, to: Key | str | None) -> int:
    world.edits[edit_id] = (kind, key, to)
    world.apply_edits()
    return edit_id


def filters(versions: Iterable[int] = (1, 2)) -> st.SearchStrategy[Filter]:
    """Draw filters of every kind, most of them with few conditions."""
    moments = st.none() | st.sampled_from([NOON + timedelta(hours=hours) for hours in (-90, -12, -6, 0, 2.5, 9, 30)])
    conditions = {
        "label": st.sampled_from([*LABELS, "MISC"]),
        "since": moments,
        "until": moments,
        "min_score": st.sampled_from([0.0, 0.5, 0.9, 1.0]),
        "min_scores": st.sampled_from([{}, {"PER": 0.9}, {"PER": 0.0, "ORG": 0.5, "MISC": 1.0}]),
        "language": st.sampled_from(["en", "PT", "xx"]),
        "author": st.sampled_from(["ann", "CY", "nobody"]),
        "text": st.sampled_from(["rain", "LONDON", "100%", "_"]),
        "query": st.sampled_from(["rain", "-rain LONDON*", '"rain in" -"at 5pm"', "it's -bob", "nothing"]),
        "retweets": st.booleans(),
        "kind": st.sampled_from(["all", "plain", "handles"]),
        "hidden": st.booleans(),
    }
    required = st.fixed_dictionaries({"model_version_id": st.sampled_from(list(versions))}, optional=conditions)
    few = st.lists(st.sampled_from(list(conditions)), max_size=3)
    kept = st.tuples(required, few).map(
        lambda drawn: {key: value for key, value in drawn[0].items() if key not in conditions or key in drawn[1]}
    )
    return kept.map(lambda values: replace(Filter(model_version_id=1), **values))


def entities() -> st.SearchStrategy[Key]:
    """Draw entities of the world that are no aliases, also one that nothing mentions."""
    keys = [("bob", "PER"), ("london", "LOC"), ("a_b", "ORG"), ("são paulo", "ORG"), ("ann", "ORG"), ("nobody", "PER")]
    return st.sampled_from(keys)
