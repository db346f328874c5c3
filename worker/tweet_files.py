"""Read tweets from JSONL (API v1.1, v2, plain), CSV and standard input, line by line.

What cannot be used comes as a BadRow between the tweets around it; only a file that cannot be read at all is an error.
"""

import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, dropwhile
from typing import BinaryIO, Literal, NamedTuple

import orjson

from tagging.errors import BadTweetError, TweetFileError
from worker.tweet_json import Tweet, plain_tweet, shown, tweets_in

__all__ = ["FORMATS", "BadRow", "Tweet", "read_tweets"]

FORMATS = ("auto", "v1", "v2", "plain", "csv")

_LONGEST = 64 * 2**20  # bytes of a line, or of a JSON document over several lines
_LONGEST_FIELD = 4 * 2**20  # characters; a quote that is never closed is given up after as many
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_FILES = {
    b"\xff\xfe": "is UTF-16; save it as UTF-8",
    b"\xfe\xff": "is UTF-16; save it as UTF-8",
    b"\x1f\x8b": "is compressed; unpack it with gunzip",
    b"PK\x03\x04": "is a zip archive or a spreadsheet; unpack it, or export it as CSV",
}

# What a CSV column may be called, best first: where a file has several, digits survive in the first.
_COLUMNS = {
    "id": ("id_str", "tweet_id", "id"),
    "text": ("full_text", "text", "tweet_text", "tweet"),
    "created_at": ("created_at", "date"),
    "author": ("author", "username", "screen_name", "user", "author_id"),
    "language": ("language", "lang"),
    "retweet_of": ("retweet_of",),
}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that gives no tweet: `line` of `source` (1-based; where the row begins) and what is wrong with it."""

    source: str
    line: int
    reason: str


class _Line(NamedTuple):
    number: int
    content: bytes

    @property
    def is_blank(self) -> bool:
        return not self.content or self.content.isspace()


def read_tweets(stream: BinaryIO, source: str, file_format: str = "auto") -> Iterator[Tweet | BadRow]:
    """Yield the tweets of a file in order, with a BadRow for each row or tweet that cannot be used.

    `source` is the file's name, or "-", for messages. `file_format` is one of FORMATS; with "auto" each JSON object is
    looked at, so a file may mix them. Only `stream.readline` is called; one line at a time is held, or one JSON
    document that spans lines (64 MiB at most). Offsets into a tweet refer to its text, see Tweet.
    Raises TweetFileError where the whole file cannot be read, and ValueError for another format.
    """
    if file_format not in FORMATS:
        raise ValueError(f"format {file_format!r}; it must be one of {', '.join(FORMATS)}")
    lines: Iterator[_Line] = dropwhile(lambda line: line.is_blank, _lines(stream, source))
    first = next(lines, None)
    if first is None:
        return
    _refuse_other_files(first.content, source)
    lines = chain([first], lines)
    is_json = first.content.lstrip().startswith((b"{", b"["))
    if file_format == "csv" or (file_format == "auto" and not is_json):
        yield from _read_csv(lines, source)
    else:
        yield from _read_json(lines, source, file_format)


def _lines(stream: BinaryIO, source: str) -> Iterator[_Line]:
    """Split at line feeds only: U+2028 and U+0085 may stand inside a JSON string."""
    number = 0
    while content := stream.readline(_LONGEST + 1):
        number += 1
        _refuse_too_long(len(content), source, number)
        yield _Line(number, content.removeprefix(_BYTE_ORDER_MARK) if number == 1 else content)


def _refuse_too_long(length: int, source: str, number: int) -> None:
    if length > _LONGEST:
        advice = "write one tweet or page a line, with jq -c '.[]' for an array or jq -c . for a page"
        raise TweetFileError(f"{source}, line {number}: more than {_LONGEST // 2**20} MiB of JSON or CSV; {advice}")


def _refuse_other_files(start: bytes, source: str) -> None:
    for magic, advice in _OTHER_FILES.items():
        if start.startswith(magic):
            raise TweetFileError(f"{source} {advice}")


def _read_json(lines: Iterator[_Line], source: str, said: str) -> Iterator[Tweet | BadRow]:
    for line in _json_values(lines, source):
        if line.is_blank:
            continue
        try:
            found = tweets_in(_parsed(line.content), said)
        except BadTweetError as error:
            yield BadRow(source, line.number, str(error))
            continue
        for tweet in found:
            yield tweet if isinstance(tweet, Tweet) else BadRow(source, line.number, str(tweet))


def _json_values(lines: Iterator[_Line], source: str) -> Iterator[_Line]:
    """Yield what holds one JSON value each: the lines, or the one document that all of them are."""
    first = next(lines)
    if _state(first.content) == "unfinished":
        second = next((line for line in lines if not line.is_blank), _Line(first.number, b""))
        lines = chain([second], lines)
        # A pretty-printed document goes on here. The line behind a torn JSONL line does not fit to it.
        if _state(first.content + second.content) != "broken":
            yield from _document(chain([first], lines), source)
            return
    yield first
    yield from lines


def _document(lines: Iterable[_Line], source: str) -> Iterator[_Line]:
    held, length = [], 0
    for line in lines:
        held.append(line)
        length += len(line.content)
        _refuse_too_long(length, source, held[0].number)
    whole = _Line(held[0].number, b"".join(line.content for line in held))
    # A torn first line can look like a document's; then the lines behind it can still be read.
    is_document = _state(whole.content) == "whole" or not any(_is_object(line.content) for line in held)
    yield from [whole] if is_document else held


def _state(content: bytes) -> Literal["whole", "unfinished", "broken"]:
    """Tell JSON that is sound up to its end, and merely goes on behind it, from JSON with an error inside."""
    text = content.decode("utf-8", "surrogateescape").rstrip()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return "unfinished" if error.pos >= len(text) else "broken"
    except (ValueError, RecursionError):
        return "broken"
    return "whole"


def _is_object(content: bytes) -> bool:
    try:
        return isinstance(_parsed(content), dict)
    except BadTweetError:
        return False


def _parsed(content: bytes) -> object:
    """Parse one JSON value; raise BadTweetError for what is none."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:  # also for what may pass: a lone surrogate, a NaN, a byte that is not UTF-8
        return _slowly_parsed(content.rstrip())


def _slowly_parsed(content: bytes) -> object:
    # In a document of many tweets a byte that is not UTF-8 costs one tweet: as a surrogate that its text may not have.
    text = content.decode("utf-8", "surrogateescape") if b"\n" in content else _decoded(content)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno} of it"
        raise BadTweetError(f"broken JSON: {error.msg}: {place}") from None
    except RecursionError:
        raise BadTweetError("JSON that is nested too deeply") from None
    except ValueError:  # Python's limit on the digits of an int
        raise BadTweetError("JSON with a number of several thousand digits") from None


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        wrong = content[error.start]
        raise BadTweetError(f"byte {error.start} of the row (0x{wrong:02x}) is not UTF-8; save it as UTF-8") from None


class _CsvLines:
    """Lines for csv.reader that can be taken back: behind a broken row, reading goes on with the row's second line.

    So a quote that is never closed costs the row it stands in, not the rest of the file.
    """

    def __init__(self, lines: Iterator[_Line]) -> None:
        self._lines = lines
        self._again: deque[_Line] = deque()
        self.row: list[_Line] = []  # the lines of the row that is being read

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.row.append(line)
        return line.content.decode("utf-8", "surrogateescape")

    def take_back(self) -> None:
        self._again.extendleft(reversed(self.row[1:]))


def _read_csv(lines: Iterator[_Line], source: str) -> Iterator[Tweet | BadRow]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    feed = _CsvLines(lines)
    rows = csv.reader(feed, strict=True)  # strict: a stray quote is an error and not a text with rows inside
    try:
        header = next(rows)
    except csv.Error as error:
        raise TweetFileError(f"{source} has no header that can be read: {error}") from None
    columns = _columns(header, source)
    while True:
        feed.row.clear()
        try:
            row = next(rows)
            if row and not (len(row) == 1 and feed.row[0].is_blank):
                yield _csv_tweet(row, feed.row, len(header), columns)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(source, feed.row[0].number, f"broken CSV: {error}")
            feed.take_back()
        except BadTweetError as error:
            yield BadRow(source, feed.row[0].number, str(error))


def _csv_tweet(row: Sequence[str], lines: Sequence[_Line], width: int, columns: dict[str, int]) -> Tweet:
    _decoded(b"".join(line.content for line in lines))
    if len(row) != width:
        raise BadTweetError(f"{len(row)} fields where the header has {width}; quote texts that hold commas")
    return plain_tweet({name: row[position] for name, position in columns.items()})


def _columns(header: Sequence[str], source: str) -> dict[str, int]:
    """Find the position of each field that the header names."""
    names = [name.strip().lower() for name in header]
    found = {
        field: names.index(next(alias for alias in aliases if alias in names))
        for field, aliases in _COLUMNS.items()
        if not set(aliases).isdisjoint(names)
    }
    if "id" not in found or "text" not in found:
        has = ", ".join(shown(name) for name in header[:20])
        wanted = f"an id ({' or '.join(_COLUMNS['id'])}) and a text ({' or '.join(_COLUMNS['text'])})"
        raise TweetFileError(
            f"{source} was taken for CSV, and its first line has the columns {has}; wanted are {wanted}, with commas "
            "between the columns. If these are JSON lines and the first is damaged, say their format"
        )
    return found
