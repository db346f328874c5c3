"""One JSON value to tweets: API v1.1 and v2 objects, v2 pages, plain objects. Standard library only.

A tweet without a usable id, text or date is a BadTweetError; any other field that cannot be used is None. The functions
are pure, but for a look at the clock: a tweet of the future would be the newest for years, and no other day the last.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from tagging.errors import BadTweetError

Fields = Mapping[str, object]

_NOTHING: Fields = MappingProxyType({})
_AHEAD = timedelta(days=1)  # that a clock may be wrong
_BIGGEST_ID = 2**63 - 1  # what a database's BIGINT holds
_WHOLE_NUMBER = re.compile(r"[0-9]{1,19}")
_DECIMAL_NUMBER = re.compile(r"(?=.*[.,e])[+-]?[0-9]+(?:[.,][0-9]*)?(?:e[+-]?[0-9]+)?", re.IGNORECASE)
_TWITTER_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([0-9]{2}) ([0-9:]{8}) ([+-][0-9]{4}) ([0-9]{4})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# The keys that give a format away. An object with none of them, {"id", "text"} say, fits every format that is said and
# is plain where none is.
_MARKS = {
    "v1": {"id_str", "full_text", "extended_tweet", "retweeted_status"},
    "v2": {"author_id", "referenced_tweets", "note_tweet", "edit_history_tweet_ids"},
    "plain": {"author", "language", "retweet_of"},
}


class Tweet(NamedTuple):
    """A tweet that can be stored: `id` in 1..2**63-1, `text` without NUL and lone surrogates, `created_at` in UTC.

    Offsets into a tweet refer to `text`: as the user gave it for plain objects and CSV; for v1.1 and v2 objects with
    Twitter's `&amp;`, `&lt;` and `&gt;` decoded, and a retweet's is its original's, where the object carries that.
    """

    id: int
    text: str
    created_at: datetime | None
    author: str | None
    language: str | None
    retweet_of: int | None


class _Included(NamedTuple):
    """What a page tells beside its tweets: names of users by id, texts of tweets by id."""

    usernames: Mapping[str, str]
    texts: Mapping[int, str]


_NOTHING_INCLUDED = _Included({}, {})


def tweets_in(value: object, said: str = "auto") -> Iterable[Tweet | BadTweetError]:
    """Turn a parsed JSON value into tweets: one for an object, as many as there are for a v2 page or an array.

    `said` is "v1", "v2", "plain", or "auto" to look at each object. Nothing is raised: errors come in place of tweets.
    """
    if isinstance(value, dict):
        return _from_object(value, said)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return _from_array(value, said)
    return (_no_object(value),)


def plain_tweet(row: Fields) -> Tweet:
    """Read `id`, `text`, `created_at`, `author`, `language` or `lang`, and `retweet_of`; the text is left untouched.

    Raises BadTweetError for an id, text or date that cannot be used.
    """
    return Tweet(
        id=_id(row.get("id")),
        text=_text(row.get("text")),
        created_at=_date(row.get("created_at")),
        author=_name(row.get("author")),
        language=_name(row.get("language")) or _name(row.get("lang")),
        retweet_of=_id_or_none(row.get("retweet_of")),
    )


def shown(value: object, length: int = 40) -> str:
    """Write a value for a message: on one line, without unprintable characters, cut to about `length` characters."""
    if isinstance(value, dict | list):  # never its repr: that of a deep one raises RecursionError
        return "an object" if isinstance(value, dict) else "an array"
    if value is None:
        return "null"
    whole = repr(value[: length + 1] if isinstance(value, str) else value)
    return whole if len(whole) <= length + 2 else whole[:length] + "…"


def _from_array(items: list[object], said: str) -> Iterator[Tweet | BadTweetError]:
    for position, item in enumerate(items):
        for found in _from_object(item, said) if isinstance(item, dict) else [_no_object(item)]:
            yield _at(f"[{position}]", found)


def _from_object(row: Fields, said: str) -> Iterable[Tweet | BadTweetError]:
    if "id" in row or "id_str" in row:
        return (_from_tweet(row, said),)
    data, errors, meta = row.get("data"), row.get("errors"), _object(row.get("meta"))
    if errors and not data:
        return (BadTweetError(f"an error of the API instead of tweets: {_api_error(errors)}"),)
    if "data" in row or "result_count" in meta:  # a page without results has no data
        return _from_page(row, said)
    return (_from_tweet(row, said),)


def _from_page(page: Fields, said: str) -> Iterator[Tweet | BadTweetError]:
    data = page.get("data", [])
    if said not in ("auto", "v2"):
        yield _other_format("v2 page", said)
    elif isinstance(data, dict):
        yield _at("data", _from_tweet(data, "v2", _included(page)))
    elif isinstance(data, list):
        included = _included(page)
        for position, item in enumerate(data):
            found = _from_tweet(item, "v2", included) if isinstance(item, dict) else _no_object(item)
            yield _at(f"data[{position}]", found)
    else:
        yield BadTweetError(f"the data of the page is {shown(data)}; wanted is a tweet or an array of tweets")


def _from_tweet(row: Fields, said: str, included: _Included = _NOTHING_INCLUDED) -> Tweet | BadTweetError:
    if said == "auto":
        said = next(_formats(row), "plain")
    elif (looks := list(_formats(row))) and said not in looks:
        return _other_format(f"{looks[0]} object", said)
    try:
        if said == "v1":
            return _v1_tweet(row)
        return _v2_tweet(row, included) if said == "v2" else plain_tweet(row)
    except BadTweetError as error:
        return error


def _formats(row: Fields) -> Iterator[str]:
    for name, marks in _MARKS.items():
        if not marks.isdisjoint(row) or (name == "v1" and isinstance(row.get("user"), dict)):
            yield name


def _v1_tweet(row: Fields) -> Tweet:
    user, original = (_object(row.get(key)) for key in ("user", "retweeted_status"))
    return Tweet(
        id=_id(row.get("id_str") or row.get("id")),
        text=_unescaped(_name(_v1_text(original)) or _text(_v1_text(row))),
        created_at=_date(row.get("created_at")),
        author=_name(user.get("screen_name")),
        language=_name(row.get("lang")),
        retweet_of=_id_or_none(original.get("id_str") or original.get("id")),
    )


def _v1_text(row: Fields) -> object:
    return _object(row.get("extended_tweet")).get("full_text") or row.get("full_text") or row.get("text")


def _v2_tweet(row: Fields, included: _Included) -> Tweet:
    author_id = _name(row.get("author_id"))
    inlined = _name(_object(row.get("author")).get("username"))  # as `twarc2 flatten` writes it
    reference = _retweeted(row.get("referenced_tweets"))
    retweet_of = _id_or_none(reference.get("id"))
    original = included.texts.get(retweet_of or 0) or _name(_v2_text(reference))  # inlined, too, by `twarc2 flatten`
    return Tweet(
        id=_id(row.get("id")),
        text=_unescaped(original or _text(_v2_text(row))),
        created_at=_date(row.get("created_at")),
        author=inlined or included.usernames.get(author_id or "", author_id),
        language=_name(row.get("lang")),
        retweet_of=retweet_of,
    )


def _v2_text(row: Fields) -> object:
    return _object(row.get("note_tweet")).get("text") or row.get("text")


def _retweeted(references: object) -> Fields:
    return next((one for one in _objects(references) if one.get("type") == "retweeted"), _NOTHING)


def _included(page: Fields) -> _Included:
    """Read the names of a page's authors, and the texts of the tweets that it refers to."""
    users, referred = (_objects(_object(page.get("includes")).get(key)) for key in ("users", "tweets"))
    names = ((_name(user.get("id")), _name(user.get("username"))) for user in users)
    texts = ((_id_or_none(tweet.get("id")), _name(_v2_text(tweet))) for tweet in referred)
    return _Included(
        {user_id: username for user_id, username in names if user_id and username},
        {tweet_id: text for tweet_id, text in texts if tweet_id and text},
    )


def _api_error(errors: object) -> str:
    first = errors[0] if isinstance(errors, list) else errors
    told = [_object(first).get(key) for key in ("title", "message", "detail")]
    return ", ".join(shown(part, 200) for part in told if isinstance(part, str)) or shown(first, 200)


def _at(place: str, found: Tweet | BadTweetError) -> Tweet | BadTweetError:
    return BadTweetError(f"{place}: {found}") if isinstance(found, BadTweetError) else found


def _no_object(value: object) -> BadTweetError:
    return BadTweetError(f"{shown(value)} where a JSON object is wanted")


def _other_format(found: str, said: str) -> BadTweetError:
    return BadTweetError(f"a {found} where the format was said to be {said}; say {found.split()[0]} or auto")


def _objects(value: object) -> list[Fields]:
    return [_object(item) for item in value] if isinstance(value, list) else []


def _object(value: object) -> Fields:
    return value if isinstance(value, dict) else _NOTHING


def _id(value: object) -> int:
    written = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    if _WHOLE_NUMBER.fullmatch(written) and 1 <= (number := int(written)) <= _BIGGEST_ID:
        return number
    if value is None or value == "":
        raise BadTweetError(f"the id is missing; wanted is a whole number from 1 to {_BIGGEST_ID}")
    if _DECIMAL_NUMBER.fullmatch(written):
        raise BadTweetError(f"the id {shown(value)} is a decimal: the export lost digits; export ids as strings")
    raise BadTweetError(f"the id {shown(value)} is not a whole number from 1 to {_BIGGEST_ID}")


def _id_or_none(value: object) -> int | None:
    try:
        return _id(value)
    except BadTweetError:
        return None


def _text(value: object) -> str:
    if value is None:
        raise BadTweetError("the text is missing")
    if not isinstance(value, str):
        raise BadTweetError(f"the text is {shown(value)}; wanted is a string")
    if not value.strip():
        raise BadTweetError("the text is empty or nothing but white space")
    if flaw := _flaw(value):
        raise BadTweetError(f"the text cannot be stored: {flaw}")
    return value


def _flaw(text: str) -> str | None:
    """Say what PostgreSQL or UTF-8 would refuse."""
    if "\0" in text:
        return f"a NUL at character {text.index(chr(0))}"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"the lone surrogate U+{ord(text[error.start]):04X} at character {error.start}"
    return None


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")  # & last: "&amp;lt;" means "&lt;"


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() and not _flaw(value) else None


def _date(value: object) -> datetime | None:
    """Read "Wed Oct 10 20:19:24 +0000 2018" or ISO 8601; one without an offset is in UTC."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(_iso(value))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        wanted = "2018-10-10T20:19:24Z or Wed Oct 10 20:19:24 +0000 2018"
        raise BadTweetError(f"the date {shown(value)} cannot be read; wanted is {wanted}") from None
    if moment > datetime.now(UTC) + _AHEAD:
        raise BadTweetError(f"the date {shown(value)} lies in the future by this machine's clock; mend one of them")
    return moment


def _iso(value: object) -> str:
    """Write Twitter's date as ISO 8601. Not with strptime: its names of months follow the locale."""
    if not isinstance(value, str):
        raise ValueError("not a string")
    written = value.strip()
    if match := _TWITTER_DATE.fullmatch(written):
        month, day, time, offset, year = match.groups()
        return f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{time}{offset}"
    return written
