"""Annotated texts in files: CoNLL (a token and its IOB2 label a line, a blank line between texts) and JSONL.

A line of JSONL is {"text", "spans": [{"start", "end", "label"}]}, with offsets in code points, end exclusive, or
{"tokens", "labels"}. Standard library only.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tagging.errors import CorpusError
from tagging.spans import Span
from trainer.examples import Example, from_tokens

Block = list[tuple[int, str]]  # the numbered lines of one text in CoNLL


def read_examples(path: Path) -> Iterator[Example]:
    """Yield the texts of a CoNLL or JSONL file. Raises CorpusError at the first that cannot be used."""
    lines = read_lines(path)
    first = next((line for line in lines if line.strip()), "").strip()
    is_json = first.startswith("{") and first.endswith("}")
    yield from _read_jsonl(path, lines) if is_json else _read_conll(path, lines)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file, cut at newlines alone. Raises CorpusError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 (byte {error.start}); convert it first") from error


def conll_blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Yield the lines of each text, with their numbers."""
    block: Block = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append((number, line.rstrip("\r")))
        elif block:
            yield block
            block = []


def example_from_conll(path: Path, block: Block) -> Example:
    """Make an Example from the lines of a text. Raises CorpusError with the place of what is wrong."""
    tokens, labels = zip(*(_conll_row(path, number, line) for number, line in block), strict=True)
    return from_tokens(tokens, labels)


def example_from_json(row: dict[str, Any]) -> Example:
    """Make an Example from a line of JSONL. Raises ValueError, KeyError or TypeError."""
    if "tokens" in row:
        return from_iob2(row["tokens"], row["labels"])
    text = row["text"]
    if not isinstance(text, str):
        raise TypeError(f"the text is {text!r}, not a string")
    spans = tuple(sorted(Span(int(one["start"]), int(one["end"]), str(one["label"])) for one in row["spans"]))
    for span in spans:
        if not 0 <= span.start < span.end <= len(text):
            raise ValueError(f"span {span.start}-{span.end} lies outside the text of {len(text)} characters")
    for one, following in pairwise(spans):
        if following.start < one.end:
            raise ValueError(f"spans {one.start}-{one.end} and {following.start}-{following.end} overlap")
    return Example(text, spans)


def from_iob2(tokens: Sequence[str], labels: Sequence[str]) -> Example:
    """Make an Example from what a file says; raises ValueError where `from_tokens` would go wrong silently."""
    if len(tokens) != len(labels):
        raise ValueError(f"{len(tokens)} tokens and {len(labels)} labels")
    wrong = next((label for label in labels if not _is_iob2(label)), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is not an IOB2 label; expected O, B-… or I-…")
    return from_tokens(tokens, labels)


def _read_conll(path: Path, lines: Sequence[str]) -> Iterator[Example]:
    for block in conll_blocks(lines):
        yield example_from_conll(path, block)


def _conll_row(path: Path, number: int, line: str) -> tuple[str, str]:
    columns = line.split("\t") if "\t" in line else line.split(" ")
    token, label = columns[0], columns[-1]  # of more than two columns the first and the last count
    if len(columns) < 2:
        raise CorpusError(f"{path}:{number}: {line[:60]!r} has one column; expected a token, a tab and a label")
    if not _is_iob2(label):
        raise CorpusError(f"{path}:{number}: {label[:60]!r} is not an IOB2 label; expected O, B-… or I-…")
    return token, label


def _is_iob2(label: Any) -> bool:
    return isinstance(label, str) and (label == "O" or (label[:2] in ("B-", "I-") and len(label) > 2))


def _read_jsonl(path: Path, lines: Sequence[str]) -> Iterator[Example]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield example_from_json(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise CorpusError(
                    f'{path}:{number}: {error!r}; expected {{"text", "spans": [{{"start", "end", "label"}}]}} '
                    'with code-point offsets, or {"tokens", "labels"}'
                ) from error
