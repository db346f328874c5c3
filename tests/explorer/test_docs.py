"""The page that describes the API to people."""

import re
from html import unescape

import pytest
from fastapi.testclient import TestClient

from explorer.access import Access
from tests.explorer.conftest import TOKEN, Explorer
from tests.questions.world import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the page asks nothing of it


def test_every_operation_is_explained_with_an_example_that_is_answered(explorer: Explorer, world: World) -> None:
    client = explorer(Access(TOKEN))
    page = client.get("/docs").text
    paths = client.get("/api/openapi.json").json()["paths"]
    told = re.findall(r"<h3><code>(\w+) ([^<]+)</code></h3>", page)
    assert sorted(told) == sorted((method.upper(), path) for path, methods in paths.items() for method in methods)
    examples = [unescape(one) for one in re.findall(r'Example: <a href="([^"]+)">', page)]
    assert len(examples) == sum(method == "GET" for method, _ in told)
    for one in examples:
        answer = client.get(one)
        is_named = "153928603371978755" in one or one == "/api/jobs/1"  # what is not in this world
        assert answer.status_code == 200 or is_named, (one, answer.text)


def test_every_form_that_is_named_is_described(reader: TestClient, world: World) -> None:
    page = reader.get("/docs").text
    assert 'href="/docs"' in reader.get("/entities").text
    links = set(re.findall(r'href="#([^"]+)"', page)) - {"content"}
    assert "Answer-of-TopRow" in links
    assert links <= set(re.findall(r' id="([^"]+)"', page))
    assert '<a href="#TopRow">list of TopRow</a>' in page
