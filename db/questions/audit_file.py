"""The file of an audit: a line of what was drawn, then a tweet a line for a person to judge; and reading it back.

In a judged file each span's "correct" is true or false, and "missed" lists the mentions that were not found. A span
with a wrong label or wrong bounds is not correct, and the mention that it should have been is missed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain, pairwise
from typing import Any

from db.coverage import Coverage
from db.questions.audit import Audit, AuditTweet
from tagging.errors import QueryError
from tagging.spans import Span

_SHOWN = 20  # faults

Row = dict[str, Any]


@dataclass(frozen=True)
class JudgedTweet:
    """The labels of a tweet's mentions: found rightly, found wrongly, and not found."""

    correct: tuple[str, ...]
    wrong: tuple[str, ...]
    missed: tuple[str, ...]


@dataclass(frozen=True)
class JudgedAudit:
    """A judged sample; `mentions` are the counts over all tweets that the audit's filter takes, by label."""

    coverage: Coverage
    mentions: dict[str, int]
    tweets: list[JudgedTweet]


class _Fault(Exception):
    """What is wrong with a line, and how to mend it."""


def audit_rows(audit: Audit) -> Iterator[Row]:
    """Yield the lines of an audit's file as JSON objects. Ids are strings; offsets are code points, end exclusive."""
    chosen = {name: value for name, value in asdict(audit.chosen).items() if value is not None}
    yield {
        "audit": {
            "design": "tweets drawn uniformly, without replacement",
            "seed": audit.seed,
            "filter": {n: v.isoformat() if isinstance(v, datetime) else v for n, v in chosen.items()},
            "tweets": len(audit.tweets),
            "spans": Counter(span.label for tweet in audit.tweets for span in tweet.spans),
            "mentions": audit.mentions,
            "covers": asdict(audit.coverage),
        }
    }
    yield from map(_tweet_row, audit.tweets)


def _tweet_row(tweet: AuditTweet) -> Row:
    spans = [
        {"surface": one.surface(tweet.text), "label": one.label, "start": one.start, "end": one.end,
         "score": round(one.score, 4), "correct": None}
        for one in tweet.spans
    ]  # fmt: skip
    return {"id": str(tweet.tweet_id), "text": tweet.text, "spans": spans, "missed": None}


def read_judged(lines: Iterable[str]) -> JudgedAudit:
    """Read a judged audit. Raises QueryError that lists the lines that cannot be used, and how to mend each."""
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    drawn, coverage = _drawn(next(numbered, (1, ""))[1])
    tweets: dict[str, JudgedTweet] = {}
    faults: list[str] = []
    for number, line in numbered:
        try:
            row = _parsed(line)
            if row["id"] in tweets:
                raise _Fault(f"tweet {row['id']} stands in the file twice; leave one of the lines")
            tweets[row["id"]] = _judged(row, drawn)
        except _Fault as fault:
            faults.append(f"line {number}: {fault}")
    faults += [] if faults else _missing(list(tweets.values()), drawn)
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise QueryError("\n".join(["the audit cannot be used yet:", *faults[:_SHOWN], *more]))
    return JudgedAudit(coverage, drawn["mentions"], list(tweets.values()))


def _drawn(line: str) -> tuple[Row, Coverage]:
    """Read the first line."""
    try:
        drawn = json.loads(line)["audit"]
        counts = chain([drawn["tweets"]], drawn["spans"].values(), drawn["mentions"].values())
        if not all(type(one) is int for one in counts):
            raise TypeError
        return {**drawn, "kind": drawn["filter"]["kind"]}, Coverage(**drawn["covers"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise QueryError(
            'the first line is not that of an audit, {"audit": ...}; judge a file that '
            "`tweetspan entities audit sample` wrote, and leave its first line as it is"
        ) from None


def _missing(tweets: list[JudgedTweet], drawn: Row) -> Iterator[str]:
    """Tell what was drawn and is not there: what is left out is seldom like the rest, and would bias every figure."""
    if len(tweets) != drawn["tweets"]:
        yield (
            f"{drawn['tweets']} tweets were drawn and {len(tweets)} are there; judge all of them, or draw fewer "
            "by the same seed, which are the first of these"
        )
        return
    found = Counter(label for tweet in tweets for label in (*tweet.correct, *tweet.wrong))
    for label in sorted({*found, *drawn["spans"]}):
        if found[label] != drawn["spans"].get(label, 0):
            yield (
                f"{drawn['spans'].get(label, 0)} spans were found as {label} and {found[label]} are there; judge spans "
                "as they were found, say false of a wrong one, and list what it should have been as missed"
            )


def _parsed(line: str) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _Fault(f"broken JSON ({error}); mend it, or copy the line anew from the sample") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not isinstance(row.get("id"), str):
        raise _Fault('no object with "id" and "text"; copy the line anew from the sample')
    if row.get("missed") is None:
        raise _Fault('"missed" is null; once the tweet is read, list what was not found, or write [] for nothing')
    for name in ("spans", "missed"):
        if not (isinstance(row.get(name), list) and all(isinstance(one, dict) for one in row[name])):
            raise _Fault(f'"{name}" is not a list of objects; write [] or [{{...}}]')
    return row


def _judged(row: Row, drawn: Row) -> JudgedTweet:
    text: str = row["text"]
    found = [(_found_span(text, one), one["correct"]) for one in row["spans"]]
    missed = [_missed_span(text, one, drawn) for one in row["missed"]]
    correct = [span for span, is_correct in found if is_correct]
    for one, following in pairwise(sorted([*correct, *missed])):
        if following.start < one.end:
            raise _Fault(
                f"{one.surface(text)!r} and {following.surface(text)!r} overlap, and are both said to be mentions; "
                "judge one of them false, or take it out of the missed ones"
            )
    wrong = [span for span, is_correct in found if not is_correct]
    return JudgedTweet(_labels(correct), _labels(wrong), _labels(missed))


def _labels(spans: list[Span]) -> tuple[str, ...]:
    return tuple(one.label for one in spans)


def _found_span(text: str, one: Row) -> Span:
    place = _place(text, one)
    if place is None or "surface" not in one or not isinstance(one.get("label"), str):
        raise _Fault(f"the text and the span {_shown(one)} no longer fit; copy the line anew from the sample")
    if not isinstance(one.get("correct"), bool):
        raise _Fault(f'"correct" of {_shown(one)} is {json.dumps(one.get("correct"))}; write true or false')
    return Span(*place, one["label"])


def _missed_span(text: str, one: Row, drawn: Row) -> Span:
    label = one.get("label")
    if label not in list(drawn["mentions"]):
        raise _Fault(f"the missed {_shown(one)} needs a label that the audit is about: {', '.join(drawn['mentions'])}")
    place = _place(text, one) if "start" in one or "end" in one else _only_place(text, one)
    if place is None:
        raise _Fault(
            f"the offsets of the missed {_shown(one)} do not fit the text; count code points, the end exclusive, "
            "or give its surface alone"
        )
    surface = text[slice(*place)]
    if drawn["kind"] != "all" and surface.startswith("@") != (drawn["kind"] == "handles"):
        raise _Fault(
            f"the missed {surface!r} is not of the kind {drawn['kind']!r} that the audit is about; leave it out"
        )
    return Span(*place, str(label))


def _place(text: str, one: Row) -> tuple[int, int] | None:
    """Return where a span lies, or None if that is not in the text, or not what it says to be there."""
    start, end = one.get("start"), one.get("end")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        return None
    return (start, end) if one.get("surface", text[start:end]) == text[start:end] else None


def _only_place(text: str, one: Row) -> tuple[int, int]:
    surface = one.get("surface")
    if not isinstance(surface, str) or not surface.strip():
        raise _Fault(f"the missed {_shown(one)} has no place; give its surface, or start and end")
    start = text.find(surface)
    if start < 0:
        raise _Fault(f"the missed {_shown(one)} does not stand in the text; write it as it stands there")
    if text.find(surface, start + 1) >= 0:
        raise _Fault(f"the missed {_shown(one)} stands several times in the text; give start and end")
    return start, start + len(surface)


def _shown(one: Row) -> str:
    told = {name: one[name] for name in ("surface", "label", "start", "end") if name in one}
    return json.dumps(told, ensure_ascii=False)
