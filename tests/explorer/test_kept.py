"""Stories are kept while nothing is read and nobody edits, and told anew after that."""

from collections.abc import Iterator
from threading import Thread

import pytest
from fastapi.testclient import TestClient

from db import entity_edits
from db.coverage import Coverage, cover
from db.entity_lookup import look_up
from db.events import Event, count
from db.filters import Filter
from db.session import Database
from explorer import kept
from explorer.access import Access
from explorer.kept import Kept
from explorer.service import Service
from settings import read_settings
from tests.questions.world import World

PLAIN = Filter(model_version_id=1)


@pytest.fixture
def service(database: Database, world: World) -> Service:
    return Service(database, read_settings({}), Access())


@pytest.fixture
def numbers() -> Iterator[int]:
    return iter(range(100))


def coverage(database: Database) -> Coverage:
    with database.read_session() as session:
        return cover(session, PLAIN)


def test_the_same_is_told_once(service: Service, database: Database, numbers: Iterator[int]) -> None:
    covered = coverage(database)
    assert [service.told("a", covered, lambda _: next(numbers)) for _ in range(3)] == [0, 0, 0]
    assert service.told("b", covered, lambda _: next(numbers)) == 1


def test_an_edit_and_its_undoing_have_it_told_anew(
    service: Service, database: Database, numbers: Iterator[int]
) -> None:
    covered, found = coverage(database), []
    found.append(service.told("a", covered, lambda _: next(numbers)))
    with database.write_session() as session:
        edit = entity_edits.rename(session, look_up(session, "PER:ann", 1).id, "Anna", "a test").id
    found.append(service.told("a", covered, lambda _: next(numbers)))
    with database.write_session() as session:
        entity_edits.undo(session, edit, "a test")
    found.append(service.told("a", covered, lambda _: next(numbers)))
    assert found == [0, 1, 2]


def test_what_was_read_since_has_it_told_anew(service: Service, database: Database, numbers: Iterator[int]) -> None:
    before = coverage(database)
    after = Coverage(1, before.tweets, before.tweets_total + 1, before.mentions, before.mentions_total)
    assert [service.told("a", one, lambda _: next(numbers)) for one in (before, after)] == [0, 1]


def test_as_many_read_as_were_deleted_have_it_told_anew(
    service: Service, database: Database, numbers: Iterator[int]
) -> None:
    covered, found = coverage(database), []
    found.append(service.told("a", covered, lambda _: next(numbers)))
    with database.write_session() as session:
        count(session, "host:1/2", {Event.TWEETS_TAGGED: 1})
    found.append(service.told("a", covered, lambda _: next(numbers)))
    assert found == [0, 1]


def test_who_waited_for_a_turn_is_told_what_the_one_before_was(
    service: Service, database: Database, numbers: Iterator[int]
) -> None:
    covered, found = coverage(database), list[int]()
    with service.heavy(), service.heavy():  # both turns are taken
        waiting = Thread(target=lambda: found.append(service.told("a", covered, lambda _: next(numbers))))
        waiting.start()
        waiting.join(0.3)
        assert not found
    waiting.join(10)
    assert found == [service.told("a", covered, lambda _: next(numbers))] == [0]


def test_a_failure_is_not_kept(service: Service, database: Database) -> None:
    covered = coverage(database)
    with pytest.raises(ZeroDivisionError):
        service.told("a", covered, lambda _: 1 // 0)
    assert service.told("a", covered, lambda _: 1) == 1


def test_what_is_old_or_asked_for_seldom_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST", 2)
    answers = Kept()
    for name in "abc":
        answers.put(name, name.upper())
        assert answers.get("a") == "A"
    assert [answers.get(name) for name in "abc"] == ["A", None, "C"]  # "a" was asked for in between
    monkeypatch.setattr(kept, "_LASTS", 0.0)
    answers.put("d", "D")
    assert answers.get("d") is None


def test_a_page_shows_an_edit_at_once(reader: TestClient, database: Database, world: World) -> None:
    before = reader.get("/entity.json?name=PER:ann").json()["story"]
    with database.write_session() as session:
        entity_edits.rename(session, look_up(session, "PER:ann", 1).id, "Another Ann", "a test")
    after = reader.get("/entity.json?name=PER:ann").json()["story"]
    assert before["shown"] != after["shown"] == "Another Ann"
