"""What is wrong with the entities that were found: kinds of errors, and which labels are taken for which.

Gold and found entities are paired: those that are equal, then those that overlap most. What is left over was missed or
is spurious; so the missed and the two sides of each wrong pair are all gold entities that are not right, and the
spurious and these all found ones.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tagging.spans import Span
from trainer.entity_counts import Reading
from trainer.examples import Example
from trainer.folding import folded

KINDS = ("missed", "spurious", "wrong label", "wrong boundary", "wrong label and boundary")
_SHOWN = 8  # examples of a kind

Pair = tuple[Span | None, Span | None]  # gold and found


@dataclass(frozen=True)
class ErrorExample:
    """An error that occurs `count` times, letter case aside: what gold and tagger say, and one text where it is so.

    `text[start:end]` (code points) is what gold and found entity cover together.
    """

    gold: str | None
    gold_label: str | None
    found: str | None
    found_label: str | None
    count: int
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class ErrorKind:
    """A kind of error: how many entities, and the most frequent ones."""

    kind: str
    count: int
    examples: tuple[ErrorExample, ...]


@dataclass(frozen=True)
class Confusion:
    """How often a gold entity of one label was found under another; None for missed or spurious."""

    gold: str | None
    found: str | None
    count: int


def error_kinds(examples: Sequence[Example], readings: Sequence[Reading]) -> tuple[ErrorKind, ...]:
    """Sort the errors of the texts into KINDS, each with its most frequent examples."""
    seen: dict[str, Counter[tuple[str | None, ...]]] = defaultdict(Counter)
    first: dict[tuple[str | None, ...], ErrorExample] = {}
    for example, reading in zip(examples, readings, strict=True):
        for gold, found in pairs(reading):
            if kind := kind_of(gold, found):
                one = _example(example.text, gold, found)
                key = (one.gold and folded(one.gold), one.gold_label, one.found and folded(one.found), one.found_label)
                first.setdefault(key, one)
                seen[kind][key] += 1
    return tuple(
        ErrorKind(
            kind,
            seen[kind].total(),
            tuple(replace(first[key], count=count) for key, count in seen[kind].most_common(_SHOWN)),
        )
        for kind in KINDS
    )


def confusions(readings: Sequence[Reading]) -> tuple[Confusion, ...]:
    """Count which labels are found for which, over all pairs, whatever their boundaries."""
    labels = Counter((_label(gold), _label(found)) for reading in readings for gold, found in pairs(reading))
    return tuple(Confusion(*pair, count) for pair, count in labels.most_common())


def kind_of(gold: Span | None, found: Span | None) -> str | None:
    """Name the error of a pair; None if it is right."""
    if found is None:
        return "missed"
    if gold is None:
        return "spurious"
    is_label_right = gold.label == found.label
    if (gold.start, gold.end) == (found.start, found.end):
        return None if is_label_right else "wrong label"
    return "wrong boundary" if is_label_right else "wrong label and boundary"


def pairs(reading: Reading) -> Iterator[Pair]:
    """Pair the gold and found entities of a text; each stands in one pair."""
    overlaps = [(_closeness(gold, found), gold, found) for gold in reading.gold for found in reading.found]
    gold_left, found_left = dict.fromkeys(reading.gold), dict.fromkeys(reading.found)
    for closeness, gold, found in sorted(overlaps, key=lambda one: one[0], reverse=True):
        if closeness[1] > 0 and gold in gold_left and found in found_left:
            del gold_left[gold], found_left[found]
            yield gold, found
    yield from ((gold, None) for gold in gold_left)
    yield from ((None, found) for found in found_left)


def _closeness(gold: Span, found: Span) -> tuple[bool, int, bool]:
    """Order pairs: equal ones first, then by the characters in common, then those of one label."""
    common = min(gold.end, found.end) - max(gold.start, found.start)
    return gold == found, common, gold.label == found.label


def _example(text: str, gold: Span | None, found: Span | None) -> ErrorExample:
    sides = [span for span in (gold, found) if span]
    start, end = min(span.start for span in sides), max(span.end for span in sides)
    said = (_surface(gold, text), _label(gold), _surface(found, text), _label(found))
    return ErrorExample(*said, count=1, text=text, start=start, end=end)


def _surface(span: Span | None, text: str) -> str | None:
    return None if span is None else span.surface(text)


def _label(span: Span | None) -> str | None:
    return None if span is None else span.label
