"""The whole ways: review, correct, take back, train; and an audit from its sample to its report."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import main
from tagging.spans import Span
from tests.questions.world import World
from trainer.corpus import load_files, with_validation


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    """Let the commands use the database of the world."""
    monkeypatch.setenv("TWEETSPAN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWEETSPAN_DATABASE_URL", database_url)


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done


def corrected_lines(output: str) -> tuple[str, list[tuple[str, list[dict[str, Any]]]]]:
    """Do as a person with an editor: take out the first span of each tweet; return the file, and what it should say."""
    rows = [json.loads(line) for line in output.splitlines()]
    assert all(row["reasons"] for row in rows)
    for row in rows:
        del row["spans"][:1]
    return "\n".join(map(json.dumps, rows)), [(row["text"], row["spans"]) for row in rows]


def corrected_tasks(output: str) -> tuple[str, list[tuple[str, list[dict[str, Any]]]]]:
    """Do likewise in Label Studio, in a browser that counts offsets in UTF-16."""
    tasks, expected = [], []
    for task in json.loads(output):
        text, result = task["data"]["text"], task["predictions"][0]["result"][1:]
        values = [one["value"] for one in result]
        expected.append((text, [{**one, "label": one["labels"][0]} for one in values]))
        for value in values:
            value |= {edge: len(text[: value[edge]].encode("utf-16-le")) // 2 for edge in ("start", "end")}
        tasks.append({"id": 1, "data": task["data"], "annotations": [{"was_cancelled": False, "result": result}]})
    return json.dumps(tasks), expected


@pytest.mark.parametrize(("file_format", "correct"), [("jsonl", corrected_lines), ("label-studio", corrected_tasks)])
def test_review_correct_and_train(world: World, tmp_path: Path, file_format: str, correct: Any) -> None:
    chosen = run("sample", "--for-review", "12", "--format", file_format, "--model", "1", "--hidden")
    assert chosen.stderr.startswith("12 tweets to review, from 60 of 60 tweets that version 1 has read")
    content, reviewed = correct(chosen.stdout)
    (tmp_path / "export").write_text(content, encoding="utf-8")
    told = run("import-labels", str(tmp_path / "export"), "--to", str(tmp_path / "corpus.jsonl"))
    assert told.stdout.startswith("12 texts with")
    corpus = with_validation(load_files(tmp_path / "corpus.jsonl"), seed=1)
    assert corpus.sizes == {"train": 11, "validation": 1}
    expected = [
        (text, tuple(Span(one["start"], one["end"], one["label"]) for one in spans)) for text, spans in reviewed
    ]
    examples = (*corpus.splits["train"], *corpus.splits["validation"])
    assert sorted((one.text, one.spans) for one in examples) == sorted(expected)
    assert any(
        "🎉" in text.partition(one["surface" if "surface" in one else "text"])[0]
        for text, spans in reviewed
        for one in spans
    ), "the units differ"


def test_audit_from_sample_to_report(world: World, tmp_path: Path) -> None:
    drawn = run("entities", "audit", "sample", "--tweets", "60", "--model", "1", "--output", str(tmp_path / "a.jsonl"))
    assert drawn.stderr.startswith("60 tweets and ")
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    unjudged = CliRunner().invoke(main, ["entities", "audit", "report", str(tmp_path / "a.jsonl")])
    assert unjudged.exit_code == 1
    assert "\nline 2: " in unjudged.output
    rows = [json.loads(line) for line in lines]
    for row in rows[1:]:
        row["missed"] = []
        for span in row["spans"]:
            span["correct"] = span["label"] != "ORG"
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    answer = json.loads(run("entities", "audit", "report", str(tmp_path / "a.jsonl"), "--json").stdout)
    assert answer["covers"]["tweets"] == 60
    by_label = {row["label"]: row for row in answer["rows"]}
    assert (by_label["ORG"]["precision"], by_label["ORG"]["corrected"], by_label["ORG"]["recall"]) == (0, 0, None)
    per = by_label["PER"]
    assert per["precision"] == per["recall"] == per["precision_low"] == 1, "every tweet was judged"
    assert per["found"] == per["corrected"] == per["corrected_low"] == per["corrected_high"] > 0
    told = run("entities", "audit", "report", str(tmp_path / "a.jsonl")).stdout
    assert "1.000 (1.000 to 1.000)" in told
    assert "from 60 judged tweets" in told
    csv = run("entities", "audit", "report", str(tmp_path / "a.jsonl"), "--csv").stdout
    assert csv.startswith("label,precision,precision_low,precision_high,recall")
