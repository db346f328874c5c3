"""Corrected annotations that come back: Label Studio, CoNLL, JSONL, and what the command says of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from cli import main
from tagging.errors import CorpusError
from tagging.spans import Span
from trainer.corpus import load_files
from trainer.corrections import Corrections, located, read_corrections
from trainer.examples import Example

TEXT = "🎉🎉 Ann met Bob in São Paulo"
SPANS = (Span(3, 6, "PER"), Span(11, 14, "PER"), Span(18, 27, "LOC"))


def label(start: int, end: int, text: str | None, label: str = "PER", **more: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"start": start, "end": end, "labels": [label]}
    if text is not None:
        value["text"] = text
    return {"from_name": "label", "to_name": "text", "type": "labels", "value": value} | more


def in_code_points() -> list[dict[str, Any]]:
    return [label(one.start, one.end, one.surface(TEXT), one.label) for one in SPANS]


def in_utf16() -> list[dict[str, Any]]:
    return [label(one.start + 2, one.end + 2, one.surface(TEXT), one.label) for one in SPANS]


def task(*results: list[dict[str, Any]], text: str = TEXT, **more: Any) -> dict[str, Any]:
    annotations = [{"id": number, "result": result} for number, result in enumerate(results)]
    return {"id": 17, "data": {"text": text}, "annotations": annotations} | more


def read(tmp_path: Path, content: Any, file_format: str = "auto") -> Corrections:
    path = tmp_path / "export"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_corrections(path, file_format)


def run(tmp_path: Path, content: Any, *options: str) -> Result:
    path = tmp_path / "export"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return CliRunner().invoke(main, ["import-labels", str(path), "--to", str(tmp_path / "corpus.jsonl"), *options])


@pytest.mark.parametrize("result", [in_code_points(), in_utf16(), [*in_code_points()[:1], *in_utf16()[1:]]])
def test_offsets_of_either_unit_are_read(tmp_path: Path, result: list[dict[str, Any]]) -> None:
    found = read(tmp_path, [task(result)])
    assert found.examples == [Example(TEXT, SPANS)]
    assert found.bad == []


@given(before=st.text(max_size=20), surface=st.text(min_size=1, max_size=8), after=st.text(max_size=5))
def test_what_is_located_holds_what_is_said(before: str, surface: str, after: str) -> None:
    text = before + surface + after
    start = len(before.encode("utf-16-le", "surrogatepass")) // 2
    end = start + len(surface.encode("utf-16-le", "surrogatepass")) // 2
    found = located(text, start, end, surface)
    assert text[slice(*found)] == surface
    assert located(text, len(before), len(before) + len(surface), surface) == (len(before), len(before) + len(surface))


def test_line_ends_in_a_label_studio_region(tmp_path: Path) -> None:
    found = read(tmp_path, [task([label(0, 7, "San\\nJua", "LOC")], text="San\nJuan")])
    assert found.examples == [Example("San\nJuan", (Span(0, 7, "LOC"),))]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (task([label(0, 3, "Ann")]), "'Ann' does not stand at 0-3 of the text, in code points or UTF-16"),
        (task([label(1, 5, "Ann")]), "does not stand at 1-5"),  # where UTF-16 would cut an emoji in two
        (task([label(3, 6, None)]), "the unit of its offsets cannot be told"),
        (task([label(0, 99, None)], text="Ann"), "outside the text of 3 characters"),
        (task([label(3, 6, "Ann"), label(3, 10, "Ann met")]), "overlap"),
        (task([{"type": "labels", "value": {"start": 3, "end": 6, "text": "Ann", "labels": []}}]), "has 0 labels"),
        (
            task([{"type": "labels", "value": {"start": 3, "end": 6, "text": "Ann", "labels": ["A", "B"]}}]),
            "has 2 labels",
        ),
        (task([{"type": "labels", "value": {"end": 6, "text": "Ann", "labels": ["A"]}}]), "'start' is missing"),
        (task([label(3, 6, "Ann", "")]), "'' is not a label"),
        (task([{"type": "labels", "value": {"start": "/p[1]", "end": 6, "text": "a", "labels": ["A"]}}]), "'/p[1]'"),
        ({"id": 17, "data": {"tweet": TEXT}, "annotations": []}, 'has no "text", but tweet'),
        ({"id": 17, "text": TEXT, "label": []}, "export from Label Studio as JSON, not JSON-MIN"),
        (task([], text="\ud83d"), "half of a surrogate pair"),
        ({"id": 17, "data": {"text": TEXT}, "annotations": [3]}, "lists of objects"),
    ],
)
def test_a_bad_task_is_told_with_its_place_and_skipped(tmp_path: Path, bad: dict[str, Any], reason: str) -> None:
    good = task(in_utf16())
    found = read(tmp_path, json.dumps([good, bad, good], indent=1), "label-studio")
    assert found.examples == [Example(TEXT, SPANS)] * 2
    [row] = found.bad
    assert row.place == f"line {json.dumps([good], indent=1).count(chr(10)) + 1}, task 17"  # as "]" stands there
    assert reason in row.reason


def test_which_annotation_is_taken(tmp_path: Path) -> None:
    old, new = [label(3, 6, "Ann")], [label(11, 14, "Bob")]
    dated = task(new, old)
    dated["annotations"][0]["updated_at"] = "2026-02-01T00:00:00Z"
    dated["annotations"][1]["created_at"] = "2026-01-01T00:00:00Z"
    cancelled = task(old, new)
    cancelled["annotations"][1]["was_cancelled"] = True
    skipped = task(old)
    skipped["annotations"][0]["was_cancelled"] = True
    found = read(tmp_path, [dated, cancelled, skipped, task(), task([]), task(old, new)])
    surfaces = [[span.surface(TEXT) for span in one.spans] for one in found.examples]
    assert surfaces == [["Bob"], ["Ann"], [], ["Bob"]]
    assert (found.several, found.cancelled, found.unannotated, found.bad) == (2, 1, 1, [])


def test_other_results_than_labels_are_passed_over(tmp_path: Path) -> None:
    others = [{"type": "choices", "value": {"choices": ["spam"]}}, {"type": "relation", "from_id": "a", "to_id": "b"}]
    assert read(tmp_path, [task([*others, *in_code_points()])]).examples == [Example(TEXT, SPANS)]


def test_tasks_on_lines(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(one) for one in (task(in_utf16()), task([label(0, 1, "x")]), task([])))
    found = read(tmp_path, lines)
    assert [one.spans for one in found.examples] == [SPANS, ()]
    assert [one.place for one in found.bad] == ["line 2, task 17"]


def test_a_torn_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"export:3: broken JSON .*; export it anew"):
        read(tmp_path, f"[\n{json.dumps(task([]))},\n" + '{"id": 3, "data"')


def test_jsonl(tmp_path: Path) -> None:
    spans = [{"start": one.start, "end": one.end, "label": one.label} for one in SPANS]
    lines: list[Any] = [
        {"id": "1", "text": TEXT, "spans": spans, "reasons": ["a score of 0.2"]},
        {"id": "2", "text": TEXT, "spans": [{**spans[0], "start": 5, "end": 8, "surface": "Ann"}]},
        {"tokens": ["Ann", "met"], "labels": ["B-PER", "O"]},
        {"id": "4", "text": TEXT, "spans": [{**spans[0], "surface": "Bob"}]},
        {"id": "5", "text": TEXT, "spans": [], "missed": []},
        {"id": "6", "text": TEXT},
        ["no", "object"],
    ]
    content = "\n".join([*map(json.dumps, lines), '{"text": "torn', ""])
    found = read(tmp_path, content)
    assert [one.spans for one in found.examples] == [SPANS, SPANS[:1], (Span(0, 3, "PER"),)]
    assert [one.place for one in found.bad] == [
        "line 4, tweet 4",
        "line 5, tweet 5",
        "line 6, tweet 6",
        "line 7",
        "line 8",
    ]
    reasons = [
        "'Bob' does not stand at 3-6",
        "a line of an audit",
        "'spans' is missing",
        "not a JSON object",
        "broken JSON",
    ]
    assert all(said in one.reason for said, one in zip(reasons, found.bad, strict=True))


def test_conll(tmp_path: Path) -> None:
    found = read(tmp_path, "Ann\tB-PER\nmet\tO\n\nBob\tPER\n\n[\tO\n@\tB-PER\nzoe\tI-PER\n")
    assert [one.text for one in found.examples] == ["Ann met", "[ @zoe"]
    assert [(one.place, one.reason) for one in found.bad] == [
        ("line 4", "'PER' is not an IOB2 label; expected O, B-… or I-…")
    ]


def test_the_command_writes_a_corpus_that_train_reads(tmp_path: Path) -> None:
    done = run(tmp_path, [task(in_utf16()), task([label(0, 3, "Ann")]), task(), task([], [])])
    corpus = tmp_path / "corpus.jsonl"
    assert done.exit_code == 3
    assert done.stdout == (
        "2 texts with 3 spans (2 PER, 1 LOC); left out: 1 not annotated, 0 cancelled, 1 bad row; of 1 with several "
        f"annotations the newest was taken\nto train on them: tweetspan train --train-file {corpus}\n"
    )
    assert done.stderr.startswith(f"{tmp_path / 'export'}, line 1, task 17: 'Ann' does not stand at 0-3")
    assert load_files(corpus).splits["train"] == (Example(TEXT, SPANS), Example(TEXT, ()))
    assert run(tmp_path, [task(in_utf16())]).exit_code == 0


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("", (), "holds no annotated text that can be used; left out: 0 not annotated, 0 cancelled, 0 bad rows"),
        ("[]", (), "holds no annotated text"),
        ([task()], (), "left out: 1 not annotated"),
        (b"\xff\xfe".decode("latin-1"), ("--format", "label-studio"), "export:1: broken JSON"),
        ([task(in_utf16())], ("--to", "{tmp_path}/none/corpus.jsonl"), "No such file or directory; check the path"),
        (
            [task(in_utf16())],
            ("--to", "{tmp_path}/export"),
            "is the file that is read; write the corpus to another one",
        ),
    ],
)
def test_what_gives_no_corpus_says_why(tmp_path: Path, content: Any, options: tuple[str, ...], said: str) -> None:
    done = run(tmp_path, content, *(one.format(tmp_path=tmp_path) for one in options))
    assert done.exit_code == 1
    assert said in done.output
    assert not (tmp_path / "corpus.jsonl").exists()
