"""What the main questions cost: the plans of the statements that they really run, in tables of some size."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.orm import Session

from db import counts, spans, tweets
from db.bulk import copy_rows
from db.coverage import cover
from db.entity_lookup import look_up, members, shown_names
from db.filters import Filter, mentions, read_tweets
from db.questions.top import top
from db.session import Database, open_database
from db.tables import Annotation
from db.tables import Span as SpanRow
from tests.questions.world import NOON, World, add_version, entity_id, hide, merge

TWEETS, ENTITIES = 24_000, 6_000
PLAIN = Filter(model_version_id=1)
HOUR = Filter(model_version_id=1, since=NOON, until=NOON + timedelta(hours=1))
COLUMNS = tuple(SpanRow.__table__.c.keys())
Plan = list[dict[str, Any]]  # the nodes of a statement's plan


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with two mentions in each of many tweets, of entities of which few are frequent, analysed."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'test.db'}"
    else:
        url = fresh_database(request.getfixturevalue("postgresql_server"))
    opened = open_database(url)
    fill(opened)
    yield opened
    opened.close()


def fresh_database(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS plans WITH (FORCE)")
        connection.execute("CREATE DATABASE plans")
    return urlsplit(server)._replace(scheme="postgresql+psycopg", path="/plans").geturl()


def fill(database: Database) -> None:
    random, (first, second) = Random(3), (add_version(database), add_version(database))
    with database.write_session() as session:
        keys = [(f"name {number}", "PER" if number % 2 else "LOC") for number in range(ENTITIES)]
        ids = list(spans.look_up_entities(session, keys).values())
        rows = [
            (one, "RT " * 10, NOON + timedelta(minutes=one - TWEETS // 2), None, "en", None) for one in range(TWEETS)
        ]
        tweets.add(session, rows)
        for version_id in (first, second):
            marks = [(one, version_id, "done", 0.0, None) for one in range(TWEETS)]
            copy_rows(session, Annotation, ("tweet_id", "model_version_id", "status", "annotated_at", "error"), marks)
            found = []
            for one in range(TWEETS):
                for start in (0, 3):
                    index = min(int(random.paretovariate(0.5)), ENTITIES) - 1
                    label = keys[index][1]
                    found.append((one, version_id, start, start + 2, label, f"Name {index}", 0.5, ids[index]))
            copy_rows(session, SpanRow, COLUMNS, found)
            session.execute(text("ANALYZE"))
            counts.add(session, version_id, range(TWEETS), [(row[0], row[7], row[4]) for row in found])
    merge(database, World(), ("name 0", "LOC"), ("name 1", "PER"))
    hide(database, World(), ("name 2", "LOC"))
    with database.write_session() as session:
        session.execute(text("ANALYZE"))


@contextmanager
def recorded(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that a function runs, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def remember(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        seen.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", remember)
    yield seen
    event.remove(session.get_bind(), "before_cursor_execute", remember)


def plans(database: Database, ask: Callable[[Session], Any]) -> list[Plan]:
    """Run a question, and return the plan of each of its statements."""
    with database.read_session() as session:
        with recorded(session) as seen:
            ask(session)
        return [explain(session, *one) for one in seen]


def explain(session: Session, statement: str, parameters: Any) -> Plan:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [{"detail": row[3]} for row in rows]
    [[[plan]]] = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).all()
    return list(nodes(plan["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def rows_of(plan: Plan, table: str) -> int:
    """How many rows of a table PostgreSQL read, those included that a filter threw away."""
    return sum(
        int((one["Actual Rows"] + one.get("Rows Removed by Filter", 0)) * one["Actual Loops"])
        for one in plan
        if one.get("Relation Name") == table
    )


def uses(plan: Plan, index: str) -> bool:
    return any(one.get("Index Name") == index or f"INDEX {index} " in one.get("detail", "") for one in plan)


def scanned(plan: Plan) -> set[str]:
    """The tables that are read from end to end."""
    on_postgresql = {one["Relation Name"] for one in plan if one.get("Node Type") == "Seq Scan"}
    details = [one.get("detail", "").split() for one in plan]
    return on_postgresql | {words[1] for words in details if words[:1] == ["SCAN"] and "INDEX" not in words}


def is_postgresql(database: Database) -> bool:
    return database.engine.dialect.name == "postgresql"


BIG = {"spans", "tweets", "annotations", "entity_counts", "entities"}


def test_top_reads_the_counts_by_their_index(filled: Database) -> None:
    found = plans(filled, lambda session: top(session, PLAIN, limit=10))
    assert not BIG & {table for plan in found for table in scanned(plan)}
    by_count = [plan for plan in found if uses(plan, "ix_entity_counts_top")]
    assert len(by_count) == 4, "one for each label"
    if is_postgresql(filled):
        assert max(rows_of(plan, "entity_counts") for plan in by_count) < 100
        assert max(rows_of(plan, "entities") for plan in by_count) < 100


def test_the_shown_name_is_counted_in_so_many_mentions_at_most(filled: Database) -> None:
    with filled.read_session() as session:
        [most, *_] = top(session, Filter(model_version_id=1, label="LOC", hidden=True), limit=1)
        assert most.mentions > 3000
    found = plans(filled, lambda session: shown_names(session, PLAIN, [most.entity_id]))
    assert any(uses(plan, "ix_spans_entity_id_model_version_id_tweet_id") for plan in found)
    if is_postgresql(filled):
        assert 0 < max(rows_of(plan, "spans") for plan in found) <= 1100


@pytest.mark.parametrize("chosen", [PLAIN, Filter(model_version_id=1, language="en", since=NOON - timedelta(days=5))])
def test_a_rare_entity_costs_what_its_mentions_cost(filled: Database, chosen: Filter) -> None:
    rare = entity_id(filled, ("name 5000", "LOC"))

    def ask(session: Session) -> None:
        of_it = mentions(session, chosen, members(session, rare))
        session.execute(select(func.count(), func.min(of_it.c.tweet_id)).select_from(of_it))

    found = plans(filled, ask)
    assert uses(found[-1], "ix_spans_entity_id_model_version_id_tweet_id")
    assert not BIG & {table for plan in found for table in scanned(plan)}
    if is_postgresql(filled):
        assert rows_of(found[-1], "spans") < 100


@pytest.mark.parametrize("ask", [
    lambda session: session.scalar(read_tweets(session, HOUR, func.count())),
    lambda session: top(session, HOUR),
    lambda session: cover(session, HOUR),
])  # fmt: skip
def test_a_window_goes_by_the_time(filled: Database, ask: Callable[[Session], Any]) -> None:
    found = plans(filled, ask)
    assert any(uses(plan, "ix_tweets_created_at") for plan in found)
    assert not BIG - {"entities"} & {table for plan in found for table in scanned(plan)}
    if is_postgresql(filled):
        assert max(rows_of(plan, "spans") for plan in found) < 10_000  # a thousand for each name that is shown
        assert max(rows_of(plan, "tweets") for plan in found) < 100


@pytest.mark.parametrize("chosen", [PLAIN, Filter(model_version_id=1, label="PER")])
def test_what_a_plain_answer_covers_is_read_from_the_counts(filled: Database, chosen: Filter) -> None:
    found = plans(filled, lambda session: cover(session, chosen))
    assert not {"spans", "tweets", "annotations", "entity_counts"} & {
        table for plan in found for table in scanned(plan)
    }
    if is_postgresql(filled):
        assert sum(rows_of(plan, "spans") for plan in found) == 0


def test_an_entity_is_looked_up_by_its_name(filled: Database) -> None:
    found = plans(filled, lambda session: look_up(session, "name 77", 1))
    assert any(uses(plan, "uq_entities_name_label") or uses(plan, "sqlite_autoindex_entities_1") for plan in found)
    assert not BIG & {table for plan in found for table in scanned(plan)}
