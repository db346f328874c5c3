"""Read what people corrected: exports of Label Studio, CoNLL, or JSONL as `tweetspan sample` and `export` write it.

What cannot be used is told with its place, and the texts around it are read.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from tagging.errors import CorpusError
from trainer.corpus_files import conll_blocks, example_from_conll, example_from_json, read_lines
from trainer.examples import Example

FORMATS = ("auto", "label-studio", "conll", "jsonl")
_BETWEEN = re.compile(r"[\s,\[\]]*")  # the values of a JSON array, or those on lines


@dataclass(frozen=True)
class BadRow:
    """A text that cannot be used: where it begins (line, and id where it has one), and why."""

    place: str
    reason: str


@dataclass
class Corrections:
    """What a file holds. `several` texts had several annotations, of which the newest was taken."""

    examples: list[Example] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    unannotated: int = 0
    cancelled: int = 0
    several: int = 0


def read_corrections(path: Path, file_format: str = "auto") -> Corrections:
    """Read a file of corrected annotations, of one of FORMATS. Raises CorpusError if it cannot be read at all."""
    lines = read_lines(path)
    if file_format == "auto":
        file_format = _format("\n".join(lines[:1000]))
    found = Corrections()
    readers: dict[str, Callable[[Path, list[str], Corrections], None]] = {
        "label-studio": _read_label_studio,
        "conll": _read_conll,
        "jsonl": _read_jsonl,
    }
    readers[file_format](path, lines, found)
    return found


def _format(start: str) -> str:
    """Tell a file's format by its first characters."""
    if re.match(r"\s*\[\s*[{\]]", start):
        return "label-studio"
    if not re.match(r"\s*\{", start):
        return "conll"
    return "label-studio" if re.search(r'"annotations"\s*:', start.lstrip().split("\n")[0]) else "jsonl"


def _read_conll(path: Path, lines: list[str], found: Corrections) -> None:
    for block in conll_blocks(lines):
        try:
            found.examples.append(example_from_conll(path, block))
        except CorpusError as error:
            place, _, reason = str(error).removeprefix(f"{path}:").partition(": ")
            found.bad.append(BadRow(f"line {place}", reason))


def _read_jsonl(path: Path, lines: list[str], found: Corrections) -> None:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            with_id = ""
            try:
                row = json.loads(line)
                with_id = f", tweet {row['id']}" if isinstance(row, dict) and "id" in row else ""
                found.examples.append(_from_jsonl(row))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                found.bad.append(BadRow(f"line {number}{with_id}", _reason(error)))


def _from_jsonl(row: Any) -> Example:
    if not isinstance(row, dict):
        raise TypeError("not a JSON object")
    if "audit" in row or "missed" in row:
        raise ValueError(
            "a line of an audit, whose spans are judged and not corrected; it is for `tweetspan entities audit report`"
        )
    if "tokens" in row:
        return example_from_json(row)
    spans = [
        _span(row["text"], one["start"], one["end"], one.get("surface"), one["label"]) for one in _objects(row["spans"])
    ]
    return _example(row["text"], spans)


def _read_label_studio(path: Path, lines: list[str], found: Corrections) -> None:
    for number, task in _values(path, "\n".join(lines)):
        place = f"line {number}" + (f", task {task['id']}" if isinstance(task, dict) and "id" in task else "")
        try:
            _add_task(task, found)
        except (ValueError, KeyError, TypeError) as error:
            found.bad.append(BadRow(place, _reason(error)))


def _values(path: Path, content: str) -> Iterator[tuple[int, Any]]:
    """Yield the values of a JSON array, or of several lines, with the number of the line each begins on."""
    decoder = json.JSONDecoder()
    number, counted, position = 1, 0, 0
    while True:
        position = _after(content, position)
        number, counted = number + content.count("\n", counted, position), position
        if position == len(content):
            return
        try:
            value, position = decoder.raw_decode(content, position)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{path}:{number}: broken JSON ({error}); export it anew, as JSON") from error
        yield number, value


def _after(content: str, position: int) -> int:
    between = _BETWEEN.match(content, position)
    return between.end() if between else position


def _add_task(task: Any, found: Corrections) -> None:
    if not isinstance(task, dict) or "annotations" not in task or not isinstance(task.get("data"), dict):
        raise ValueError('no task with "data" and "annotations"; export from Label Studio as JSON, not JSON-MIN')
    text = task["data"].get("text")
    if not isinstance(text, str):
        raise ValueError(f'its data has no "text", but {", ".join(task["data"])}; name the text so and export anew')
    made = _objects(task["annotations"])
    kept = [one for one in made if not one.get("was_cancelled")]
    if kept:
        newest = max(enumerate(kept), key=lambda one: (_when(one[1]), one[0]))[1]
        labelled = [one for one in _objects(newest["result"]) if one.get("type") in ("labels", "hypertextlabels")]
        found.examples.append(_example(text, [_label_studio_span(text, one["value"]) for one in labelled]))
    found.cancelled += bool(made) and not kept
    found.unannotated += not made
    found.several += len(kept) > 1


def _when(annotation: dict[str, Any]) -> str:
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


def _label_studio_span(text: str, value: dict[str, Any]) -> dict[str, Any]:
    labels = value.get("labels") or value.get("hypertextlabels") or []
    if len(labels) != 1:
        raise ValueError(f"the span {value.get('start')}-{value.get('end')} has {len(labels)} labels; leave it one")
    said = value.get("text")
    if said is None and any(char > "\uffff" for char in text):
        raise ValueError(
            f"the span {value['start']}-{value['end']} comes without its text, and in a text with emoji the unit of "
            "its offsets cannot be told; export with the texts of the regions"
        )
    return _span(text, value["start"], value["end"], said, labels[0])


def _objects(values: Any) -> list[dict[str, Any]]:
    if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
        raise TypeError("spans, annotations and results are lists of objects")
    return values


def _span(text: str, start: Any, end: Any, said: Any, label: Any) -> dict[str, Any]:
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise ValueError(f"the offsets {start!r} and {end!r} are not those of a span")
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"{label!r} is not a label")
    start, end = (start, end) if said is None else located(text, start, end, str(said))
    return {"start": start, "end": end, "label": label}


def located(text: str, start: int, end: int, said: str) -> tuple[int, int]:
    """Return where a span lies in code points, given offsets that may be of UTF-16, as a browser counts.

    `said` is what the span is said to hold; Label Studio writes a line's end in it as backslash and n. Raises
    ValueError where it stands at neither place.
    """
    wanted = {said, said.replace("\\n", "\n")}
    if text[start:end] in wanted:
        return start, end
    units = [0, *accumulate(1 + (char > "\uffff") for char in text)]  # before each character
    if start in units and end in units:
        place = units.index(start), units.index(end)
        if text[slice(*place)] in wanted:
            return place
    raise ValueError(f"{said[:60]!r} does not stand at {start}-{end} of the text, in code points or UTF-16")


def _example(text: Any, spans: list[dict[str, Any]]) -> Example:
    try:
        str(text).encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair stands in the text; export it anew") from None
    return example_from_json({"text": text, "spans": spans})


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return f"broken JSON ({error})" if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)
