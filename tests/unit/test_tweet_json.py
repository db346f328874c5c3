"""One JSON value to tweets: every shape, every field that can be wrong."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.errors import BadTweetError
from worker.tweet_json import Tweet, tweets_in

ID = 1050118621198921728
MOMENT = datetime(2018, 10, 10, 20, 19, 24, tzinfo=UTC)
V1 = {
    "id": 1050118621198921700,
    "id_str": str(ID),
    "text": "Fish &amp; chips &lt;3 &amp;lt; &quot;",
    "created_at": "Wed Oct 10 20:19:24 +0000 2018",
    "lang": "en",
    "user": {"screen_name": "ana"},
}
V2 = {
    "id": str(ID),
    "text": "Fish &amp; chips",
    "created_at": "2018-10-10T20:19:24.000Z",
    "lang": "en",
    "author_id": "77",
    "referenced_tweets": [{"type": "quoted", "id": "5"}, {"type": "retweeted", "id": "6"}],
}
PLAIN = {"id": "7", "text": "Fish &amp; chips", "author": "ana", "language": "en", "retweet_of": 6}
PAGE = {"data": [V2], "includes": {"users": [{"id": "77", "username": "ana"}]}}


def all_of(value: object, said: str = "auto") -> list[Tweet | BadTweetError]:
    return list(tweets_in(json.loads(json.dumps(value)), said))


def one(value: object, said: str = "auto") -> Tweet:
    [found] = all_of(value, said)
    assert isinstance(found, Tweet), found
    return found


def reason(value: object, said: str = "auto") -> str:
    [found] = all_of(value, said)
    assert isinstance(found, BadTweetError), found
    return str(found)


def tweet(number: int, text: str, **others: Any) -> Tweet:
    nothing = dict.fromkeys(["created_at", "author", "language", "retweet_of"])
    return Tweet(id=number, text=text, **{**nothing, **others})


def test_v1_object() -> None:
    expected = tweet(ID, "Fish & chips <3 &lt; &quot;", created_at=MOMENT, author="ana", language="en")
    assert one(V1) == one(V1, "v1") == expected


def test_v1_takes_the_long_text_and_names_the_retweeted() -> None:
    assert one({**V1, "full_text": "long"}).text == "long"
    assert one({**V1, "truncated": True, "extended_tweet": {"full_text": "longest"}}).text == "longest"
    assert one({**V1, "retweeted_status": {"id_str": "12", "id": 13}}).retweet_of == 12


LONG = "Ana meets Bob &amp; they go on and on"


@pytest.mark.parametrize(
    "original",
    [{"text": LONG}, {"text": "short", "full_text": LONG}, {"text": "s…", "extended_tweet": {"full_text": LONG}}],
)
def test_v1_retweet_is_read_as_its_original(original: dict[str, Any]) -> None:
    retweet = {**V1, "text": "RT @bob: Ana meets B…", "extended_tweet": {"full_text": "RT @bob: Ana meets…"}}
    found = one({**retweet, "retweeted_status": {"id_str": "12", "user": {"screen_name": "bob"}, **original}})
    assert found == tweet(
        ID, "Ana meets Bob & they go on and on", created_at=MOMENT, author="ana", language="en", retweet_of=12
    )


@pytest.mark.parametrize("text", [None, "", " ", 5, "a\0b", "\ud800"])
def test_retweet_whose_original_has_no_text_of_use_keeps_its_own(text: object) -> None:
    assert one({**V1, "retweeted_status": {"id_str": "12", "text": text}}).text == one(V1).text
    assert one({**PAGE, "includes": {"tweets": [{"id": "6", "text": text}, 5]}}).text == one(V2).text


def test_v2_retweet_is_read_as_its_original() -> None:
    inlined = {
        **V2,
        "referenced_tweets": [
            {"type": "quoted", "id": "5", "text": "no"},
            {"type": "retweeted", "id": "6", "text": LONG},
        ],
    }
    quoted, original = {"id": "5", "text": "no"}, {"id": "6", "text": "short", "note_tweet": {"text": LONG}}
    for found in (one(inlined), one({**PAGE, "includes": {"tweets": [quoted, original]}})):
        assert (found.text, found.retweet_of, found.id) == ("Ana meets Bob & they go on and on", 6, ID)
    assert one({**PAGE, "includes": {"tweets": [quoted]}}).text == one(V2).text


def test_v2_object() -> None:
    expected = tweet(ID, "Fish & chips", created_at=MOMENT, author="77", language="en", retweet_of=6)
    assert one(V2) == one(V2, "v2") == expected
    assert one({**V2, "note_tweet": {"text": "long &gt; short"}}).text == "long > short"
    assert one({**V2, "author": {"username": "ana"}}).author == "ana"


def test_v2_page_knows_the_names_of_its_authors() -> None:
    assert one(PAGE) == one(PAGE, "v2") == one({**PAGE, "data": V2})
    assert one(PAGE).author == "ana"
    assert one({**PAGE, "data": [{**V2, "author_id": "78"}]}).author == "78"
    assert one({"data": {"id": "1", "text": "a &lt; b"}}) == tweet(1, "a < b")


@pytest.mark.parametrize("page", [{"data": []}, {"meta": {"result_count": 0}}, {"data": [], "includes": {}}])
def test_page_without_results_is_nothing(page: object) -> None:
    assert all_of(page) == []


def test_bad_tweets_in_a_page_cost_themselves_only() -> None:
    first, bad, other, last = all_of({"data": [V2, {"id": "x", "text": "a"}, 5, V2], "errors": [{"title": "partial"}]})
    assert first == last == one(V2)
    assert str(bad).startswith("data[1]: the id 'x' is not")
    assert str(other) == "data[2]: 5 where a JSON object is wanted"


def test_plain_text_is_left_untouched() -> None:
    expected = tweet(7, "Fish &amp; chips", author="ana", language="en", retweet_of=6)
    assert one(PLAIN) == one(PLAIN, "plain") == expected
    assert one({"id": 1, "text": "a &amp; b", "lang": "de"}) == tweet(1, "a &amp; b", language="de")


def test_bare_object_is_what_it_is_said_to_be() -> None:
    said = ("auto", "plain", "v1", "v2")
    assert [one({"id": 1, "text": "&lt;"}, name).text for name in said] == ["&lt;", "&lt;", "<", "<"]


def test_array_of_objects() -> None:
    first, bad, last = all_of([V1, [V1], PAGE])
    assert (first, last) == (one(V1), one(PAGE))
    assert str(bad) == "[1]: an array where a JSON object is wanted"


@pytest.mark.parametrize(
    ("row", "said"),
    [(V1, "v2"), (V1, "plain"), (V2, "v1"), (V2, "plain"), (PLAIN, "v1"), (PLAIN, "v2"), (PAGE, "v1"), (PAGE, "plain")],
)
def test_object_of_another_format_than_said(row: object, said: str) -> None:
    assert f"where the format was said to be {said}; say" in reason(row, said)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"errors": [{"code": 88, "message": "Rate limit exceeded"}]}, "'Rate limit exceeded'"),
        ({"errors": [{"title": "Not Found", "detail": "gone"}], "data": []}, "'Not Found', 'gone'"),
        ({"errors": "what?"}, "'what?'"),
        ({"data": 5}, "the data of the page is 5"),
        ({"data": None}, "the data of the page is null"),
        ({}, "the id is missing"),
        ([1, 2], "an array where a JSON object is wanted"),
        ("text", "'text' where"),
        (None, "null where"),
    ],
)
def test_what_is_no_tweet(value: object, named: str) -> None:
    assert named in reason(value)


@pytest.mark.parametrize("number", [1, 2**63 - 1])
def test_ids(number: int) -> None:
    for written in (number, str(number), f" {number} "):
        assert one({"id": written, "text": "a"}).id == number
    assert one({"id": 5, "id_str": str(number), "text": "a"}).id == number


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("abc", "'abc'"), (True, "True"), (-1, "-1"), (0, "0"), (2**63, str(2**63)), ("１２", "'１２'"),
        ([1], "an array"), ({}, "an object"), (float("nan"), "nan"), ("9" * 5000, "'" + "9" * 39 + "…"),
        ("", "missing"), (None, "missing"), ("\ud800", r"'\ud800'"),
    ],
)  # fmt: skip
def test_bad_ids(value: object, named: str) -> None:
    message = reason({"id": value, "text": "a"})
    assert named in message
    assert "a whole number from 1 to 9223372036854775807" in message


@pytest.mark.parametrize("value", [1.2e18, 1.0, "1.2E+18", "1,2E+18", "1.05e18", "12.0"])
def test_decimal_ids_tell_that_digits_are_lost(value: object) -> None:
    message = reason({"id": value, "text": "a"})
    assert str(value) in message
    assert "lost digits; export ids as strings" in message


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "missing"), ("", "empty"), (" \n\t\u3000", "empty"), (5, "is 5; wanted is a string"),
        (["a"], "is an array"), ("a\0b", "NUL at character 1"), ("ab\ud83d", "U+D83D at character 2"),
        ("\ude00\ud83d", "U+DE00 at character 0"),
    ],
)  # fmt: skip
def test_bad_texts(value: object, said: str) -> None:
    assert said in reason({"id": 1, "text": value})
    assert said in reason({**V1, "text": value})


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2018-10-10T20:19:24Z", MOMENT), ("2018-10-10 22:19:24+02:00", MOMENT), ("2018-10-10T20:19:24", MOMENT),
        ("Wed Oct 10 22:19:24 +0200 2018", MOMENT), ("2018-10-10", datetime(2018, 10, 10, tzinfo=UTC)),
        ("", None), (None, None),
    ],
)  # fmt: skip
def test_dates(written: str | None, moment: datetime | None) -> None:
    found = one({"id": 1, "text": "a", "created_at": written}).created_at
    assert found == moment
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    ["soon", 1539202764, [], "Wed Okt 10 20:19:24 +0000 2018", "2018-13-01", "0001-01-01T00:00+10:00", "\ud800"],
)
def test_bad_dates_are_named(value: object) -> None:
    message = reason({"id": 1, "text": "a", "created_at": value})
    assert message.startswith("the date ")
    assert "wanted is 2018-10-10T20:19:24Z" in message


def test_a_tweet_of_the_future_is_refused_but_not_one_of_a_clock_that_is_an_hour_ahead() -> None:
    now = datetime.now(UTC)
    assert one({"id": 1, "text": "a", "created_at": (now + timedelta(hours=1)).isoformat()}).created_at is not None
    message = reason({"id": 1, "text": "a", "created_at": (now + timedelta(days=2)).isoformat()})
    assert "lies in the future by this machine's clock" in message
    assert "in the future" in reason({"id": 1, "text": "a", "created_at": "9999-12-31"})


@pytest.mark.parametrize("junk", [5, 1.5, True, [], [[]], {}, {"id": {}}, "", " ", "\0", "\ud800"])
def test_optional_fields_of_a_wrong_type_are_none(junk: object) -> None:
    keys = ["author", "language", "lang", "author_id", "includes", "entities"]
    assert one({"id": 1, "text": "a", **dict.fromkeys(keys, junk), "retweet_of": "x"}) == tweet(1, "a")
    assert one({**V1, "user": junk, "lang": junk, "extended_tweet": junk, "retweeted_status": junk}).author is None
    assert one({**V2, "author_id": junk, "referenced_tweets": junk, "note_tweet": junk}).retweet_of is None
    assert one({**PAGE, "includes": {"users": junk}}).author == "77"


def test_deep_values_are_named() -> None:
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    [bad_id], [bad_text] = tweets_in({"id": deep, "text": "a"}), tweets_in({"id": 1, "text": deep})
    assert "the id an array" in str(bad_id)
    assert "the text is an array" in str(bad_text)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip))
def test_escapes_of_twitter_are_decoded_once(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert one({**V2, "text": escaped}).text == text
