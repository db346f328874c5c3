"""Who gets in: the token, sessions, forms, host names, other machines."""

import re

import pytest
from fastapi.testclient import TestClient

from explorer.access import Access
from explorer.serving import access_for, host_names, listen
from tagging.errors import AccessError, SettingsError
from tests.explorer.conftest import TOKEN, Explorer
from tests.questions.world import World


def form_key(client: TestClient) -> str:
    found = re.search(r'name="form_key" value="([0-9a-f-]+)"', client.get("/entities").text)
    assert found is not None
    return found[1]


def test_a_session_ends_with_a_form_of_its_own_alone(writer: TestClient, world: World) -> None:
    key = form_key(writer)
    assert writer.post("/sign-out", data={"form_key": "0" * 64}).status_code == 401
    assert writer.post("/sign-out").status_code == 401
    crossed = writer.post("/sign-out", data={"form_key": key}, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status_code == 401
    assert writer.post("/sign-out", data={"form_key": key}, follow_redirects=False).status_code == 303
    assert "tweetspan_session" not in writer.cookies


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "é" * 20, "\0" * 20])
def test_another_token_opens_nothing(explorer: Explorer, world: World, token: str) -> None:
    client = explorer(Access(TOKEN))
    assert client.post("/sign-in", data={"token": token}, follow_redirects=False).status_code in (401, 422)
    assert not client.cookies


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "é", "x" * 10_000])
def test_a_forged_session_is_none(explorer: Explorer, world: World, cookie: str) -> None:
    client = explorer(Access(TOKEN, is_closed=True))
    answer = client.get("/entities", headers={"cookie": f"tweetspan_session={cookie}".encode()})
    assert answer.status_code == 401


def test_a_session_of_another_token_is_none(explorer: Explorer, world: World) -> None:
    other = Access("another-token-of-the-tests").new_session()
    client = explorer(Access(TOKEN, is_closed=True))
    client.cookies.set("tweetspan_session", other)
    assert client.get("/entities").status_code == 401


def test_where_it_is_closed_reading_takes_the_token(explorer: Explorer, world: World) -> None:
    client = explorer(Access(TOKEN, is_closed=True))
    assert client.get("/entities").status_code == 401
    told = client.get("/entities.json")
    assert (told.status_code, told.headers["www-authenticate"]) == (401, "Bearer")
    assert client.get("/entities.json", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    client.post("/sign-in", data={"token": TOKEN})
    assert client.get("/entities").status_code == 200


def test_other_host_names_are_not_answered(reader: TestClient) -> None:
    assert reader.get("/sign-in", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "explorer.example"])
def test_other_machines_need_a_token(host: str) -> None:
    with pytest.raises(AccessError, match="--token-file"):
        access_for(host, None)
    assert access_for(host, TOKEN).is_closed
    assert host_names(host, []) == ["*"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_reads_without_one(host: str) -> None:
    assert access_for(host, None) == Access(None, is_closed=False)
    assert "evil.example" not in host_names(host, ["news.example"])


@pytest.mark.parametrize("token", ["", "short", "with spaces in between", "näin-arvaamaton-se-on"])
def test_a_weak_token_is_refused(token: str) -> None:
    with pytest.raises(AccessError, match="easily guessed"):
        access_for("127.0.0.1", token)


def test_every_answer_forbids_scripts_and_other_hosts(reader: TestClient, world: World) -> None:
    for path in ("/entities", "/entities.json", "/style.css", "/nowhere", "/api/openapi.json"):
        policy = reader.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port}: Address already in use; give another --port"):
            listen("127.0.0.1", port)


def test_who_signs_in_goes_back_to_where_they_were(explorer: Explorer, world: World) -> None:
    client = explorer(Access(TOKEN, is_closed=True))
    refused = client.get("/entity?name=PER:ann&since=7d").text
    assert 'href="/sign-in?back=%2Fentity%3Fname%3DPER%3Aann%26since%3D7d"' in refused
    asked = client.get("/sign-in", params={"back": "/entity?name=PER:ann&since=7d"}).text
    assert 'name="back" value="/entity?name=PER:ann&amp;since=7d"' in asked
    sent = {"token": TOKEN, "back": "/entity?name=PER:ann&since=7d"}
    led = client.post("/sign-in", data=sent, follow_redirects=False)
    assert led.headers["location"] == sent["back"]


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/sign-in?back=/",
        "",
        "javascript:1",
        "//[",
        "/a\nb",
    ],
)
def test_signing_in_leads_to_no_other_host_and_not_in_circles(explorer: Explorer, world: World, back: str) -> None:
    led = explorer(Access(TOKEN)).post("/sign-in", data={"token": TOKEN, "back": back}, follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (303, "/")


def test_after_a_wrong_token_the_way_back_is_still_known(explorer: Explorer, world: World) -> None:
    again = explorer(Access(TOKEN)).post("/sign-in", data={"token": "mistyped", "back": "/queue?watch=true"})
    assert again.status_code == 401
    assert "This is not the token" in again.text
    assert 'name="back" value="/queue?watch=true"' in again.text


def test_an_error_is_shown_to_who_signed_in_as_such(writer: TestClient, world: World) -> None:
    page = writer.get("/entity?name=nobody").text
    assert "Sign out" in page
    assert "Sign in" not in page
