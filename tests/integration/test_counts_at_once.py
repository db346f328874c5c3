"""Workers, deletions and prunes that count at once: no deadlock, and right counts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any

from db import spans, tweets
from db.session import Database, open_database
from tests.questions.test_counts import check_tables
from tests.questions.world import StoredTweet, World, add_version, random_tweet, store

SIZE = 15
Readings = dict[StoredTweet, tuple[spans.Span, ...]]


def at_once(database_url: str, *works: Callable[[Database], Any]) -> None:
    """Run each in a thread with connections of its own, all beginning together; raise what one of them raises."""
    begin = Barrier(len(works))

    def run(work: Callable[[Database], Any]) -> None:
        own = open_database(database_url)
        begin.wait(30)
        try:
            work(own)
        finally:
            own.close()

    with ThreadPoolExecutor(len(works)) as pool:
        for one in [pool.submit(run, work) for work in works]:
            one.result()


def made(count: int) -> Readings:
    """Tweets of few entities, which all batches share."""
    random = Random(5)
    return dict(random_tweet(random, tweet_id) for tweet_id in range(1, count + 1))


def in_batches(version_id: int, found: Readings) -> Callable[[Database], None]:
    def work(own: Database) -> None:
        all_ = list(found.items())
        for start in range(0, len(all_), SIZE):
            store(own, World(), version_id, dict(all_[start : start + SIZE]))

    return work


def deleting(ids: list[int]) -> Callable[[Database], None]:
    def work(own: Database) -> None:
        for start in range(0, len(ids), 7):
            with own.write_session() as session:
                tweets.delete(session, ids[start : start + 7])

    return work


def pruning(version_id: int) -> Callable[[Database], None]:
    def work(own: Database) -> None:
        after = 0
        while True:
            with own.write_session() as session:
                removed = spans.prune(session, version_id, after, 10)
            if removed is None:
                return
            after = removed[1]

    return work


def world_of(readings: dict[int, Readings], deleted: set[int]) -> World:
    world = World()
    for version_id, found in readings.items():
        kept = {tweet: all_ for tweet, all_ in found.items() if tweet.id not in deleted}
        world.tweets |= {tweet.id: tweet for tweet in kept}
        world.readings[version_id] = {tweet.id: all_ for tweet, all_ in kept.items()}
    return world


def test_workers_and_a_deletion(database_url: str, database: Database) -> None:
    """Two workers store the same tweets in opposite orders, another version reads them, and some are deleted."""
    first, second = add_version(database), add_version(database)
    found = made(180)
    reversed_ = dict(reversed(found.items()))
    deleted = [one for one in range(1, 181) if one % 3 == 0]
    at_once(
        database_url,
        in_batches(first, found), in_batches(first, reversed_), in_batches(second, reversed_), deleting(deleted),
    )  # fmt: skip
    check_tables(database, world_of({first: found, second: found}, set(deleted)))


def test_removals_of_the_same_marks(database_url: str, database: Database) -> None:
    """Two prunes of one version beside deletions from both ends: what is removed is counted out once."""
    first, second = add_version(database), add_version(database)
    found = made(240)
    for version_id in (first, second):
        in_batches(version_id, found)(database)
    deleted = [one for one in range(1, 241) if one % 2]
    at_once(database_url, pruning(first), pruning(first), deleting(deleted), deleting(deleted[::-1]), pruning(first))
    check_tables(database, world_of({second: found}, set(deleted)))


def test_a_worker_beside_a_prune_of_its_version(database_url: str, database: Database) -> None:
    """What came after the prune had passed stays, with its counts."""
    version_id, found = add_version(database), made(180)
    half = dict(list(found.items())[::2])
    in_batches(version_id, half)(database)
    at_once(database_url, pruning(version_id), in_batches(version_id, dict(reversed(found.items()))))
    with database.read_session() as session:
        kept = spans.marked(session, version_id, [tweet.id for tweet in found])
    check_tables(
        database, world_of({version_id: {tweet: all_ for tweet, all_ in found.items() if tweet.id in kept}}, set())
    )


def test_what_is_stored_again_is_not_counted_again(database: Database) -> None:
    """The answer to a commit was lost, and the worker repeats it."""
    version_id, found = add_version(database), made(30)
    for _ in range(2):
        store(database, World(), version_id, found)
    check_tables(database, world_of({version_id: found}, set()))
