"""Maintained counts, and edits, through random interleavings of all that changes what is stored."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from db import failures, model_versions, spans, tweets
from db.columns import Base
from db.counts import EVER
from db.coverage import Coverage, cover
from db.entity_names import normalised_name
from db.filters import Filter
from db.periods import UNDATED
from db.session import Database
from db.tables import Entity, EntityCount, HourCount
from tagging.errors import QueryError
from tests.ledger_tools import VERSION
from tests.questions.test_top import answer, expected
from tests.questions.world import (
    NOON,
    Key,
    World,
    hide,
    merge,
    random_tweet,
    rename,
    store,
    undo,
)

few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
KEYS: list[Key] = [(name, label) for name in ("ann", "london", "bob's", "a_b") for label in ("PER", "LOC")]
TIMES = [
    datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1899, 3, 1, 0, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC),
]
ASKED = [
    Filter(model_version_id=1),
    Filter(model_version_id=1, hidden=True),
    Filter(model_version_id=1, label="PER"),
    Filter(model_version_id=2, label="LOC", hidden=True),
    Filter(model_version_id=2),
    Filter(model_version_id=1, min_score=0.1),  # all of them, by the spans
    Filter(model_version_id=2, min_score=0.1, label="PER"),
    Filter(model_version_id=1, since=NOON - timedelta(hours=12)),
]


def by_entity(database: Database) -> dict[tuple[int, Key, int], tuple[int, int]]:
    """The rows of entity_counts: version, entity and day -> mentions, tweets."""
    columns = (EntityCount.model_version_id, Entity.name, EntityCount.label, EntityCount.day)
    rows = select(*columns, Entity.label, EntityCount.mentions, EntityCount.tweets)
    with database.read_session() as session:
        found = session.execute(rows.join(Entity, Entity.id == EntityCount.entity_id)).all()
    assert all(row[2] == row[4] for row in found)
    return {(row[0], (row[1], row[2]), row[3]): (row[5], row[6]) for row in found}


def by_hour(database: Database) -> dict[tuple[int, int], tuple[int, int]]:
    """The rows of hour_counts: version and hour -> tweets, mentions."""
    rows = select(HourCount.model_version_id, HourCount.hour, HourCount.tweets, HourCount.mentions)
    with database.read_session() as session:
        return {(row[0], row[1]): (row[2], row[3]) for row in session.execute(rows)}


def check_tables(database: Database, world: World) -> None:
    """Compare both tables with loops over what was read: no row is missing, none is left with zero."""
    mentions: Counter[tuple[int, Key, int]] = Counter()
    holders: dict[tuple[int, Key, int], set[int]] = defaultdict(set)
    hours: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for version_id, readings in world.readings.items():
        for tweet_id, found in readings.items():
            at, text = world.tweets[tweet_id].created_at, world.tweets[tweet_id].text
            hour = int(at.timestamp() // 3600) if at else UNDATED
            day = (at.date() - date(1970, 1, 1)).days if at else UNDATED
            hours[version_id, hour] = (hours[version_id, hour][0] + 1, hours[version_id, hour][1] + len(found))
            for span in found:
                for period in (day, EVER):
                    row = (version_id, (normalised_name(span.surface(text)), span.label), period)
                    mentions[row] += 1
                    holders[row].add(tweet_id)
    assert by_entity(database) == {row: (count, len(holders[row])) for row, count in mentions.items()}
    assert by_hour(database) == hours


def check_answers(database: Database, world: World) -> None:
    for chosen in ASKED:
        assert answer(database, chosen, 100) == expected(world, chosen)
        everything = replace(Filter(model_version_id=chosen.model_version_id), hidden=True)
        with database.read_session() as session:
            assert cover(session, chosen) == Coverage(
                chosen.model_version_id,
                len(world.read(chosen)),
                len(world.read(everything)),
                len(world.mentions(chosen)),
                len(world.mentions(everything)),
            )


class History:
    """Changes the database and the world alike, each step by a number that was drawn."""

    def __init__(self, database: Database) -> None:
        self.database, self.world, self.next_id, self.edits = database, World(), 1, 0
        self.dead: set[tuple[int, int]] = set()  # version, tweet
        with database.write_session() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(delete(table))
            for version_id in (1, 2):
                model_versions.register(session, id=version_id, **VERSION)

    def add(self, number: int) -> None:
        """Store new tweets, and what the first version finds in some of them."""
        random = Random(number)
        made = dict(random_tweet(random, self.next_id + offset) for offset in range(random.randrange(1, 6)))
        made = {replace(one, created_at=random.choice([one.created_at, *TIMES])): found for one, found in made.items()}
        self.next_id += len(made)
        left_out = [one for one in made if random.random() < 0.2]
        store(self.database, self.world, 1, {one: found for one, found in made.items() if one not in left_out})
        with self.database.write_session() as session:
            tweets.add(session, [tuple(vars(one).values()) for one in left_out])
        self.world.tweets |= {one.id: one for one in left_out}

    def read(self, number: int) -> None:
        """Let a version read some stored tweets, also those that it has read and those that are dead."""
        random, version_id = Random(number), number % 2 + 1
        mine = self.world.readings.get(version_id, {})
        some = {one: random_tweet(random, 0)[1] for one in self.world.tweets.values() if random.random() < 0.6}
        with_spans = {
            one: tuple(span for span in found if span.end <= len(one.text) and span.surface(one.text).strip())
            for one, found in some.items()
        }
        is_dead = [one for one in with_spans if (version_id, one.id) in self.dead]
        known = {one.id: mine[one.id] for one in with_spans if one.id in mine}
        store(self.database, self.world, version_id, with_spans)
        for one in is_dead:
            del self.world.readings[version_id][one.id]
        assert all(self.world.readings[version_id][tweet_id] == found for tweet_id, found in known.items())

    def die(self, number: int) -> None:
        """Mark tweets dead that a version has not read."""
        random, version_id = Random(number), number % 2 + 1
        mine = self.world.readings.get(version_id, {})
        some = [one for one in self.world.tweets if random.random() < 0.5]
        with self.database.write_session() as session:
            spans.mark_dead(session, version_id, some, "too long")
        self.dead |= {(version_id, one) for one in some if one not in mine}

    def revive(self, _: int) -> None:
        """Let the dead be read again."""
        with self.database.write_session() as session:
            failures.revive(session, failures.pick(session, failures.Choice(), 1000))
        self.dead.clear()

    def delete(self, number: int) -> None:
        """Delete tweets, some of which are not stored."""
        random = Random(number)
        some = {one for one in [*self.world.tweets, 10**6] if random.random() < 0.3}
        with self.database.write_session() as session:
            tweets.delete(session, some)
        for kept in (self.world.tweets, *self.world.readings.values()):
            for one in some & kept.keys():
                del kept[one]
        self.dead = {(version_id, one) for version_id, one in self.dead if one not in some}

    def prune(self, number: int) -> None:
        """Remove the marks and spans of a version, or some of them."""
        version_id, after = number % 2 + 1, 0
        for _ in range(number % 3 + 1):
            with self.database.write_session() as session:
                removed = spans.prune(session, version_id, after, 4)
            if removed is None:
                break
            mine = self.world.readings.get(version_id, {})
            for one in [one for one in mine if after < one <= removed[1]]:
                del mine[one]
            self.dead = {key for key in self.dead if key[0] != version_id or not after < key[1] <= removed[1]}
            after = removed[1]

    def merge(self, number: int) -> None:
        """Merge two entities; that is refused where they are one."""
        source, target = KEYS[number % 8], KEYS[number // 8 % 8]
        are_one = self.world.root(source) == self.world.root(target)
        try:
            merge(self.database, self.world, source, target)
            assert not are_one
        except QueryError:
            assert are_one

    def rename(self, number: int) -> None:
        """Give an entity a name."""
        rename(self.database, self.world, KEYS[number % 8], f"name {number % 5}")

    def hide(self, number: int) -> None:
        """Hide an entity, unless it is hidden."""
        key = KEYS[number % 8]
        was_hidden = self.world.root(key) in self.world.hidden
        assert (hide(self.database, self.world, key) is None) == was_hidden

    def undo(self, number: int) -> None:
        """Undo any edit that counts."""
        if self.world.edits:
            edits = sorted(self.world.edits)
            undo(self.database, self.world, edits[number % len(edits)])


STEPS: list[Callable[[History, int], None]] = [
    History.add, History.add, History.read, History.read, History.die, History.revive, History.delete, History.prune,
    History.merge, History.merge, History.rename, History.hide, History.undo, History.undo,
]  # fmt: skip


@few
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 10**6)), min_size=8, max_size=30))
def test_counts_stay_right_whatever_happens(
    database: Database, steps: list[tuple[Callable[[History, int], None], int]]
) -> None:
    history = History(database)
    history.add(len(steps))
    for step, number in steps:
        step(history, number)
    check_tables(database, history.world)
    check_answers(database, history.world)
