"""The API says what the commands print with --json, for the same question and the same filters."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

import cli
from db import spans
from db.session import Database
from tagging.spans import Span
from tests.ledger_tools import enqueue_tweets
from tests.processes import environment
from tests.questions.world import NOON, StoredTweet, World, store

Printed = Callable[..., Any]

FILTERS: list[dict[str, Any]] = [
    {},
    {"label": "loc", "kind": "plain", "min_score": ["0.3", "LOC=0.5"]},
    {"since": "2026-02-28T10:00", "until": "2026-03-02", "originals": True, "hidden": True},
    {"text": "rain", "language": "en", "model": "2"},
    {"author": "ANN", "since": "3d"},
]
# a path of the API with its parameters -> the command, with its arguments
QUESTIONS: dict[str, list[str]] = {
    "entities/top?limit=7": ["entities", "top", "--limit", "7"],
    "entities/search?name=on&how=substring": ["entities", "search", "on", "--how", "substring"],
    "entities/search?name=lomdon&how=fuzzy&limit=3": ["entities", "search", "lomdon", "--how", "fuzzy", "--limit", "3"],
    "entities/show?name=LOC:london": ["entities", "show", "LOC:london"],
    "entities/context?name=bob&words=2": ["entities", "context", "bob", "--words", "2"],
    "entities/timeline?by=week": ["entities", "timeline", "--by", "week"],
    "entities/timeline?name=london": ["entities", "timeline", "london"],
    "entities/trending?against=previous": ["entities", "trending", "--against", "previous"],
    "entities/trending?against=last-week": ["entities", "trending", "--against", "last-week"],
    "entities/compare?against=model=1&against=since=1w": [
        "entities", "compare", "--against", "model=1", "--against", "since=1w",
    ],
    "entities/compare?against=author=bob": ["entities", "compare", "--against", "author=bob"],
    "entities/related?name=london&by=count&minimum=1": [
        "entities", "related", "london", "--by", "count", "--minimum", "1",
    ],
    "entities/suggest-merges?limit=5": ["entities", "suggest-merges", "--limit", "5"],
    "tweets/find?query=in&mentions=LOC:*": ["tweets", "find", "in", "--mentions", "LOC:*"],
    "tweets/similar?id=TWEET": ["tweets", "similar", "TWEET"],
    "digest?name=london&tweets=2": ["digest", "london", "--format", "json", "--tweets", "2"],
    "digest": ["digest", "--format", "json"],
}  # fmt: skip
WITHOUT_FILTERS: dict[str, list[str]] = {
    "tweets/TWEET": ["entities", "tweet", "TWEET", "--json"],
    "tweets/TWEET?model=2": ["entities", "tweet", "TWEET", "--model", "2", "--json"],
    "entities/edits": ["entities", "edits", "--json"],
    "status": ["status", "--json"],
    "jobs?limit=1": ["jobs", "list", "--limit", "1", "--json"],
    "jobs/1": ["jobs", "show", "1"],
    "jobs/test": ["jobs", "show", "test"],
    "failures": ["failures", "list", "--json"],
    "failures?model=2": ["failures", "list", "--model", "2", "--json"],
    "failures/tweets?id=5001&id=5003": ["failures", "show", "5001", "5003", "--json"],
    "failures/tweets?reason=OSError&limit=2": ["failures", "show", "--reason", "OSError", "--limit", "2", "--json"],
    "models": ["models", "list", "--json"],
    "models/2": ["models", "show", "2"],
}
MOVING = ("oldest_waiting_seconds", "tweets_per_second", "workers")  # from one moment to the next


@pytest.fixture
def printed(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Printed:
    """Return what runs a command and reads the JSON that it prints; None where it fails."""
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(cli.main, arguments)
        return json.loads(done.stdout) if done.exit_code == 0 else None

    return run


def options(filters: dict[str, Any]) -> list[str]:
    """Write filters as the options of a command."""
    written: list[str] = []
    for name, value in filters.items():
        for one in value if isinstance(value, list) else [value]:
            written += [f"--{name.replace('_', '-')}", *([] if one is True else [one])]
    return written


def asked(client: TestClient, path: str, filters: dict[str, Any]) -> Any:
    """Ask the API; None where it refuses as the command does."""
    query = urlencode({name: "true" if value is True else value for name, value in filters.items()}, doseq=True)
    answer = client.get(f"/api/{path}{'&' if '?' in path else '?'}{query}")
    assert answer.status_code in (200, 400, 404), answer.text
    return answer.json() if answer.status_code == 200 else None


def told_by(command: str, answer: Any) -> Any:
    """Leave out what only the command says: how the pair would be merged by another command."""
    if command == "suggest-merges" and answer:
        return {**answer, "rows": [{name: row[name] for name in row if name != "command"} for row in answer["rows"]]}
    return answer


def burst(database: Database, world: World) -> None:
    """Let something be trending: ten tweets mention it in the last hour, and none of ten a week before."""
    late = NOON + timedelta(hours=39)
    times = [late] * 10 + [late - timedelta(days=7)] * 10
    made = [StoredTweet(3000 + place, "Springfield", at, "ann", "en", None) for place, at in enumerate(times)]
    spans = {tweet: (Span(0, 11, "LOC", 0.9),) if tweet.created_at == late else () for tweet in made}
    store(database, world, 1, spans)


def test_each_question_is_answered_as_by_its_command(
    reader: TestClient, database: Database, world: World, printed: Printed
) -> None:
    tweet = str(max(world.readings[2], key=lambda one: len(world.readings[2][one])))
    burst(database, world)
    answered = dict.fromkeys(QUESTIONS, 0)
    for place, (path, command) in enumerate(QUESTIONS.items()):
        for filters in (FILTERS[0], FILTERS[1 + place % 4], FILTERS[1 + (place + 1) % 4]):
            form = [] if "--format" in command else ["--json"]
            arguments = [one.replace("TWEET", tweet) for one in command]
            expected = told_by(command[1], printed(*arguments, *form, *options(filters)))
            assert asked(reader, path.replace("TWEET", tweet), filters) == expected, (path, filters)
            answered[path] += bool(expected and expected.get("rows", True))
    assert min(answered.values()) > 0, answered


def test_what_takes_no_filters_is_answered_as_by_its_command(
    reader: TestClient, database: Database, world: World, printed: Printed
) -> None:
    enqueue_tweets(database, range(5001, 5005), 2)
    with database.write_session() as session:
        spans.mark_dead(session, 2, [5001, 5002], "OSError: full")
        spans.mark_dead(session, 1, [5003], "OSError: empty")
    tweet = str(max(world.readings[2], key=lambda one: len(world.readings[2][one])))
    for path, command in WITHOUT_FILTERS.items():
        told = asked(reader, path.replace("TWEET", tweet), {})
        expected = printed(*(one.replace("TWEET", tweet) for one in command))
        assert expected, command
        if path == "status":
            told, expected = ({**one, **dict.fromkeys(MOVING)} for one in (told, expected))
        assert told == expected, path


def test_a_network_is_that_of_the_question(reader: TestClient, world: World) -> None:
    told = reader.get("/api/entities/network?name=LOC:london&minimum=1&limit=4").json()
    related = reader.get("/api/entities/related?name=LOC:london&minimum=1&limit=4").json()["rows"]
    keys = {f"{one['label']}:{one['name']}" for one in told["nodes"]}
    assert keys == {"LOC:london", *(f"{one['label']}:{one['name']}" for one in related)}
    together = {one["target"]: one["tweets_together"] for one in told["links"] if one["source"] == "LOC:london"}
    together |= {one["source"]: one["tweets_together"] for one in told["links"] if one["target"] == "LOC:london"}
    assert together == {f"{one['label']}:{one['name']}": one["tweets_together"] for one in related}


def test_every_question_of_the_commands_is_asked(reader: TestClient) -> None:
    paths = {path.partition("?")[0] for path in (*QUESTIONS, *WITHOUT_FILTERS, "entities/network")}
    described = {
        path.removeprefix("/api/")
        for path, operations in reader.get("/api/openapi.json").json()["paths"].items()
        if path.startswith("/api/") and "get" in operations
    }
    assert described == {
        path if path != "tweets/TWEET" else "tweets/{tweet_id}"
        for path in paths - {"jobs/1", "jobs/test", "models/2"} | {"jobs/{job}", "models/{version}"}
    }
