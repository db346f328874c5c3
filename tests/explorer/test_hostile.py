"""Tweets are shown as text, whatever they hold: on every page, in every twin, as names of entities, in addresses."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from answers.wording import clean
from db import spans
from db.session import Database
from explorer.access import Access
from explorer.app import _ROUTERS
from tests.explorer.conftest import TOKEN, Explorer
from tests.explorer.hostile import LONG, NAMES, NamesTagger, Seen, key, look_at
from tests.fake_tagger import drain
from tests.ledger_tools import new_version
from tests.questions.world import add_version

HARMLESS = tuple(f"name {place}" for place in range(8))
FIELDS = ("text", "label", "since", "until", "language", "author", "min_score", "model", "kind", "originals", "limit")


def addresses(names: Sequence[str], first: int) -> list[str]:
    """Return every page, with what a tweet, or whoever made a link, may have put into its address.

    A page that is missing here fails `test_no_page_is_left_out`. Tweets have the ids from `first` on.
    """
    keys, ids = [quote(key(name, place)) for place, name in enumerate(names)], range(first, first + len(names) + 2)
    text = quote(names[1])
    return [
        "/today",
        f"/today?author={text}",
        "/entities",
        *(f"/entities?{name}={text}" for name in FIELDS),
        f"/entities?author={quote(names[0])}&hidden=true&limit=100",
        "/tweets?limit=100",
        *(f"/tweets?author={quote(name)}" for name in names),
        *(f"/tweets?mentions={one}" for one in keys),
        f"/tweets?mentions={text}&after={text}",
        *(f"/tweet?id={number}" for number in (*ids, text)),
        "/today",
        *(f"/today?{name}={text}" for name in FIELDS),
        *(f"/entity?name={one}" for one in (*keys, text)),
        f"/entity?name={keys[0]}&edit={text}",
        "/edits",
        f"/edits?edit={text}",
        "/suggestions",
        "/models",
        *(f"/{page}?version={number}" for page in ("model", "model/report") for number in (1, 2, text)),
        f"/models/compare?one=1&other={text}",
        "/models/compare?one=1&other=1",
        "/models/compare?one=1&other=2",
        f"/models/compare?one=1&other=2&author={quote(names[0])}",
        "/queue",
        f"/queue?watch={text}",
        "/docs",
        "/sign-in",
        f"/sign-in?said={text}",
        f"/nowhere/{text}",
    ]


def fill(client: TestClient, database: Database, names: Sequence[str], first: int) -> None:
    """Send tweets, have them read, let one be dead; rename and hide some entities."""
    texts = [*(f"{name} and Ann" for name in names), names[1] + LONG * (names is NAMES), f"{names[1]} is dead"]
    authors = [*names, "ann", "ann"]
    sent = [
        {"id": number, "text": text, "author": author, "language": author[:20], "created_at": "2026-03-01T12:30:00Z"}
        for number, (text, author) in enumerate(zip(texts, authors, strict=True), start=first)
    ]
    told = client.post(f"/api/tweets?name={quote(names[1])}", json=sent).json()
    assert (told["added"], told["bad"]) == (len(names) + 2, 0)
    drain(database, NamesTagger(names))
    found = {first + place: (text, NamesTagger(names).tag([text[1:]])[0]) for place, text in enumerate(texts)}
    with database.write_session() as session:
        keys = {spans.entity_key(text, one) for text, ones in found.values() for one in ones}
        spans.store(session, 2, found, spans.look_up_entities(session, keys))
        spans.mark_dead(session, 1, [first + len(names) + 1], f"Error: {names[1]}")
    said = {"who": names[0], "why": names[4]}
    for path, body in (
        ("rename", {"entity": key(names[0], 0), "name": names[1]}),
        ("rename", {"entity": key(names[2], 2), "name": names[7]}),
        ("merge", {"entity": key(names[3], 3), "into": key(names[6], 6)}),
        ("hide", {"entities": [key(names[5], 5)]}),
    ):
        assert client.post(f"/api/entities/{path}", json={**body, **said}).status_code == 200, path


@pytest.fixture
def client(explorer: Explorer, database: Database) -> TestClient:
    """A browser that has signed in and a program with the token at once, over harmless tweets."""
    new_version(database)
    add_version(database)
    made = explorer(Access(TOKEN))
    made.headers["authorization"] = f"Bearer {TOKEN}"
    made.post("/sign-in", data={"token": TOKEN})
    fill(made, database, HARMLESS, 1)
    return made


def seen_at(client: TestClient, address: str) -> Seen:
    answer = client.get(address)
    assert answer.status_code in (200, 400, 404, 422), (address, answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8", address
    assert "script" not in answer.headers["content-security-policy"]
    return look_at(answer.text)


def parts_of(seen: Seen) -> set[tuple[str, str]]:
    """Return the elements of a page, each with each of its attributes."""
    return {(name, one) for name, attributes in seen.elements for one in ("", *attributes)}


def check(seen: Seen, known: set[tuple[str, str]]) -> None:
    """Find out whether a page has only such parts as pages about harmless tweets, leads nowhere else, and is clean."""
    assert parts_of(seen) <= known
    assert seen.others == ["DOCTYPE html"]
    for _, attributes in seen.elements:
        for name in ("href", "action", "src"):
            goes_to = urlsplit(attributes.get(name) or "")
            assert (goes_to.scheme, goes_to.netloc) == ("", ""), attributes
    shown = [value for _, attributes in seen.elements for name, value in attributes.items() if name != "value"]
    for text in (*seen.texts, *shown):  # the value of a field is what was asked, to the letter
        assert clean(text or "") == (text or "").replace("\n", " "), text


def test_pages_are_made_of_the_same_whatever_tweets_hold(client: TestClient, database: Database) -> None:
    known = {part for one in addresses(HARMLESS, 1) for part in parts_of(seen_at(client, one))}
    fill(client, database, NAMES, 1001)
    for address in addresses(NAMES, 1001):
        check(seen_at(client, address), known)
    for address in ("/today", "/tweets?limit=100", "/models/compare?one=1&other=2", "/queue"):
        assert "hostile" in seen_at(client, address).text, address
    for number, name in enumerate(NAMES, start=1001):
        assert clean(f"{name} and Ann") in seen_at(client, f"/tweet?id={number}").text
        assert client.get(f"/tweet.json?id={number}").json()["text"] == f"{name} and Ann"
    assert clean(NAMES[1] + LONG) in seen_at(client, f"/tweet?id={1001 + len(NAMES)}").text
    assert clean(NAMES[1]) in seen_at(client, "/entities?limit=100").text


def routes() -> list[str]:
    """Return the addresses that a browser may open."""
    found = [one for router in _ROUTERS for one in router.routes if isinstance(one, APIRoute)]
    for_browsers = [one for one in found if "GET" in one.methods]
    return [one.path for one in for_browsers if not one.path.startswith("/api/")]


def test_no_page_is_left_out() -> None:
    pages = {path for path in routes() if "." not in path}
    assert {"/tweets", "/queue"} <= pages
    assert pages - {urlsplit(one).path for one in addresses(NAMES, 1)} == set()


def test_twins_are_no_pages(client: TestClient, database: Database) -> None:
    fill(client, database, NAMES, 1001)
    twins = [path for path in routes() if path.endswith((".json", ".csv"))]
    assert len(twins) >= 5
    name = {"name": key(NAMES[6], 6)}
    needed = {"tweet": {"id": 1001}, "entity": name, "timeline": name, "model": {"version": 1}}
    needed["compare"] = {"one": 1, "other": 2}
    for path in twins:
        what = path.rpartition("/")[2].partition(".")[0]
        answer = client.get(path, params=needed.get(what, {}))
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["x-content-type-options"] == "nosniff"
        CHECKS[answer.headers["content-type"].partition(";")[0]](answer.text)


def check_csv(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) <= 1  # none where there is no row
    assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for row in rows for cell in row)


CHECKS: dict[str, Callable[[str], Any]] = {"application/json": json.loads, "text/csv": check_csv}


@pytest.mark.parametrize("name", [*NAMES[:5], NAMES[7], NAMES[14], NAMES[15]])
def test_a_page_that_forgot_to_escape_would_be_found(name: str) -> None:
    template = "<!DOCTYPE html><title></title><a href=\"/tweet?id=%s\">x</a><p title='%s'>%s"
    known = parts_of(look_at(template % ("1", "2", "3")))
    check(look_at(template % ("1", "2", "&lt;3")), known)
    with pytest.raises(AssertionError):
        check(look_at(template % (name, name, name)), known)
