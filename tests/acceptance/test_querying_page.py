"""docs/querying.md: its commands run, and its Python and SQL give the same answers on a small world."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

import cli
from db import model_versions
from db.entity_lookup import look_up
from db.filters import Filter
from db.questions.compare import compare
from db.questions.digest import digest_entity
from db.questions.find import find
from db.questions.related import related
from db.questions.search import search
from db.questions.timeline import timeline
from db.questions.top import top
from db.questions.trending import trending
from db.session import Database
from tests.questions.world import random_world

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "querying.md").read_text(encoding="utf-8")
QUESTIONS = PAGE.partition("## Ten questions")[2].partition("## What it costs")[0]
PYTHON: dict[str, Any] = {
    "look_up": look_up, "Filter": Filter, "compare": compare, "digest_entity": digest_entity, "find": find,
    "related": related, "search": search, "timeline": timeline, "top": top, "trending": trending,
}  # fmt: skip


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", QUESTIONS, flags=re.DOTALL)


def commands() -> list[list[str]]:
    lines = (line.partition(" #")[0].partition(" >")[0] for block in blocks("sh") for line in block.splitlines())
    return [shlex.split(line)[1:] for line in lines if "audit report" not in line]


@pytest.fixture
def filled(database: Database) -> Database:
    """A small world, without edits, whose first version is active."""
    random_world(database, edited=False)
    with database.write_session() as session:
        model_versions.activate(session, 1)
    return database


@pytest.mark.usefixtures("filled")
def test_the_commands_run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWEETSPAN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWEETSPAN_DATABASE_URL", database_url)
    assert len(commands()) >= 12
    for arguments in commands():
        done = CliRunner().invoke(cli.main, arguments)
        assert done.exit_code == 0, f"{arguments}: {done.output}"
    assert {path.suffix for path in tmp_path.iterdir()} >= {".svg", ".graphml", ".html"}


def test_python_and_sql_agree(filled: Database) -> None:
    with filled.read_session() as session:
        names = PYTHON | {"session": session}
        answers = []
        for block in blocks("python"):
            lines = block.strip().splitlines()
            exec("\n".join(lines[:-1]), names)
            answers.append(eval(lines[-1], names))
        places, mentions, days, _, company, *_ = answers
        found = [session.execute(text(block)).all() for block in blocks("sql")]
    assert [tuple(row) for row in found[0]] == [(one.name, one.mentions) for one in places][:10]
    assert {(row.id, row.start_char) for row in found[1]} >= {(one.tweet_id, one.start) for one in mentions}
    assert len(mentions) == 20, "as many as are returned without a limit"
    assert [row.mentions for row in found[2]] == [one.mentions for one in days if one.mentions]
    together = {(row.label, row.name): row.together for row in found[3]}
    assert all(together.get((one.label, one.name), one.together) == one.together for one in company)
    assert together
    assert found[4], "the two versions disagree"
