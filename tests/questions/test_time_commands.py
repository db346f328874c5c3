"""`entities timeline`, `trending` and `compare` as a user runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from db import model_versions
from db.session import open_database
from tests.processes import environment
from tests.questions.test_trending import fill

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of `entities` over three days of 300 tweets, in the last of which 40 mention London."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert CliRunner().invoke(cli.main, ["status"]).exit_code == 0
    [path] = tmp_path.rglob("*.db")
    database = open_database(f"sqlite:///{path}")
    version_id = fill(database, burst=40)
    with database.write_session() as session:
        model_versions.activate(session, version_id)
    database.close()
    return lambda *arguments: CliRunner().invoke(cli.main, ["entities", *arguments])


def test_timeline(run: Run, tmp_path: Path) -> None:
    shown = run("timeline", "london", "--plot", str(tmp_path / "a.svg"))
    assert shown.exit_code == 0
    assert "2026-03-03      300         40   13.33%   ████" in shown.stdout
    assert "40 mentions in 900 tweets read" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    found = json.loads(run("timeline", "london", "--by", "week", "--json").stdout)
    assert [(row["start"][:10], row["tweets"], row["mentions"], row["share"]) for row in found["rows"]] == [
        ("2026-02-23", 300, 0, 0.0),
        ("2026-03-02", 600, 40, 0.066667),
    ]
    assert found["covers"]["tweets"] == 900


def test_trending(run: Run) -> None:
    shown = run("trending").stdout
    assert shown.startswith("2026-03-03 00:00 to 2026-03-04 00:00 against 2026-03-02 00:00 to 2026-03-03 00:00 (UTC)")
    assert "  899  [London](PER) " in shown
    assert "from 300 of 900 tweets" in shown
    [row] = json.loads(run("trending", "--json").stdout)["rows"]
    assert (row["entity"], row["tweets"], row["tweets_before"], row["tweet_ids"]) == (
        "London", 40, 0, ["899", "898", "897"],
    )  # fmt: skip
    assert "London,PER,london,40,300,0,300,," in run("trending", "--csv").stdout
    assert "nothing is trending: 2026-03-02" in run("trending", "--until", "2026-03-03").stdout


def test_compare(run: Run) -> None:
    sides = ("--since", "2026-03-03", "--against", "since=2026-03-01", "--against", "until=2026-03-02")
    shown = run("compare", *sides).stdout
    assert "there: from 300 of 900 tweets" in shown
    row = json.loads(run("compare", *sides, "--json").stdout)["rows"][0]
    assert (row["entity"], row["tweets"], row["other_tweets"], row["score"] > 50) == ("London", 40, 0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["timeline", "it's \"%_"], "no entity is called"),
        (["timeline", "x" * 1000], "no entity is called"),
        (["timeline", "--plot", "a.gif"], "let its name end in .png or .svg"),
        (["trending", "--since", "2026-03-02", "--until", "2026-03-01"], "is empty"),
        (["trending", "--since", "yesterday"], "is not a time"),
        (["trending", "--since", "2019-01-01", "--until", "2019-01-02"], "choose other windows"),
        (["trending", "--author", "nobody'"], "choose other windows"),
        (["compare", "--against", "colour=red"], "the keys are author"),
        (["compare", "--against", "author="], "takes KEY=VALUE"),
        (["compare", "--against", "author=nobody"], "has read no tweets of the other side"),
        (["compare", "--against", "model=7"], "there is no model version 7"),
        (["compare", "--against", "model=1"], "the two sides are the same"),
    ],
)
def test_what_cannot_be_answered(run: Run, arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
