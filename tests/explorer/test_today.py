"""The page *Today*, against brute force and the digest."""

import re

import pytest
from fastapi.testclient import TestClient

from answers.digests import for_programs
from db.filters import Filter
from db.questions.digest import digest_period
from db.questions.newcomers import newcomers
from db.questions.top import top
from db.questions.trending import windows
from db.session import Database
from explorer.pages import today
from explorer.service import Service
from tagging.errors import TooSlowError
from tests.questions.world import NOON, World


def test_page_and_twin_show_the_newest_day(reader: TestClient, database: Database, world: World) -> None:
    with database.read_session() as session:
        window, _ = windows(session, Filter(model_version_id=1))
        expected, digest = top(session, window, 15), for_programs(digest_period(session, window))
    told = reader.get("/today.json").json()
    assert [(one["entity"], one["mentions"]) for one in told["top"]] == [(one.shown, one.mentions) for one in expected]
    assert told["digest"]["stories"] == digest["stories"]
    assert told["why"] is None
    page = reader.get("/today").text
    table = page[page.index("Mentioned most") : page.index("<h2>New")]
    numbers = re.findall(r'<td class="number">([\d,]+)</td><td class="number">([\d,]+)</td><td><svg', table)
    assert [(int(one), int(other)) for one, other in numbers] == [(one.mentions, one.tweets) for one in expected]
    assert reader.get("/", follow_redirects=False).headers["location"] == "/today"
    assert len(reader.get("/today.csv").text.splitlines()) == 1 + len(expected)


def test_new_is_what_no_earlier_day_mentions(database: Database, world: World) -> None:
    since = NOON.replace(hour=0)
    window = Filter(model_version_id=1, since=since)
    before = {one.key for one in world.mentions(Filter(model_version_id=1, until=since, hidden=True))}
    now = {one.key for one in world.mentions(window)}
    with database.read_session() as session:
        found = {(one.name, one.label) for one in newcomers(session, window, 1000)}
        later = Filter(model_version_id=1, since=NOON)  # within the day: what the morning mentioned is none
        assert {(one.name, one.label) for one in newcomers(session, later, 1000)} <= now
    assert found == {key for key in now - before if world_first(world, key) is not None}


def world_first(world: World, key: tuple[str, str]) -> object:
    """Return the first time of a key's mentions that have one."""
    found = world.mentions(Filter(model_version_id=1, hidden=True))
    return min((one.tweet.created_at for one in found if one.key == key and one.tweet.created_at), default=None)


def test_stories_that_take_too_long_leave_the_rest(
    reader: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> None:
        raise TooSlowError("the answer takes more than 10 s")

    monkeypatch.setattr(today, "digest_period", slow)
    page = reader.get("/today").text
    assert "What is trending, and the stories, are not told: the answer takes more than 10 s" in page
    assert "Mentioned most" in page
    assert reader.get("/today.json").json()["digest"] is None


def test_an_empty_window_says_so(reader: TestClient, world: World) -> None:
    answer = reader.get("/today?since=1999-01-01&until=1999-01-02")
    assert (answer.status_code, "Nothing is mentioned in this time" in answer.text) == (200, True)


def test_an_empty_database_says_what_to_do(reader: TestClient, database: Database) -> None:
    answer = reader.get("/today")
    assert (answer.status_code, "tweetspan train" in answer.text) == (200, True)


def test_a_question_is_broken_off(database: Database) -> None:
    from sqlalchemy import text

    from explorer.access import Access
    from settings import read_settings

    service = Service(database, read_settings({}), Access(), seconds=0.2)
    endless = {
        "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(60)",
    }
    with pytest.raises(TooSlowError, match=r"more than 0\.2 s"), service.heavy() as session:
        session.execute(text(endless[session.get_bind().dialect.name]))
    with service.heavy() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1


def test_at_the_ends_of_the_calendar(reader: TestClient, world: World) -> None:
    assert reader.get("/today?since=9999-12-31&until=9999-12-31T23:59:59").status_code == 200
    answer = reader.get("/today?since=0001-01-01&until=0001-01-02")
    assert answer.status_code == 400
    assert "there is no time before that window" in answer.text
