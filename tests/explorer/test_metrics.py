"""`/metrics`: its figures are the ledger's, docs/operations.md names each, and the alarms ask for nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from db import spans
from db.events import Event, count, totals
from db.session import Database
from explorer.access import Access
from explorer.metrics import _EVENTS
from tests.explorer.conftest import TOKEN, Explorer
from tests.ledger_tools import claim, enqueue_tweets, new_version
from tests.processes import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
RULES = yaml.safe_load((ROOT / "docs" / "prometheus-rules.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]


def samples(client: TestClient) -> dict[tuple[str, str], float]:
    """Ask for the metrics: name and label's value -> value."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, "".join(one.labels.values())): one.value for family in families for one in family.samples}


@pytest.fixture
def version(database: Database) -> int:
    """A version with three open batches of ten tweets, one of them leased and overdue, two tweets dead."""
    made = new_version(database)
    enqueue_tweets(database, range(1, 11), 4)
    with database.write_session() as session:
        spans.mark_dead(session, made, [1, 2], "an error")
        assert claim(session, 1, lease_seconds=-1.0) is not None
    return made


def test_figures_are_those_of_the_ledger(reader: TestClient, database: Database, version: int) -> None:
    with database.write_session() as session:
        count(session, "host:1/2", {Event.CLAIMS: 1, Event.TAGGING_SECONDS: 0.5})
        count(session, "host:1/3", {Event.CLAIMS: 2, Event.TAGGING_SECONDS: 0.25})
    found, key = samples(reader), str(version)
    assert {state: found["tweetspan_batches", state] for state in ("waiting", "leased", "done", "dead", "split")} == {
        "waiting": 2, "leased": 1, "done": 0, "dead": 0, "split": 0,
    }  # fmt: skip
    assert found["tweetspan_leased_batches", key] == found["tweetspan_overdue_batches", ""] == 1
    assert found["tweetspan_dead_tweets", key] == 2
    assert found["tweetspan_active_model_version", key] == 1
    assert found["tweetspan_workers", ""] == 0
    assert found["tweetspan_claims_total", ""] == 3
    assert found["tweetspan_tagging_seconds_total", ""] == 0.75


def test_counters_of_many_processes_add_up(database: Database) -> None:
    with database.write_session() as session:
        for number in range(100):
            count(session, f"host:{number}/1", {Event.CLAIMS: 1, Event.SPLITS: 0})
        assert totals(session)[Event.CLAIMS] == 100
        assert totals(session)[Event.SPLITS] == 0


def test_an_empty_ledger_has_every_counter(reader: TestClient) -> None:
    found = samples(reader)
    assert {name for name, _ in found} >= {f"tweetspan_{event}_total" for event in Event}
    assert set(found.values()) == {0}
    assert set(_EVENTS) == set(Event)


def test_it_takes_the_token_where_reading_does(explorer: Explorer) -> None:
    client = explorer(Access(TOKEN, is_closed=True))
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_the_page_names_each_metric(reader: TestClient, version: int, database: Database) -> None:
    described = set(re.findall(r"^\| `(tweetspan_\w+)", PAGE, re.MULTILINE))
    typed = re.findall(r"^# TYPE (\w+) ", reader.get("/metrics").text, re.MULTILINE)
    assert described == set(typed)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alarm_asks_for_metrics_that_there_are_and_the_page_explains_it(rule: dict[str, Any]) -> None:
    named = set(_metrics(promql_parser.parse(rule["expr"])))
    assert named
    assert named - {"up"} <= set(re.findall(r"tweetspan_\w+", PAGE))
    assert f"| `{rule['alert']}` |" in PAGE


def test_the_page_explains_no_alarm_that_there_is_not() -> None:
    assert set(re.findall(r"^\| `(Tweetspan\w+)`", PAGE, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def _metrics(expression: Any) -> Iterator[str]:
    """Find the metrics of an expression."""
    found: list[str] = []

    def look(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node.name)
        return True

    promql_parser.walk(expression, look)
    return iter(found)
