"""What a person says of entities by forms: where the forms lead, what the answers are then, and how it is undone."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from db import model_versions
from db.session import Database
from tests.explorer.test_access import form_key
from tests.questions.world import random_world


@pytest.fixture
def client(writer: TestClient, database: Database) -> TestClient:
    """A browser that has signed in, over a world of which nobody has said anything."""
    random_world(database, edited=False)
    with database.write_session() as session:
        model_versions.activate(session, 1)
    return writer


def send(client: TestClient, path: str, **data: Any) -> str:
    """Send a form; return where it leads."""
    answer = client.post(path, data={"form_key": form_key(client), **data}, follow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["location"]


def details(client: TestClient, name: str) -> dict[str, Any]:
    [row] = client.get("/entity.json", params={"name": name}).json()["rows"]
    return dict(row)


def said(client: TestClient) -> list[dict[str, Any]]:
    return list(client.get("/edits.json").json()["rows"])


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page)))


def fields_of(client: TestClient, page: str, action: str) -> dict[str, str]:
    """Return what the first form of a page that goes there holds."""
    form = re.search(rf'action="{action}".*?</form>', client.get(page).text, re.DOTALL)
    assert form is not None
    return {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[0])}


def test_a_merge_leads_to_the_entity_that_both_are_from_then_on(client: TestClient) -> None:
    one, other = details(client, "PER:ann"), details(client, "PER:bob")
    there = send(client, "/entity/merge?kind=plain", name="PER:ann", into="PER:bob", who="eve", why="one\0person")
    asked = parse_qs(urlsplit(there).query)
    assert (asked["name"], asked["kind"], asked["edit"]) == (["PER:bob"], ["plain"], ["1"])
    assert "Edit 1: PER:ann counts for PER:bob." in text_of(client.get(there).text)
    both = details(client, "PER:bob")
    assert details(client, "PER:ann") == both
    assert (both["mentions"], both["aliases"]) == (one["mentions"] + other["mentions"], {"PER:ann": one["mentions"]})
    [edit] = client.get("/entity.json?name=PER:ann").json()["edits"]
    assert (edit["who"], edit["why"], edit["to"]) == ("eve", "one person", "PER:bob")


def test_what_was_said_is_undone_from_the_page_that_says_it(client: TestClient) -> None:
    before = details(client, "PER:ann")
    send(client, "/entity/merge", name="PER:ann", into="PER:bob")
    fields = fields_of(client, "/entity?name=PER:bob", "/entity/undo")
    assert "Edit 1 is undone" in text_of(client.get(send(client, "/entity/undo", **fields)).text)
    assert details(client, "PER:ann") == before
    again = client.post("/entity/undo", data=fields)
    assert (again.status_code, "was undone before" in again.text) == (400, True)
    [edit] = said(client)
    assert (edit["entity"], edit["who"], edit["undone"] is None) == ("PER:ann", "explorer", False)


def test_a_new_name_and_the_old_one_lead_to_the_same(client: TestClient) -> None:
    name = "Bob <b>& co</b> 🦜"
    there = send(client, "/entity/rename", name="PER:bob", to=f"  {name} ")
    assert "<h1>Bob &lt;b&gt;&amp; co&lt;/b&gt; 🦜 (PER)</h1>" in client.get(there).text
    assert details(client, name) == details(client, "PER:bob")
    assert details(client, "PER:bob")["entity"] == name
    empty = client.post("/entity/rename", data={"name": "PER:bob", "to": " \0", "form_key": form_key(client)})
    assert (empty.status_code, "is empty" in empty.text) == (400, True)


def test_who_is_hidden_counts_where_one_asks_for_the_hidden(client: TestClient) -> None:
    before = details(client, "PER:bob")
    page = client.get(send(client, "/entity/hide", name="PER:bob")).text
    assert "This entity is hidden" in text_of(page)
    assert (details(client, "PER:bob")["mentions"], details(client, "PER:bob")["hidden"]) == (0, True)
    link = re.search(r'href="([^"]*hidden=true[^"]*)"', page)
    assert link is not None
    assert f"{before['mentions']} mentions in {before['tweets']} tweets" in text_of(client.get(unescape(link[1])).text)
    send(client, "/entity/hide", name="PER:bob")
    assert len(said(client)) == 1


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("/entity/merge", {"name": "PER:bob", "into": "PER:@Bob"}, 400, "the two are one entity already"),
    ("/entity/merge", {"name": "PER:bob", "into": "PER:nobody"}, 404, "no entity is called"),
    ("/entity/merge", {"name": "PER:bob", "into": "PER:ann", "back": "//evil.example"}, 422, "back"),
    ("/entity/merge", {"name": "PER:bob"}, 422, "into"),
    ("/entity/hide", {"name": "x" * 2001}, 422, "name"),
    ("/entity/undo", {"edit": 7}, 400, "there is no edit 7"),
    ("/entity/undo", {"edit": 2**63}, 422, "edit"),
]


def test_what_cannot_be_done_is_told_and_not_done(client: TestClient) -> None:
    key = form_key(client)
    for path, data, status, told in REFUSED:
        answer = client.post(path, data={**data, "form_key": key})
        assert (answer.status_code, told in text_of(answer.text)) == (status, True), (path, data)
    assert said(client) == []


def test_a_suggestion_is_taken_by_its_button(client: TestClient) -> None:
    pairs = client.get("/suggestions.json?name=PER:ann").json()["rows"]
    assert {one[side] for one in pairs for side in ("entity", "into")} == {"PER:ann", "LOC:ann", "ORG:ann"}
    there = send(client, "/entity/merge", **fields_of(client, "/suggestions?name=PER:ann", "/entity/merge"))
    assert there == "/suggestions?edit=1"
    assert f"Edit 1: {pairs[0]['entity']} counts for {pairs[0]['into']}." in text_of(client.get(there).text)
    assert pairs[0] not in client.get("/suggestions.json?limit=1000").json()["rows"]
