"""The page *Entities*, and its twins."""

import csv
import io
import re
from html import unescape

import pytest
from fastapi.testclient import TestClient

from db.filters import Filter
from db.questions.top import top
from db.session import Database
from tests.questions.world import World

QUERY = "?kind=plain&min_score=0.3&limit=5"
CHOSEN = Filter(model_version_id=1, kind="plain", min_score=0.3)


def test_page_and_twins_show_what_is_asked(reader: TestClient, database: Database, world: World) -> None:
    with database.read_session() as session:
        expected = [(one.shown, one.label, one.mentions, one.tweets) for one in top(session, CHOSEN, 5)]
    assert expected
    answer = reader.get(f"/entities.json{QUERY}").json()
    assert [(one["entity"], one["label"], one["mentions"], one["tweets"]) for one in answer["rows"]] == expected
    rows = csv.DictReader(io.StringIO(reader.get(f"/entities.csv{QUERY}").text))
    assert [(one["label"], int(one["mentions"]), int(one["tweets"])) for one in rows] == [one[1:] for one in expected]
    page = reader.get(f"/entities{QUERY}").text
    numbers = re.findall(r'<td class="number">([\d,]+)</td><td class="number">([\d,]+)</td>', page)
    assert [(int(one), int(other)) for one, other in numbers] == [one[2:] for one in expected]
    assert [unescape(one) for one in re.findall(r"<bdi>(.*?)</bdi>", page)] == [one[0] for one in expected]


def test_a_filter_that_cannot_be_read_is_named(reader: TestClient, world: World) -> None:
    for query, status, word in (("?since=soon", 400, "'soon'"), ("?label=GPE", 400, "'GPE'"), ("?limit=x", 422, "'x'")):
        answer = reader.get(f"/entities.json{query}")
        assert (answer.status_code, word in answer.json()["error"]) == (status, True)
        assert reader.get(f"/entities{query}").status_code == status


@pytest.mark.parametrize("path", ["/entities", "/entities.json", "/api/entities/top"])
def test_a_parameter_that_nobody_knows_is_not_passed_over(reader: TestClient, world: World, path: str) -> None:
    answer = reader.get(path, params={"labl": "PER"})
    assert answer.status_code == 400
    assert f"{path} takes no parameter 'labl'; did you mean 'label'?" in unescape(answer.text).replace('\\"', '"')
    assert "takes no parameter 'zzz'; it takes author, " in unescape(reader.get(path, params={"zzz": "1"}).text)


def test_limits_may_stand_in_one_text(reader: TestClient, world: World) -> None:
    one, two = (
        reader.get(f"/entities{query}").text
        for query in ("?min_score=0.3,PER%3D0.9", "?min_score=0.3&min_score=PER%3D0.9")
    )
    assert one == two
    assert 'name="min_score" value="0.3,PER=0.9"' in one
    for score in ("0.00001", "0.9999999", "0.1234567", "1"):
        assert f'name="min_score" value="{score}"' in reader.get(f"/entities?min_score={score},").text


def test_more_than_a_page_can_be_had(reader: TestClient, world: World) -> None:
    assert 'href="/entities?kind=plain&amp;limit=4">More</a>' in reader.get("/entities?limit=2&kind=plain").text
    assert ">More</a>" not in reader.get("/entities?limit=1000").text
