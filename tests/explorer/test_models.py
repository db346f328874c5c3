"""The pages *Models*, of one version, and of two."""

import re
from pathlib import Path

from fastapi.testclient import TestClient

from db import evaluations, model_versions
from db.filters import Filter
from db.questions.compare import compare
from db.session import Database
from tests.questions.world import World

HALF = {"value": 0.5, "low": 0.25, "high": 0.75}
RATES = {"right": 1, "found": 2, "gold": 3, "precision": HALF, "recall": HALF, "f1": HALF}
FIGURE = {"micro": RATES, "by_label": {"PER": RATES}}


def evaluated(database: Database, version: int) -> None:
    texts = {"corpus": "dev", "split": "validation", "texts": 70, "texts_fingerprint": "f"}
    results = {"figures": dict.fromkeys(("official", "joined", "plain"), FIGURE), "counts": {}}
    with database.write_session() as session:
        evaluations.record(session, model_version_id=version, results=results, **texts)


def test_versions_are_listed_with_their_scores(reader: TestClient, database: Database, world: World) -> None:
    evaluated(database, 1)
    told = reader.get("/models.json").json()
    with database.read_session() as session:
        assert told["history"] == model_versions.history(session)
    assert [(one["version"], one["active"]) for one in told["versions"]] == [(1, True), (2, False)]
    page = reader.get("/models").text
    assert page.count("0.500 <small>0.250–0.750</small>") == 3
    assert page.count("not measured") == 3
    assert reader.get("/models.csv").text.startswith("version,active,base_model")


def test_one_version_is_shown_with_what_it_read(reader: TestClient, database: Database, world: World) -> None:
    evaluated(database, 2)
    page = reader.get("/model?version=2").text
    read = len(world.read(Filter(model_version_id=2)))
    assert f"from {read} of {read} tweets that version 2 has read" in page
    assert "On 70 texts of dev, validation" in page
    assert page.count("0.500 <small>") == 3 * 2 * 3
    assert reader.get("/model.json?version=2").json()["covers"]["tweets"] == read
    assert reader.get("/model?version=9").status_code == 404


def test_two_versions_are_compared(reader: TestClient, database: Database, world: World) -> None:
    for version in (1, 2):
        evaluated(database, version)
    told = reader.get("/models/compare.json?one=1&other=2&kind=plain").json()
    one, other = (Filter(model_version_id=version, kind="plain") for version in (1, 2))
    with database.read_session() as session:
        expected = [(row.name, row.mentions, row.other_mentions) for row in compare(session, one, other, 20)]
    assert [(row["name"], row["mentions"], row["other_mentions"]) for row in told["rows"]] == expected
    assert told["one"][0]["texts"] == told["other"][0]["texts"] == 70
    page = reader.get("/models/compare?one=1&other=2&kind=plain").text
    numbers = re.findall(
        r'</th><td class="number">(\d+)</td><td class="number">(\d+)</td><td class="number">[+-]', page
    )
    assert [(int(one), int(other)) for one, other in numbers] == [row[1:] for row in expected]
    assert reader.get("/models/compare?one=1&other=1").status_code == 200


def test_a_report_is_shown_under_a_policy_of_its_own(reader: TestClient, world: World, tmp_path: Path) -> None:
    assert reader.get("/model/report?version=1").status_code == 404
    folder = tmp_path / "home" / "reports"
    folder.mkdir(parents=True)
    (folder / "version-1.html").write_text("<p>report</p>")
    answer = reader.get("/model/report?version=1")
    assert answer.text == "<p>report</p>"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "/model/report?version=1" in reader.get("/model?version=1").text
    for version in ("../../etc/passwd", "1.html", "-1"):
        assert reader.get("/model/report", params={"version": version}).status_code == 422
