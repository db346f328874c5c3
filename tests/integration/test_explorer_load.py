"""The benchmark of the explorer under load, as small as it can be."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import explorer_load
from benchmarks.explorer_clients import Answer
from benchmarks.explorer_mix import PAGES


def test_every_page_is_measured_and_none_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer_load, "_ENTITIES", 300)
    file = tmp_path / "load.json"
    options = ["--database", "sqlite", "--spans", "600", "--clients", "2", "--seconds", "1", "--json", str(file)]
    result = CliRunner().invoke(explorer_load.main, options)
    assert file.is_file(), result.output  # the exit code is that of a bar that so few spans say nothing about
    written = json.loads(file.read_text(encoding="utf-8"))
    assert [one["page"] for one in written["pages"]] == [page.name for page in PAGES]
    assert sum(one["answers"] for one in written["pages"]) > 0
    assert all(one["errors"] == one["left_out"] == 0 for one in written["pages"])
    assert all(set(counts) == {"200"} for counts in written["statuses"].values())
    assert set(written["memory"]) == {"at_10_s", "middle", "end", "second_half", "peak"}
    assert min(written["memory_mb"]) > 0
    assert written["machine"]["cores"] > 0


def test_an_answer_with_an_error_is_counted_and_not_timed() -> None:
    answers = [Answer("/today", 10.0, 200, True), Answer("/today", 30.0, 200, False), Answer("/today", 1.0, 503, True)]
    bare = [Answer("/today", 5.0, 200, True)]
    today = explorer_load.figures(explorer_load.Measured(answers, bare, answers, bare, [1.0]))[0]
    assert (today.answers, today.median, today.bare, today.ratio) == (3, 20.0, 5.0, 4.0)
    assert (today.errors, today.left_out) == (1, 1)


def test_memory_is_compared_with_that_in_the_middle() -> None:
    told = explorer_load.growth([*[100.0] * 10, *[200.0] * 20, *[210.0] * 10])
    assert (told["at_10_s"], told["middle"], told["end"]) == (100.0, 200.0, 210.0)
    assert told["second_half"] == pytest.approx(0.05)
