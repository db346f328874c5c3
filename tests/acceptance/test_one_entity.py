"""Questions about one entity as a user asks them: what stands on the screen, in JSON and CSV, and in the errors."""

import csv
import json
import shlex
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import networkx
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

import cli
from db import model_versions
from db.session import Database
from tagging.spans import Span
from tests.processes import environment
from tests.questions.world import NOON, StoredTweet, World, add_version, store

Run = Callable[..., Result]
TEXTS = [  # London in each, Ann and @bbc in some
    "so much rain in London again and again",
    "漢字漢字 London 🎉🎉🎉",
    "London calls Ann",
    "👨‍👩‍👧 Ann meets @bbc in London",
    "שלום London עולם",
    "Ann and @bbc\x1b[2J\x1b]0;x\x07 \u202e in London\nnow",
    f"a very long word {'x' * 90} before London and {'y' * 90} after it",
]


@pytest.fixture
def run(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on a database with seven tweets, on both databases."""
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(cli.main, ["entities", *arguments])


@pytest.fixture
def stored(run: Run, database: Database) -> None:
    """The tweets 1 to 7 as an active version has read them."""
    version_id = add_version(database)
    with database.write_session() as session:
        model_versions.activate(session, version_id)
    names = {"London": "LOC", "Ann": "PER", "@bbc": "ORG"}
    found = {}
    for number, text in enumerate(TEXTS, start=1):
        spans = [
            Span(text.index(name), text.index(name) + len(name), label, 0.9)
            for name, label in names.items()
            if name in text
        ]
        found[StoredTweet(number, text, NOON, "cy", "en", None)] = tuple(sorted(spans))
    store(database, World(), version_id, found)


@pytest.mark.usefixtures("stored")
def test_context_stands_in_a_column_whatever_the_text(run: Run) -> None:
    done = run("context", "london", "--words", "6")
    lines = done.output.splitlines()
    assert [line[:1] for line in lines[:-1]] == list("7654321")
    assert all(line[20:30] == "2026-03-01" for line in lines[:-1])
    columns = {cell_len(line.partition("London")[0]) for line in lines[:-1]}
    assert len(columns) == 1
    assert all(cell_len(line) <= 120 for line in lines[:-1])
    assert not set("\x1b\x07\u202e") & set(done.output)
    assert "\u2068" in lines[2], "what runs from right to left is kept apart"
    assert lines[0].count("…") == 2
    assert "7 of 7 tweets" in lines[-1]


@pytest.mark.usefixtures("stored")
def test_context_for_programs_is_whole(run: Run) -> None:
    rows = json.loads(run("context", "LOC:london", "--words", "20", "--json").output)["rows"]
    assert [one["before"] + one["surface"] + one["after"] for one in reversed(rows)] == TEXTS
    assert all(TEXTS[int(one["tweet_id"]) - 1][one["start"] : one["end"]] == "London" for one in rows)


@pytest.mark.usefixtures("stored")
def test_show(run: Run) -> None:
    told = run("show", "ann").output
    assert "Ann (PER:ann)" in told
    assert "3 mentions in 3 tweets, 42.86% of 7 tweets" in told
    assert "first seen 2026-03-01 12:00" in told
    assert "@bbc (ORG)" in told
    [one] = json.loads(run("show", "ann", "--json").output)["rows"]
    assert (one["mentions"], one["labels"], one["surfaces"], one["authors"]) == (3, {"PER": 3}, {"Ann": 3}, {"cy": 3})
    assert one["related"] == {"LOC:london": 3, "ORG:bbc": 2}
    rows = list(csv.DictReader(StringIO(run("show", "ann", "--csv").stdout)))
    assert {"what": "mentioned with", "value": "London (LOC)", "count": "3", "unit": "tweets"} in rows


@pytest.mark.usefixtures("stored")
def test_what_is_hidden_is_said_to_be(run: Run) -> None:
    run("hide", "ann")
    assert "hidden; it counts where you ask with --hidden\n0 mentions" in run("show", "ann").output
    assert "3 mentions" in run("show", "ann", "--hidden").output


@pytest.mark.usefixtures("stored")
def test_related_writes_a_graph(run: Run, tmp_path: Path) -> None:
    done = run("related", "ann", "--minimum", "2", "--by", "count", "--graph", str(tmp_path / "ann.graphml"), "--json")
    rows = json.loads(done.stdout)["rows"]
    assert [(one["name"], one["tweets_together"], one["tweets_with_this"]) for one in rows] == [
        ("london", 3, 7),
        ("bbc", 2, 2),
    ]
    assert "3 nodes and 3 edges are in" in done.stderr
    graph = networkx.read_graphml(tmp_path / "ann.graphml")
    assert {label for _, label in graph.nodes(data="label")} == {"Ann", "London", "@bbc"}
    assert "nothing is mentioned with 'ann' in 4 tweets or more" in run("related", "ann", "--minimum", "4").output


@pytest.mark.usefixtures("stored")
def test_a_suggested_merge_can_be_pasted(run: Run, database: Database) -> None:
    for number, label in ((8, "PER"), (9, "ORG"), (10, "ORG")):
        tweet = StoredTweet(number, "O'Brien", None, None, None, None)
        store(database, World(), 1, {tweet: (Span(0, 7, label, 0.9),)})
    told = run("suggest-merges").output
    assert "O'Brien (PER, 1), O'Brien (ORG, 2): the same name as PER and as ORG" in told
    [command] = [shlex.split(line) for line in told.splitlines() if "entities merge" in line]
    assert command == ["tweetspan", "entities", "merge", "PER:o'brien", "ORG:o'brien"]
    assert run(*command[2:]).exit_code == 0
    assert "nothing to suggest" in run("suggest-merges").output


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("command", ["show", "related", "context"])
@pytest.mark.parametrize("name", ["nobody of this name", 'it\'s "quoted"', "100%_", "x" * 1000, "  ", "LOC:", "\ud800"])
def test_an_unknown_name_is_no_traceback(run: Run, command: str, name: str) -> None:
    done = run(command, name)
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "no entity is called" in done.output or "is empty once normalised" in done.output


@pytest.mark.usefixtures("stored")
def test_an_empty_window_says_what_it_covers(run: Run) -> None:
    for arguments in (("show", "ann"), ("related", "ann"), ("context", "ann"), ("suggest-merges",)):
        done = run(*arguments, "--since", "2030-01-01")
        assert done.exit_code == 0, done.output
        assert "from 0 of 7 tweets" in done.output


@pytest.mark.usefixtures("stored")
def test_search_takes_misspelt_names(run: Run) -> None:
    assert "[London](LOC)" in run("search", "lodnon", "--how", "fuzzy").output
    assert "no mention of 'lond'" in run("search", "lond", "--how", "exact").output
    assert "[London](LOC)" in run("search", "lond", "--how", "prefix").output
