"""The page *Queue*: its numbers, and what those may do who have the token."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

import cli
from db import spans
from db.session import Database
from tests.explorer.conftest import TOKEN
from tests.explorer.test_access import form_key
from tests.ledger_tools import claim, enqueue_tweets, marks_of, new_version
from tests.processes import environment

ERROR = 'OSError: <b>"full"</b> & more'


@pytest.fixture
def work(database: Database) -> int:
    """A job of ten tweets in three batches, one of them leased, two tweets dead; return its number."""
    version = new_version(database)
    job = enqueue_tweets(database, range(1, 11), 4)
    with database.write_session() as session:
        spans.mark_dead(session, version, [1, 2], ERROR)
        assert claim(session, 1) is not None
    return job


def cell(page: str, name: str) -> str:
    found = re.search(rf'<tr><th scope="row">{name}</th><td class="number">([^<]*)</td>', page)
    assert found is not None, name
    return found[1]


def test_page_twin_and_command_say_the_same(
    reader: TestClient, database_url: str, work: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    told = reader.get("/queue.json").json()
    printed = CliRunner().invoke(cli.main, ["status", "--json"])
    moving = ("oldest_waiting_seconds", "tweets_per_second", "workers")
    status = json.loads(printed.stdout)
    assert {**told["status"], **dict.fromkeys(moving)} == {**status, **dict.fromkeys(moving)}
    assert told["jobs"] == json.loads(CliRunner().invoke(cli.main, ["jobs", "list", "--json"]).stdout)
    assert told["failures"] == json.loads(CliRunner().invoke(cli.main, ["failures", "list", "--json"]).stdout)
    page = reader.get("/queue").text
    assert cell(page, "tweets stored") == "10"
    assert cell(page, "waiting or being tagged") == "10"
    assert (cell(page, "batches waiting"), cell(page, "batches leased")) == ("2", "1")
    assert cell(page, "dead for version 1") == "2"
    assert ERROR in unescape(page)
    assert ERROR not in page
    assert "2 tweets could not be tagged, for 1 reason" in page
    assert "2 batches are waiting and no worker runs" in page


def test_readers_see_no_buttons(reader: TestClient, work: int) -> None:
    page = reader.get("/queue").text
    assert "Cancel" not in page
    assert "<form" not in page
    for path, data in (("/queue/cancel", {"job": work}), ("/queue/requeue", {"reason": ERROR, "version": 1})):
        assert reader.post(path, data=data).status_code == 403


def test_failures_are_queued_again(writer: TestClient, database: Database, work: int) -> None:
    data = {"reason": ERROR, "version": 1}
    assert writer.post("/queue/requeue", data=data).status_code == 401
    assert writer.post("/queue/requeue", data=data, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 401
    answer = writer.post("/queue/requeue", data=data | {"form_key": form_key(writer)})
    assert "2 tweets queued again; they wait for a worker" in answer.text
    assert marks_of(database, 1) == {}
    assert writer.get("/queue.json").json()["jobs"][0]["waiting"] == 2
    again = writer.post("/queue/requeue", data=data | {"form_key": form_key(writer)})
    assert "0 tweets queued again; they were queued or forgotten meanwhile" in again.text


def test_a_job_is_cancelled(writer: TestClient, work: int) -> None:
    answer = writer.post("/queue/cancel", data={"job": work, "form_key": form_key(writer)})
    assert f"job {work}: 2 batches taken out of the queue" in answer.text
    assert writer.get("/queue.json").json()["jobs"][0]["state"] == "cancelled"
    assert writer.post("/queue/cancel", data={"job": 99, "form_key": form_key(writer)}).status_code == 404


def test_no_link_can_put_words_into_its_mouth(writer: TestClient, work: int) -> None:
    assert "pay here" not in writer.get("/queue?said=pay+here.abc.def").text


def test_it_watches_only_when_asked(reader: TestClient, work: int) -> None:
    assert 'http-equiv="refresh"' not in reader.get("/queue").text
    assert 'http-equiv="refresh"' in reader.get("/queue?watch=true").text
    assert reader.get("/queue.csv").text.startswith("job_id,name,created_at,state,waiting")
