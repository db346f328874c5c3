"""Merging, renaming and hiding as a user does it: what the commands say, and what the answers are afterwards."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from db import model_versions
from db.session import Database
from tests.processes import environment
from tests.questions.world import random_world

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of `tweetspan entities` on a small world without edits, whose first version is active."""
    random_world(database, edited=False)
    with database.write_session() as session:
        model_versions.activate(session, 1)
    for name, value in environment(tmp_path / "home", database_url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli.main, ["entities", *arguments])


def mentions(run: Run, *options: str) -> dict[str, int]:
    rows = json.loads(run("top", "--limit", "100", "--json", *options).output)["rows"]
    return {f"{row['label']}:{row['name']}": row["mentions"] for row in rows}


def test_a_merge_counts_at_once_and_is_undone_by_its_number(run: Run) -> None:
    before = mentions(run)
    done = run("merge", "LOC:ann", "PER:@Ann", "--who", "eve", "--why", "one person")
    assert done.output == "edit 1: LOC:ann counts for PER:ann\n"
    merged = mentions(run)
    assert merged["PER:ann"] == before["PER:ann"] + before["LOC:ann"]
    assert "LOC:ann" not in merged
    [edit] = json.loads(run("edits", "--json").output)
    assert (edit["kind"], edit["entity"], edit["to"], edit["who"], edit["why"]) == (
        "merge", "LOC:ann", "PER:ann", "eve", "one person",
    )  # fmt: skip
    assert run("undo", "1").output == "edit 1 (merge) is undone\n"
    assert mentions(run) == before
    assert json.loads(run("edits", "--json").output)[0]["undone"]


def test_a_renamed_entity_is_shown_and_found_by_its_name(run: Run) -> None:
    assert "is shown as London, UK" in run("rename", "LOC:london", "London, UK").output
    assert "London, UK" in run("top", "--label", "LOC").output
    assert json.loads(run("show", "London, UK", "--json").output)


def test_a_stop_list_hides_also_what_is_not_mentioned_yet(run: Run, tmp_path: Path) -> None:
    before = mentions(run)
    (tmp_path / "stop.txt").write_text("# noise\n@Bob\n\nORG:rt\nnever seen\n", encoding="utf-8")
    told = run("hide", "--file", "stop.txt").output
    assert "hidden" in told
    assert mentions(run) == {key: count for key, count in before.items() if not key.endswith(":bob")}
    assert mentions(run, "--hidden") == before
    assert run("hide", "--file", "stop.txt").output == "all of them are hidden already\n"


def test_csv_has_a_row_for_each_and_says_what_it_covers_beside(run: Run) -> None:
    done = run("top", "--csv", "--limit", "3")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [list(row) for row in rows] == [["entity", "label", "name", "mentions", "tweets"]] * 3
    assert "60 of 60 tweets that version 1 has read" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("merge", "LOC:london", "LOC:LONDON"), "are one entity already"),
        (("merge", "nobody", "LOC:london"), "no entity is called 'nobody'"),
        (("rename", "LOC:london", "  "), "is empty"),
        (("hide", "x" * 1000), "no entity is called"),
        (("undo", "7"), "there is no edit 7"),
        (("top", "--label", "it's%"), "no model version has the label"),
        (("top", "--since", "2026-13-45"), "is not a time"),
        (("top", "--limit", "0"), "0 is not in the range"),
        (("search", 'a"%_'), ""),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert said in done.output
    assert "Traceback" not in done.output
    assert done.exit_code in ((1, 2) if said else (0,))
