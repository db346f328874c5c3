"""Tweets as rows: stored once, never against a tombstone, with their times in UTC."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db import fulltext, tweets
from db.bulk import copy_rows
from db.session import Database, open_database
from db.tables import Tombstone, Tweet
from tests.processes import wait_until
from worker import tweet_json

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def tweet(tweet_id: int, text: str = "text", **columns: Any) -> tuple[Any, ...]:
    return tuple((dict.fromkeys(tweets.COLUMNS) | {"id": tweet_id, "text": text} | columns).values())


def add(database: Database, *rows: tuple[Any, ...]) -> list[int]:
    with database.write_session() as session:
        return tweets.add(session, rows)


def read(database: Database, tweet_id: int) -> Tweet:
    with database.read_session() as session:
        return session.get_one(Tweet, tweet_id)


def test_a_tweet_is_stored_once_as_it_first_came(database: Database) -> None:
    assert add(database, tweet(1, "first"), tweet(2)) == [1, 2]
    assert add(database, tweet(1, "second"), tweet(3)) == [3]
    assert add(database, tweet(1), tweet(2), tweet(3)) == []
    assert add(database) == []
    assert read(database, 1).text == "first"


def test_of_two_rows_with_one_id_the_first_counts(database: Database) -> None:
    assert add(database, tweet(5, "a"), tweet(4, "b"), tweet(5, "c")) == [5, 4]
    assert (read(database, 5).text, read(database, 4).text) == ("a", "b")


def test_deleted_tweets_do_not_return(database: Database) -> None:
    with database.write_session() as session:
        session.add(Tombstone(tweet_id=2, deleted_at=NOON))
    assert add(database, tweet(1), tweet(2), tweet(3)) == [1, 3]
    with database.read_session() as session:
        assert session.scalars(select(Tweet.id).order_by(Tweet.id)).all() == [1, 3]


def test_ids_come_back_in_the_order_given(database: Database) -> None:
    ids = [(number * 7919) % 3001 + 1 for number in range(3000)]  # more than one statement holds
    add(database, *map(tweet, ids[10:20]))
    assert add(database, *map(tweet, ids)) == ids[:10] + ids[20:]


def test_the_smallest_and_the_biggest_id(database: Database) -> None:
    ids = [2**63 - 1, 1]
    assert add(database, *(tweet(tweet_id, str(tweet_id), retweet_of=tweet_id) for tweet_id in ids)) == ids
    assert [read(database, tweet_id).retweet_of for tweet_id in ids] == ids
    with database.read_session() as session:
        assert tweets.texts(session, ids) == {1: "1", 2**63 - 1: str(2**63 - 1)}


def test_texts_come_by_id_without_those_that_are_gone(database: Database) -> None:
    add(database, tweet(3, "c"), tweet(1, "a"), tweet(2, "b"))
    with database.read_session() as session:
        assert list(tweets.texts(session, [3, 99, 1]).items()) == [(1, "a"), (3, "c")]
        assert tweets.texts(session, []) == {}


@pytest.mark.parametrize(
    "moment",
    [NOON, NOON.astimezone(timezone(timedelta(hours=5, minutes=45))), datetime(2006, 3, 21, 20, 50, 14, tzinfo=UTC)],
    ids=["utc", "kathmandu", "first tweet"],
)
def test_times_come_back_in_utc(database: Database, moment: datetime) -> None:
    add(database, tweet(1, created_at=moment))
    stored = read(database, 1).created_at
    assert stored == moment
    assert stored.tzinfo is UTC


def test_every_column_comes_back(database: Database) -> None:
    row = tweet(1, "Olá 👋\n", created_at=NOON, author="ana", language="pt", retweet_of=9)
    add(database, row)
    stored = read(database, 1)
    assert tuple(getattr(stored, name) for name in tweets.COLUMNS) == row


def delete_tweet(session: Session, tweet_id: int) -> None:
    """Delete as a deletion must: the tombstone first."""
    session.add(Tombstone(tweet_id=tweet_id, deleted_at=NOON))
    session.flush()
    session.execute(delete(Tweet).where(Tweet.id == tweet_id))


def delete_alone(database: Database, tweet_id: int) -> None:
    with database.write_session() as session:
        delete_tweet(session, tweet_id)


def wait_for_a_lock(database: Database) -> None:
    """Wait until a transaction of this database waits for a lock."""
    here = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")

    def is_waiting() -> bool:
        with database.read_session() as session:  # a new one: within a transaction the view stands still
            return session.scalar(here) == 1

    wait_until(is_waiting, 20, "a transaction waits")


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Database]:
    opened = open_database(postgresql_url)
    yield opened
    opened.close()


def test_a_tweet_that_is_being_deleted_does_not_come_back(postgresql: Database) -> None:
    add(postgresql, tweet(1), tweet(2))
    with ThreadPoolExecutor(1) as other:
        with postgresql.write_session() as session:
            delete_tweet(session, 2)
            adding = other.submit(add, postgresql, tweet(2), tweet(3))
            wait_for_a_lock(postgresql)
        assert adding.result(30) == [3]
    with postgresql.read_session() as session:
        assert session.scalars(select(Tweet.id).order_by(Tweet.id)).all() == [1, 3]


def test_a_deletion_waits_for_the_tweets_that_are_being_added(postgresql: Database) -> None:
    with ThreadPoolExecutor(1) as other:
        with postgresql.write_session() as session:
            assert tweets.add(session, [tweet(2)]) == [2]
            deleting = other.submit(delete_alone, postgresql, 2)
            wait_for_a_lock(postgresql)
        deleting.result(30)
    with postgresql.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Tweet)) == 0
    assert add(postgresql, tweet(2)) == []


def test_two_enqueues_do_not_hinder_each_other(postgresql: Database) -> None:
    with postgresql.write_session() as one, postgresql.write_session() as other:
        assert tweets.add(one, [tweet(1)]) == [1]
        assert tweets.add(other, [tweet(2)]) == [2]


def test_two_enqueues_of_the_same_tweets_store_each_once(postgresql: Database) -> None:
    with ThreadPoolExecutor(1) as other:
        with postgresql.write_session() as session:
            assert tweets.add(session, [tweet(2), tweet(1)]) == [2, 1]
            adding = other.submit(add, postgresql, tweet(1), tweet(2), tweet(3))
            wait_for_a_lock(postgresql)
        assert adding.result(30) == [3]


def test_words_that_two_versions_store_at_once_are_stored_once(postgresql: Database) -> None:
    add(postgresql, tweet(1), tweet(2), tweet(3))

    def add_words(*ids: int) -> None:
        with postgresql.write_session() as session:
            fulltext.add(session, dict.fromkeys(ids, "It's raining\tin \\London"))

    with ThreadPoolExecutor(1) as other:
        with postgresql.write_session() as session:
            fulltext.add(session, {2: "rain", 1: "rain"})
            adding = other.submit(add_words, 1, 2, 3)
            wait_for_a_lock(postgresql)
        adding.result(30)
    with postgresql.read_session() as session:
        assert set(session.scalars(fulltext.matching(session, "rain"))) == {1, 2}
        assert set(session.scalars(fulltext.matching(session, "raining london"))) == {3}


def test_tweets_are_looked_up_by_their_key_also_where_the_table_has_grown_since_it_was_analysed(
    postgresql: Database,
) -> None:
    with postgresql.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE tweets"))
    add(postgresql, *map(tweet, range(1, 5000)))
    read_whole = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'tweets'")
    with postgresql.write_session() as session:
        before = session.scalar(read_whole)
        assert tweets.add(session, [tweet(number) for number in range(4000, 6000)]) == list(range(5000, 6000))
        assert session.scalar(read_whole) == before


def test_a_row_of_add_is_what_is_read_from_a_file() -> None:
    assert tweet_json.Tweet._fields == tweets.COLUMNS


def copy_over_a_lost_connection(database: Database) -> None:
    """Copy rows whose first one comes after the server has ended the session."""

    def rows(backend: int) -> Iterator[tuple[Any, ...]]:
        with database.read_session() as other:
            assert other.scalar(select(func.pg_terminate_backend(backend, 10_000)))
        yield from (tweet(number, "long " * 100) for number in range(1, 10_000))

    with database.write_session() as session:
        backend = session.scalars(select(func.pg_backend_pid())).one()
        copy_rows(session, Tweet, tweets.COLUMNS, rows(backend))


def test_a_connection_that_is_lost_while_rows_are_copied_is_an_error_of_sqlalchemy(postgresql: Database) -> None:
    with pytest.raises(OperationalError):
        copy_over_a_lost_connection(postgresql)
    with postgresql.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Tweet)) == 0
