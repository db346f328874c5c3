"""What may be changed through the API, by whom: enqueue, tag, merge, rename, hide, undo."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import func, select

import cli
from db import tweets
from db.session import Database
from db.tables import Batch, Tweet
from explorer import tagging_turns
from explorer.access import Access
from explorer.api.tag import _MOST_CHARACTERS
from tagging.spans import Span
from tests.explorer.conftest import TOKEN, Explorer
from tests.fake_tagger import FakeTagger
from tests.ledger_tools import new_version
from tests.processes import environment
from tests.questions.world import World
from tests.tiny import register_model
from worker import active_model

BEARER = {"Authorization": f"Bearer {TOKEN}"}
WRITES: dict[str, Any] = {
    "/api/tweets": [{"id": "1", "text": "Rain"}],
    "/api/tag": {"texts": ["Rain"]},
    "/api/entities/merge": {"entity": "ann", "into": "bob"},
    "/api/entities/rename": {"entity": "ann", "name": "Ann"},
    "/api/entities/hide": {"entities": ["ann"]},
    "/api/entities/undo": {"edit": 1},
}
GOOD = {"id": "7", "text": "Rain in London", "author": "ann"}
V1 = {"id_str": "8", "full_text": "Ann &amp; Bob", "user": {"screen_name": "cy"}}
V2 = {"data": [{"id": "9", "text": "Sun", "author_id": "5"}, {"id": "x", "text": "no id"}]}


@pytest.fixture
def bearer(explorer: Explorer) -> TestClient:
    """A program that has the token."""
    client = explorer(Access(TOKEN))
    client.headers.update(BEARER)
    return client


def stored(database: Database) -> dict[int, str]:
    with database.read_session() as session:
        return {row.id: row.text for row in session.execute(select(Tweet.id, Tweet.text))}


def test_nobody_changes_anything_without_the_token(
    explorer: Explorer, writer: TestClient, database: Database, world: World
) -> None:
    before = stored(database)
    reader, stranger = explorer(Access()), explorer(Access(TOKEN))
    for path, body in WRITES.items():
        assert reader.post(path, json=body, headers=BEARER).status_code == 403, path
        wrong = stranger.post(path, json=body, headers={"Authorization": "Bearer wrong"})
        assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer"), path
        assert writer.post(path, json=body).status_code == 401, f"{path}: a browser's session is no token"
    assert stored(database) == before


def test_tweets_of_every_format_are_enqueued_and_bad_ones_are_named(bearer: TestClient, database: Database) -> None:
    new_version(database)
    told = bearer.post("/api/tweets?name=a%00test&batch_size=2", json=[GOOD, V1, 5, V2["data"][0], {"id": "1"}]).json()
    assert {one: told[one] for one in ("added", "known", "deleted", "bad", "batches")} == {
        "added": 3, "known": 0, "deleted": 0, "bad": 2, "batches": 2,
    }  # fmt: skip
    assert [one["line"] for one in told["bad_rows"]] == [1, 1]
    assert [one["reason"][:16] for one in told["bad_rows"]] == ["[2]: 5 where a J", "[4]: the text is"]
    assert told["note"] == "they wait for a worker; start one: tweetspan worker"
    assert stored(database) == {7: "Rain in London", 8: "Ann & Bob", 9: "Sun"}
    assert bearer.get(f"/api/jobs/{told['job_id']}").json()["name"] == "a test"
    with database.read_session() as session:
        assert session.scalars(select(func.count()).select_from(Batch)).one() == 2


LINES = b"\n".join([json.dumps(GOOD).encode(), b'{"torn": ', json.dumps(V2).encode(), b"\xff", json.dumps(V1).encode()])
CSV = b'id,text,author\n7,"Rain, and ""rain""",ann\nx,no id,\n8,Sun,\n'


@pytest.mark.parametrize(("body", "query"), [(LINES, ""), (CSV, ""), (CSV, "?format=csv"), (LINES, "?format=v2")])
def test_the_summary_is_that_of_the_command(
    bearer: TestClient, database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    body: bytes, query: str,
) -> None:  # fmt: skip
    new_version(database)
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    with database.write_session() as session:
        tweets.delete(session, {9})
    told = bearer.post(f"/api/tweets{query}", content=body, headers={"Content-Type": "application/x-ndjson"}).json()
    kept = stored(database)
    with database.write_session() as session:
        for one in kept:
            session.delete(session.get(Tweet, one))
    form = ["--format", query.partition("=")[2]] if query else []
    printed = CliRunner().invoke(cli.main, ["enqueue", "--json", *form, "-"], input=body)
    summary = json.loads(printed.stdout)
    assert {**told, "job_id": None} == {**told, **summary, "job_id": None}
    assert stored(database) == kept
    assert [f"-:{one['line']}: {one['reason']}" for one in told["bad_rows"]] == printed.stderr.splitlines()


UNUSABLE = [
    b"", b" \n", b"[]", b"5", b"null", b'{"id": 1}', b'{"id": 1, "text": "a \\u0000"}', b'{"id": 1, "text": "\\ud800"}',
    b"\x1f\x8b\x08", b"a,b\n1,2\n",
]  # fmt: skip


def test_a_request_without_a_usable_tweet_is_refused(bearer: TestClient, database: Database) -> None:
    for body in UNUSABLE:
        answer = bearer.post("/api/tweets", content=body)
        assert (answer.status_code, list(answer.json())) == (400, ["error"]), body
    assert stored(database) == {}


def test_bad_rows_are_counted_beyond_those_listed(bearer: TestClient, database: Database) -> None:
    told = bearer.post("/api/tweets", content=json.dumps(GOOD).encode() + b"\n{}" * 1200).json()
    assert (told["added"], told["bad"], len(told["bad_rows"])) == (1, 1200, 1000)


def test_a_model_tags_as_the_command_does(
    bearer: TestClient, database: Database, database_url: str, model_folder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(active_model, "_loaded", {})
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    version = register_model(database, model_folder)
    texts = ["Ana met Bob in Paris", '<b>"&amp;\u202e\0🎉', " "]
    told = bearer.post("/api/tag", json={"texts": texts, "min_score": ["0.3", "PER=0.5"]})
    asked = ["tag", *texts, "--json", "--min-score", "0.3", "--min-score", "PER=0.5"]
    printed = CliRunner().invoke(cli.main, asked)
    assert told.json() == [json.loads(line) for line in printed.stdout.splitlines()]
    assert [one["text"] for one in told.json()] == texts
    assert any(one["spans"] for one in told.json())
    assert bearer.post("/api/tag", json={"texts": texts, "model": str(version + 1)}).status_code == 404


def test_too_long_texts_are_refused(bearer: TestClient, world: World) -> None:
    told = bearer.post("/api/tag", json={"texts": ["x" * _MOST_CHARACTERS, "y"]})
    assert (told.status_code, "200,001 characters" in told.json()["error"]) == (400, True)
    assert bearer.post("/api/tag", json={"texts": []}).status_code == 422
    assert bearer.post("/api/tag", json={"texts": ["x"] * 501}).status_code == 422


class SlowTagger(FakeTagger):
    """Tags when it may go on; notes when it began."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_go_on, self.busy = Event(), Event(), False

    def tag(self, texts: Sequence[str], progress: Callable[[], None] | None = None) -> list[list[Span]]:
        assert not self.busy, "two texts are tagged at once"
        self.busy = True
        self.began.set()
        assert self.may_go_on.wait(60)
        self.busy = False
        return super().tag(texts)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_is_tagged_at_a_time_some_wait_and_pages_go_on(
    bearer: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowTagger()
    monkeypatch.setattr(active_model, "tagger_for", lambda *_: slow)
    with bearer, ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(bearer.post, "/api/tag", json={"texts": ["Ann"]}) for _ in range(7)]
        refused = [one.result(60) for one in islice(as_completed(asked), 2)]  # the others wait for their turn
        assert slow.began.wait(60)
        assert bearer.get("/api/entities/top").status_code == 200
        slow.may_go_on.set()
        answers = [one.result(60).status_code for one in asked]
    assert sorted(answers) == [200] * 5 + [503] * 2
    assert all(one.headers["retry-after"] for one in refused)


def test_no_turn_comes_while_one_takes_too_long(
    bearer: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active_model, "tagger_for", lambda *_: FakeTagger())
    monkeypatch.setattr(tagging_turns, "_PATIENCE", 0.01)
    with tagging_turns._TURN:
        told = bearer.post("/api/tag", json={"texts": ["Ann"]})
    assert (told.status_code, "no turn came" in told.json()["error"]) == (503, True)
    assert bearer.post("/api/tag", json={"texts": ["Ann"]}).status_code == 200


def test_entities_are_merged_renamed_hidden_and_all_of_it_undone(
    bearer: TestClient, database: Database, world: World
) -> None:
    before = bearer.get("/api/entities/top?limit=50").json()["rows"]
    said = {"who": "ann\0", "why": "a \0 test"}
    [merged] = bearer.post("/api/entities/merge", json={"entity": "LOC:bob", "into": "ORG:bob", **said}).json()
    assert [merged[one] for one in ("kind", "entity", "to", "who")] == ["merge", "LOC:bob", "ORG:bob", "ann"]
    assert merged["why"] == "a   test"
    [renamed] = bearer.post("/api/entities/rename", json={"entity": "bob", "name": "<b>Bob</b>"}).json()
    hidden = bearer.post("/api/entities/hide", json={"entities": ["PER:london", "ORG:london"]}).json()
    assert [one["kind"] for one in hidden] == ["hide", "hide"]
    assert bearer.post("/api/entities/hide", json={"entities": ["PER:london"]}).json() == []
    assert bearer.get("/api/entities/edits").json()[:4] == [*hidden, renamed, merged]
    assert bearer.get("/api/entities/top?limit=50").json()["rows"] != before
    for one in (merged, renamed, *hidden):
        [undone] = bearer.post("/api/entities/undo", json={"edit": one["edit"], "who": "bob"}).json()
        assert undone["undone"].endswith(" by bob")
    assert bearer.get("/api/entities/top?limit=50").json()["rows"] == before


REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("merge", {"entity": "ann", "into": "nobody"}, 404),
    ("merge", {"entity": "ann", "into": "PER:ann"}, 400),
    ("rename", {"entity": "ann", "name": " \0"}, 400),
    ("hide", {"entities": ["bob", "nobody"]}, 404),
    ("undo", {"edit": 99}, 400),
    ("undo", {"edit": 2**63}, 422),
]


def test_what_cannot_be_said_changes_nothing(bearer: TestClient, world: World) -> None:
    before = bearer.get("/api/entities/edits").json()
    for path, body, status in REFUSED:
        answer = bearer.post(f"/api/entities/{path}", json=body)
        assert (answer.status_code, list(answer.json())) == (status, ["error"]), (path, body)
    assert bearer.get("/api/entities/edits").json() == before
