"""docs/querying.md: its commands, its Python and its SQL run, and agree on a small world with edits."""

import json
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session

import cli
from db import model_versions
from db.filters import Filter
from db.periods import DAY, number_of, start_of
from db.questions.top import top
from db.session import Database
from db.windows import newest_hour
from tests.questions.world import random_world

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "querying.md").read_text(encoding="utf-8")
QUESTIONS = PAGE.partition("## Ten questions")[2].partition("## What trending means")[0]
VIEW, *_ = re.findall(r"```sql\n(.*?)```", QUESTIONS, flags=re.DOTALL)
IMPORTS, *_ = re.findall(r"```python\n(.*?)\ndatabase =", PAGE, flags=re.DOTALL)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Answers:
    """What a question's blocks answered: each command's JSON rows, the value of its Python, each statement's rows."""

    commands: list[Rows]
    python: Any
    sql: list[Rows]


def _blocks(question: int, language: str) -> list[str]:
    asked = re.split(r"^\*\*\d+\. ", QUESTIONS, flags=re.MULTILINE)[question]
    return re.findall(rf"```{language}\n(.*?)```", asked, flags=re.DOTALL)


@pytest.fixture
def filled(database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A small world whose first version is active, and the settings by which a command finds it."""
    random_world(database)
    with database.write_session() as session:
        model_versions.activate(session, 1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWEETSPAN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWEETSPAN_DATABASE_URL", database_url)
    return database


@pytest.fixture
def answers(filled: Database) -> dict[int, Answers]:
    """Each question's answers, by its number."""
    with filled.read_session() as session:
        session.execute(text(VIEW))
        names: dict[str, Any] = {"session": session}
        exec(IMPORTS, names)
        return {
            number: Answers(
                [_run(line) for block in _blocks(number, "sh") for line in block.splitlines()],
                [_evaluated(block, names) for block in _blocks(number, "python")][-1],
                [_rows(session, block) for block in _blocks(number, "sql")],
            )
            for number in range(1, 11)
        }


def _run(line: str) -> Rows:
    arguments = shlex.split(line.partition(" #")[0])[1:]
    if "report" in arguments:
        _judge(Path(arguments[-1]))
    has_json = arguments[0] not in ("digest", "export", "sample") and "sample" not in arguments
    done = CliRunner().invoke(cli.main, [*arguments, *(["--json"] if has_json else [])])
    assert done.exit_code == 0, f"{line}: {done.output}"
    if has_json:
        rows: Rows = json.loads(done.stdout)["rows"]
        return rows
    return [json.loads(row) for row in done.stdout.splitlines()] if arguments[0] == "sample" else []


def _judge(audit: Path) -> None:
    """Say that all that was found is right, and that nothing was missed."""
    judged = audit.read_text(encoding="utf-8").replace('"correct": null', '"correct": true')
    audit.write_text(judged.replace('"missed": null', '"missed": []'), encoding="utf-8")


def _evaluated(block: str, names: dict[str, Any]) -> Any:
    """Run a block, whose last statement is an expression, and return what that is."""
    *before, last = re.split(r"\n(?=[\w\[(])", block.strip())
    exec("\n".join(before), names)
    return eval(last, names)


def _rows(session: Session, statement: str) -> Rows:
    return [dict(row) for row in session.execute(text(statement)).mappings()]


def _columns(rows: Any, *names: str) -> list[tuple[Any, ...]]:
    """Take some columns of rows, however these are made, in an order of their own."""
    values = (row if isinstance(row, dict) else {name: getattr(row, name) for name in names} for row in rows)
    return sorted(tuple(value[name] for name in names) for value in values)


def test_the_three_ways_agree(answers: dict[int, Answers], filled: Database, tmp_path: Path) -> None:
    _entities_agree(answers, filled)
    _windows_agree(answers, filled)
    _tweets_agree(answers)
    lines = (tmp_path / "spans.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(answers[10].python) + 1
    assert (tmp_path / "london.svg").exists()
    assert (tmp_path / "london.html").exists()


def _entities_agree(answers: dict[int, Answers], filled: Database) -> None:
    places, company, days = answers[1], answers[2], answers[3]
    assert _columns(places.python, "name", "mentions", "tweets")
    for rows in (places.commands[0], places.sql[0]):
        assert _columns(rows, "name", "mentions", "tweets") == _columns(places.python, "name", "mentions", "tweets")
    with filled.read_session() as session:
        ever = top(session, Filter(model_version_id=1, label="LOC"))
    assert _columns(places.sql[1], "name", "mentions") == _columns(ever, "name", "mentions")

    assert _columns(company.python, "name", "together") == _columns(company.sql[0], "name", "together")
    assert [row["name"] for row in company.commands[0]] == [one.name for one in company.python] != []

    dated = [one for one in days.python if one.mentions]
    assert [row["mentions"] for row in days.sql[0]] == [one.mentions for one in dated] != []
    assert [row["day"] for row in days.sql[0]] == [number_of(one.start, DAY) for one in dated]
    assert [row["mentions"] for row in days.commands[0]] == [one.mentions for one in days.python]

    found = answers[6]
    ids = [one.tweet_id for one in found.python]
    assert [row["id"] for row in found.sql[0] if row["id"] in ids] == ids != []
    assert [int(row["tweet_id"]) for row in found.commands[0]] == ids


def _windows_agree(answers: dict[int, Answers], filled: Database) -> None:
    trends, changes = answers[4], answers[8]
    with filled.read_session() as session:
        newest = newest_hour(session, 1)
        assert newest is not None
        day = number_of(newest, DAY)
        today = Filter(model_version_id=1, since=start_of(day, DAY), until=start_of(day + 1, DAY))
        yesterday = replace(today, since=start_of(day - 1, DAY), until=start_of(day, DAY))
        there = [
            {(one.label, one.name): one.mentions for one in top(session, each, 1000)} for each in (today, yesterday)
        ]
    counted = [{row[:2]: row[2] for row in _columns(trends.sql[0], "label", "name", which) if row[2]}
               for which in ("mentions", "mentions_before")]  # fmt: skip
    assert counted == there
    assert all(there)
    assert len(trends.commands[0]) == len(trends.python)

    both = {(one.label, one.name): (one.mentions, one.other_mentions) for one in changes.python}
    by_sql = {(row["label"], row["name"]): (row["mentions"], row["mentions_before"]) for row in changes.sql[0]}
    assert both == {key: by_sql[key] for key in both}
    assert any(before for _, before in both.values())
    assert [row["name"] for row in changes.commands[0]] == [one.name for one in changes.python]


def _tweets_agree(answers: dict[int, Answers]) -> None:
    review, audit, digest, export = (answers[number] for number in (5, 7, 9, 10))
    told = {one.tweet_id: reason for one in review.python for reason in one.reasons if "disagree" in reason}
    differing = {row["tweet_id"]: row["spans"] for row in review.sql[0]}
    assert told
    assert {key: int(re.findall(r"on (\d+) span", reason)[0]) for key, reason in told.items()} == {
        key: differing[key] for key in told
    }
    assert [int(row["id"]) for row in review.commands[0]] == [one.tweet_id for one in review.python]

    assert {row["label"]: row["found"] for row in audit.commands[1]} == audit.python.mentions
    assert sum(row["copies"] for row in digest.sql[0]) == digest.python.story.counts.tweets

    columns = ("tweet_id", "start_char", "end_char", "surface", "label")
    assert [tuple(row[name] for name in columns) for row in export.sql[0]] == export.python != []


def test_full_text_in_sql(filled: Database) -> None:
    (statement,) = _blocks(6, "sql")
    clauses = re.findall(r"`(tweets\.id IN .*?)`", QUESTIONS)
    with filled.read_session() as session:
        session.execute(text(VIEW))
        mine = clauses[0 if session.get_bind().dialect.name == "postgresql" else 1]
        by_words = _rows(session, re.sub(r"lower\(.*", lambda _: mine, statement))
        assert by_words == _rows(session, statement) != []
