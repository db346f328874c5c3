"""Reading files of tweets: lines, documents, CSV, and what must never happen around a bad row."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.errors import TweetFileError
from worker import tweet_files
from worker.tweet_files import FORMATS, BadRow, Tweet, read_tweets

GOOD = '{"id": "1", "text": "good"}'
PAGE = {
    "data": [{"id": "8", "text": "Fish &amp; chips", "author_id": "77"}, {"id": "9", "text": "b"}],
    "includes": {"users": [{"id": "77", "username": "ana"}]},
}


class Pipe(io.BytesIO):
    """Standard input: it cannot go back."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation("seek")


def read(content: str | bytes, file_format: str = "auto") -> list[Tweet | BadRow]:
    raw = content.encode() if isinstance(content, str) else content
    return list(read_tweets(Pipe(raw), "f", file_format))


def tweet(number: int, text: str, author: str | None = None) -> Tweet:
    return Tweet(number, text, None, author, None, None)


def summary(found: list[Tweet | BadRow]) -> list[str | int]:
    """Texts of the tweets, lines of the bad rows."""
    return [row.text if isinstance(row, Tweet) else row.line for row in found]


# JSON


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("said", ["auto", "v2"])
def test_page_on_one_line_or_pretty_printed(indent: int | None, said: str) -> None:
    assert read("\n" + json.dumps(PAGE, indent=indent), said) == [tweet(8, "Fish & chips", "ana"), tweet(9, "b")]


@pytest.mark.parametrize("layout", ["[%s,%s,%s]", "[%s,\n%s,\n%s]", "[\n%s,\n%s\n,\n%s\n]\n"])
def test_array_as_the_whole_document(layout: str) -> None:
    bad = BadRow("f", 1, "[1]: 5 where a JSON object is wanted")
    assert read(layout % (GOOD, "5", GOOD)) == [tweet(1, "good"), bad, tweet(1, "good")]


def test_a_file_may_mix_formats() -> None:
    v1 = '{"id_str": "2", "text": "&lt;"}'
    assert summary(read("\n".join([v1, '{"id": 3, "text": "&lt;"}', json.dumps(PAGE), "5"]))) == [
        "<", "&lt;", "Fish & chips", "b", 4,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id": 1, "text": "a', "broken JSON: Unterminated string starting at: column 19"),
        (b'{"id": 1, "text": "\xff"}', "byte 19 of the row (0xff) is not UTF-8"),
        (b'{"id": 1, "text": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"id": %s, "text": "a"}' % (b"9" * 5000), "several thousand digits"),
        (rb'{"id": 1, "text": "\ud83d"}', "lone surrogate U+D83D"),
        (b"[1, 2]", "an array where a JSON object is wanted"),
        (b'{"id": 1.2E+18, "text": "a"}', "export ids as strings"),
    ],
)
def test_bad_line_costs_itself_only(line: bytes, said: str) -> None:
    before, bad, after = read(b"\n".join([GOOD.encode(), line, GOOD.encode()]))
    assert before == after == tweet(1, "good")
    assert isinstance(bad, BadRow)
    assert (bad.source, bad.line) == ("f", 2)
    assert said in bad.reason


@pytest.mark.parametrize(
    "torn", ['{"id": 1,', '{"id": 1, "text": "a', '{"id": 1, "entities": [', '{"user":', "{", "[["]
)
def test_torn_first_line_costs_itself_only(torn: str) -> None:
    assert summary(read(f"{torn}\n\n{GOOD}\n{GOOD}\n")) == [1, "good", "good"]


def test_damaged_document_is_one_bad_row() -> None:
    reason = "broken JSON: Expecting value: line 10, column 15 of it"
    assert read("\n" + json.dumps(PAGE, indent=2).replace('"b"', "b")) == [BadRow("f", 2, reason)]


def test_byte_that_is_not_utf8_costs_one_tweet_of_a_document() -> None:
    bad, good = read(json.dumps(PAGE, indent=2).encode().replace(b"Fish", b"F\xff"))
    assert isinstance(bad, BadRow)
    assert "data[0]: the text cannot be stored" in bad.reason
    assert good == tweet(9, "b")


# Lines


@pytest.mark.parametrize("said", FORMATS)
@pytest.mark.parametrize("nothing", [b"", b"\xef\xbb\xbf\n \r\n\n"])
def test_file_of_nothing(said: str, nothing: bytes) -> None:
    assert read(nothing, said) == []


def test_byte_order_mark_and_blank_lines() -> None:
    assert read("\ufeff" + GOOD) == [tweet(1, "good")]
    assert summary(read(f"\ufeff\n{GOOD}\r\n\n  \nbad\n{GOOD}")) == ["good", 5, "good"]
    assert summary(read("\ufeffid,text\n\n1,a\n   \n2\n3,b")) == ["a", 5, "b"]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085", "\x1e", "\x0b"])
def test_only_line_feeds_break_lines(sign: str) -> None:
    text = f"a{sign}b"
    assert read(json.dumps({"id": 1, "text": text}, ensure_ascii=sign < " ")) == [tweet(1, text)]
    assert read(f"id,text\n1,{text}\n") == [tweet(1, text)]


def test_tweet_comes_before_the_next_line_is_there() -> None:
    class Slow(Pipe):
        def readline(self, _: int | None = -1) -> bytes:
            assert not self.closed, "read too far"
            self.close()
            return GOOD.encode() + b"\n"

    assert next(read_tweets(Slow(), "-")) == tweet(1, "good")


def test_long_texts() -> None:
    text = "x" * 100_000
    assert read(json.dumps({"id": 1, "text": text})) == read(f'id,text\n1,"{text}"') == [tweet(1, text)]


def test_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tweet_files, "_LONGEST", 100)
    assert len(read(f"{GOOD}\n" * 50)) == 50
    with pytest.raises(TweetFileError, match=r"f, line 2: .*jq -c"):
        read(f"{GOOD}\n{' ' * 101}")
    with pytest.raises(TweetFileError, match=r"f, line 1: .*jq -c"):
        read(json.dumps([1] * 100, indent=2))


@pytest.mark.parametrize(
    ("start", "advice"), [("id,text".encode("utf-16"), "UTF-8"), (b"\x1f\x8b", "gunzip"), (b"PK\x03\x04", "CSV")]
)
def test_files_of_another_kind(start: bytes, advice: str) -> None:
    with pytest.raises(TweetFileError, match=advice):
        read(start)


def test_unknown_format() -> None:
    with pytest.raises(ValueError, match="'xml'; it must be one of auto, v1"):
        read("", "xml")


# CSV


def test_csv() -> None:
    first, second = read("id,text,created_at,author,language,retweet_of\n7,a &amp; b,2018-10-10,ana,en,6\n8,c,,,,\n")
    assert isinstance(first, Tweet)
    assert (first.id, first.text, first.author, first.language, first.retweet_of) == (7, "a &amp; b", "ana", "en", 6)
    assert str(first.created_at) == "2018-10-10 00:00:00+00:00"
    assert second == tweet(8, "c")


def test_csv_aliases_prefer_the_columns_that_keep_digits() -> None:
    assert read("Id , ID_STR,Full_Text,user\r\n1,2,a,ana\r\n") == [tweet(2, "a", "ana")]
    assert read(",tweet_id,text,author_id\n0,5,a,77\n", "csv") == [tweet(5, "a", "77")]


def test_csv_line_breaks_in_fields() -> None:
    found = read('id,text\r\n1,"a\r\n\r\nb ""c"""\r\nx,d\r\n2,"e\nf"\r\ny,"g\nh"\n')
    assert summary(found) == ['a\r\n\r\nb "c"', 5, "e\nf", 8]


@pytest.mark.parametrize("bad", [b"2", b"2,b,c", b'2,"b"c', b'2,"b', b"2,\xff", b",b", b"2,", b"2,a\rb", b"2,\0"])
def test_csv_bad_row_costs_itself_only(bad: bytes) -> None:
    assert summary(read(b"id,text\n1,a\n" + bad + b'\n3,"c"\n4,d\n')) == ["a", 3, "c", "d"]


def test_csv_bad_rows_name_what_is_wrong() -> None:
    rows = read(b'id,text\n2,b,c\n3,\xff\n4,"d\n5,e')
    assert [row.reason for row in rows if isinstance(row, BadRow)] == [
        "3 fields where the header has 2; quote texts that hold commas",
        "byte 2 of the row (0xff) is not UTF-8; save it as UTF-8",
        "broken CSV: unexpected end of data",
    ]


@pytest.mark.parametrize("header", ["id,body", "number,text", "id;text", "hello", ","])
def test_csv_header_without_id_and_text(header: str) -> None:
    with pytest.raises(TweetFileError) as caught:
        read(f"{header}\n1,a\n")
    assert f"has the columns {header.split(',')[0]!r}" in str(caught.value)
    assert "an id (id_str or tweet_id or id) and a text (full_text or text" in str(caught.value)


def test_csv_header_that_is_broken() -> None:
    with pytest.raises(TweetFileError, match="unexpected end of data"):
        read('"id,text\n1,a\n')


# Properties

NAMES = (
    "id id_str text full_text created_at user lang extended_tweet retweeted_status author author_id note_tweet "
    "referenced_tweets language retweet_of errors screen_name username type"
)
KEYS = st.sampled_from(NAMES.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
JSON = st.recursive(
    LEAVES | st.sampled_from(["7", "retweeted"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, JSON)
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)


@given(st.lists(OBJECTS, min_size=1), st.sampled_from(["auto", "v1", "v2", "plain"]))
def test_each_line_gives_one_tweet_or_one_bad_row(rows: list[dict[str, Any]], said: str) -> None:
    found = read("\n".join(json.dumps(row) for row in rows), said)
    assert len(found) == len(rows)
    assert all(row.line == number for number, row in enumerate(found, 1) if isinstance(row, BadRow))
    str(found).encode()  # whatever came, it can be printed


@given(st.lists(OBJECTS | JSON, max_size=3), JSON, st.sampled_from([None, 1]))
def test_each_item_of_a_page_gives_one_tweet_or_one_bad_row(data: list[Any], junk: Any, indent: int | None) -> None:
    page = {"data": data, "includes": {"users": junk}, "meta": junk}
    assert len(read(json.dumps(page, indent=indent))) == len(data)


@given(st.binary().map(b"?".__add__) | st.text('{[]}":,1a \n').map(str.encode), st.sampled_from(["v1", "v2", "plain"]))
def test_any_bytes_leave_the_json_line_behind_them(content: bytes, said: str) -> None:
    assert read(content + b"\n" + GOOD.encode(), said)[-1] == tweet(1, "good")


@given(st.binary() | st.text('1a",\n\r').map(str.encode))
def test_any_bytes_leave_the_csv_row_behind_them(content: bytes) -> None:
    assert read(b"id,text\n" + content + b"\n7,last\n")[-1] == tweet(7, "last")


@given(STORABLE, st.booleans())
def test_storable_text_comes_back(text: str, ensure_ascii: bool) -> None:
    assert read(json.dumps({"id": 1, "text": text}, ensure_ascii=ensure_ascii)) == [tweet(1, text)]


@given(STORABLE)
def test_storable_text_comes_back_from_csv(text: str) -> None:
    table = io.StringIO(newline="")
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows([["id", "text"], ["1", text], ["2", "b"]])
    assert read(table.getvalue()) == [tweet(1, text), tweet(2, "b")]
