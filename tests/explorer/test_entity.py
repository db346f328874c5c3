"""The page of one entity, against the questions it is made from; and what may be said about entities there."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

import cli
from db import entity_edits
from db.entity_lookup import look_up
from db.filters import Filter
from db.questions.show import show
from db.session import Database
from tests.explorer.conftest import TOKEN
from tests.explorer.test_access import form_key
from tests.processes import environment
from tests.questions.world import World

Run = Callable[..., Result]

PLAIN = Filter(model_version_id=1)
EDITS = [
    ("/entity/merge", {"name": "PER:bob", "into": "PER:ann"}),
    ("/entity/rename", {"name": "PER:bob", "to": "Robert"}),
    ("/entity/hide", {"name": "PER:bob"}),
]


def edits(database: Database) -> list[tuple[str, str, str | None, bool]]:
    with database.read_session() as session:
        return [(one.kind, one.entity, one.who, one.undone_at is not None) for one in entity_edits.all_edits(session)]


@pytest.fixture
def bob(database: Database, world: World) -> None:
    """A world in which "PER:bob" and "PER:ann" count for themselves, whatever was said before."""
    with database.write_session() as session:
        for one in entity_edits.all_edits(session):
            if one.undone_at is None:
                entity_edits.undo(session, one.id, "a test")


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of `tweetspan entities` over what the explorer shows."""
    for name, value in environment(tmp_path / "home", database_url).items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(cli.main, ["entities", *arguments])


def test_page_and_twin_say_what_is_known(reader: TestClient, database: Database, bob: None) -> None:
    with database.read_session() as session:
        found = show(session, look_up(session, "PER:bob", 1).id, PLAIN)
    assert found.mentions
    told = reader.get("/entity.json?name=PER:bob").json()
    assert (told["rows"][0]["mentions"], told["rows"][0]["tweets"]) == (found.mentions, found.tweets)
    assert sum(one["mentions"] for one in told["timeline"]) <= found.mentions
    assert told["story"]["counts"]["mentions"] == found.mentions
    page = reader.get("/entity?name=PER:bob").text
    assert f"{found.mentions} mentions in {found.tweets} tweets" in re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page))
    assert "<svg viewBox" in page or '<svg class="chart' in page
    rows = reader.get("/entity/timeline.json?name=PER:bob").json()["rows"]
    assert len(reader.get("/entity/timeline.csv?name=PER:bob").text.splitlines()) == 1 + len(rows)


def test_peaks_lead_to_their_tweets(reader: TestClient, bob: None) -> None:
    page = reader.get("/entity?name=PER:bob").text
    links = re.findall(r'href="(/tweets\?[^"]*since=[^"]*)"', page)
    assert links
    for link in set(links):
        shown = reader.get(link.replace("&amp;", "&"))
        assert shown.status_code == 200
        assert "/tweet?id=" in shown.text


def test_an_unknown_entity_is_named_with_like_ones(reader: TestClient, bob: None) -> None:
    answer = reader.get("/entity?name=PER:bobb")
    assert (answer.status_code, "no entity is called" in answer.text) == (404, True)


@pytest.mark.parametrize(("path", "data"), EDITS)
def test_only_a_form_of_who_signed_in_changes_anything(
    writer: TestClient, database: Database, bob: None, path: str, data: dict[str, str]
) -> None:
    before = edits(database)
    key = form_key(writer)
    for wrong, headers in (
        ({}, {}),
        ({"form_key": "0" * 81}, {}),
        ({"form_key": key}, {"sec-fetch-site": "cross-site"}),
    ):
        assert writer.post(path, data=data | wrong, headers=headers).status_code == 401
    assert writer.post(path, data=data, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 401
    assert edits(database) == before
    answer = writer.post(path, data=data | {"form_key": key, "who": "eve", "why": "because"})
    assert answer.status_code == 200
    assert edits(database)[0] == (path.rpartition("/")[2], "PER:bob", "eve", False)
    number = len(before) + 1
    undone = writer.post("/entity/undo", data={"edit": number, "form_key": form_key(writer), "who": "eve"})
    assert undone.status_code == 200
    assert edits(database)[0][3]


@pytest.mark.parametrize(("path", "data"), EDITS)
def test_readers_change_nothing(
    reader: TestClient, database: Database, bob: None, path: str, data: dict[str, str]
) -> None:
    before = edits(database)
    assert reader.post(path, data=data).status_code == 403
    assert edits(database) == before
    page = reader.get("/entity?name=PER:bob").text
    assert 'method="post"' not in page


def test_suggestions_and_history_are_shown(reader: TestClient, writer: TestClient, bob: None) -> None:
    for path in ("/suggestions", "/edits"):
        assert reader.get(path).status_code == 200
        assert writer.get(path).status_code == 200


def asked_twice(
    client: TestClient, run: Run, command: str, path: str, query: str = "", options: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the rows of an answer over HTTP, which are those of the command."""
    answer = client.get(f"{path}?name=PER:bob{query}").json()
    printed = json.loads(run(command, "PER:bob", *options, "--json").stdout)
    assert (answer["covers"], answer["rows"]) == (printed["covers"], printed["rows"])
    return list(answer["rows"])


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", []),
        ("&kind=plain&min_score=0.4", ["--kind", "plain", "--min-score", "0.4"]),
        ("&model=2&since=2026-02-28&originals=true", ["--model", "2", "--since", "2026-02-28", "--originals"]),
    ],
)
def test_numbers_are_those_of_the_commands(
    reader: TestClient, run: Run, world: World, query: str, options: list[str]
) -> None:
    found = reader.get(f"/entity.json?name=PER:bob{query}").json()
    [row] = asked_twice(reader, run, "show", "/entity.json", query, options)
    for by in ("hour", "day", "week"):
        rows = asked_twice(reader, run, "timeline", "/entity/timeline.json", f"{query}&by={by}", [*options, "--by", by])
        if by == found["by"]:
            lived = [one for one in rows if found["timeline"][0]["start"] <= one["start"] <= row["last_seen"]]
            assert found["timeline"] == lived
            assert lived[-1]["mentions"]
    minimum = ["--minimum", str(found["minimum"])]
    assert found["related"] == json.loads(run("related", "PER:bob", *options, *minimum, "--json").stdout)["rows"]
    assert found["related"]
    assert found["context"] == json.loads(run("context", "PER:bob", *options, "--json").stdout)["rows"]
    merges = [one for one in json.loads(run("edits", "--json").stdout) if one["kind"] == "merge"]
    assert found["edits"] == merges != []
    digest = CliRunner().invoke(cli.main, ["digest", "PER:bob", *options, "--format", "json"])
    assert found["story"] == json.loads(digest.stdout)["story"]
    page = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", reader.get(f"/entity?name=PER:bob{query}").text))
    assert f"{row['mentions']} mentions in {row['tweets']} tweets, {row['share_of_tweets']:.2%} of the" in page
