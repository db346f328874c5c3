"""`tweetspan import-labels`: corrected annotations as a corpus that can be trained on."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagging.errors import CorpusError

if TYPE_CHECKING:
    from trainer.corrections import BadRow, Corrections
    from trainer.examples import Example

_SHOWN_BAD_ROWS = 20
_EXIT_SOME_BAD = 3
_FORMATS = ("auto", "label-studio", "conll", "jsonl")


@click.command("import-labels", short_help="Take corrected annotations back.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--to", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The corpus, as JSONL.")
@click.option("--format", "file_format", type=click.Choice(_FORMATS), default="auto", help="[default: look at it]")
def import_labels_command(file: Path, to: Path, file_format: str) -> None:
    """Read the annotations that people corrected in FILE, and write them as a corpus for `tweetspan train`.

    FILE is Label Studio's export as JSON, CoNLL with IOB2 labels, or JSONL as `tweetspan sample` writes it. Where
    offsets were counted as browsers do, with two for an emoji, they are put right by the text of the span. Cancelled
    annotations are left out; of several annotations of one text the newest is taken. What fits nowhere is reported
    with its line and id, and skipped; the exit code is then 3.

    \b
    Example: tweetspan import-labels export.json --to corrected.jsonl
    """
    from trainer.corrections import read_corrections

    if to.resolve() == file.resolve():
        raise CorpusError(f"{to} is the file that is read; write the corpus to another one")
    found = read_corrections(file, file_format)
    _report(file, found.bad)
    if not found.examples:
        raise CorpusError(f"{file} holds no annotated text that can be used; {_left_out(found)}")
    try:
        with to.open("w", encoding="utf-8") as corpus:
            corpus.writelines(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in found.examples)
    except OSError as error:
        raise CorpusError(f"cannot write {to}: {error.strerror}; check the path") from error
    click.echo(_summary(found))
    click.echo(f"to train on them: tweetspan train --train-file {to}")
    if found.bad:
        sys.exit(_EXIT_SOME_BAD)


def _report(file: Path, bad: list[BadRow]) -> None:
    from answers.wording import clean

    for row in bad[:_SHOWN_BAD_ROWS]:
        click.echo(clean(f"{file}, {row.place}: {row.reason}"), err=True)
    if len(bad) > _SHOWN_BAD_ROWS:
        click.echo("further bad rows are only counted", err=True)


def _row(example: Example) -> dict[str, object]:
    spans = [
        {"start": one.start, "end": one.end, "label": one.label, "surface": one.surface(example.text)}
        for one in example.spans
    ]
    return {"text": example.text, "spans": spans}


def _summary(found: Corrections) -> str:
    from answers.wording import clean, counted

    labels = Counter(span.label for example in found.examples for span in example.spans)
    by_label = ", ".join(f"{count} {label}" for label, count in labels.most_common())
    spans = counted(labels.total(), "span") + (f" ({by_label})" if by_label else "")
    return clean(f"{counted(len(found.examples), 'text')} with {spans}; {_left_out(found)}")


def _left_out(found: Corrections) -> str:
    from answers.wording import counted

    left_out = f"left out: {found.unannotated} not annotated, {found.cancelled} cancelled"
    told = f"{left_out}, {counted(len(found.bad), 'bad row')}"
    several = f"; of {found.several} with several annotations the newest was taken"
    return told + (several if found.several else "")
