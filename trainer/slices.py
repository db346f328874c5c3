"""Scores of parts of the entities: by length of the text, by what the entity looks like, by whether it was seen.

A property of an entity follows from its surface and label alone, so that an entity that is right has the same in gold
and found, and precision and recall of a part mean what they always do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tagging.spans import Span
from tagging.words import words
from trainer.entity_counts import Reading, count, is_handle
from trainer.estimates import Rates
from trainer.examples import Example
from trainer.folding import folded

Seen = Mapping[str, set[str]]  # the folded surface of an entity -> the labels it has in the training split
Part = Callable[[Example, Span], str | None]  # the name of the part that an entity belongs to, None for no part

_LENGTHS = ((10, "1 to 10 words"), (20, "11 to 20 words"), (30, "21 to 30 words"))
_LONG = "over 30 words"
_KINDS = ("handle", "hashtag", "plain words")
_CASINGS = ("Initial Capitals", "ALL CAPITALS", "lower case", "other")
_SEEN = ("seen with this label", "seen with another label", "not seen")


@dataclass(frozen=True)
class Slice:
    """The entities of one part of a group, with mentions joined."""

    group: str
    name: str
    rates: Rates


def slices(examples: Sequence[Example], readings: Sequence[Reading], seen: Seen | None) -> tuple[Slice, ...]:
    """Score the parts of each group; parts without gold and found entities are left out, and what is `seen` if None."""
    groups: list[tuple[str, Iterable[str], Part]] = [
        ("length of the text", (*(name for _, name in _LENGTHS), _LONG), _length),
        ("kind of entity", _KINDS, lambda example, span: _kind(span.surface(example.text))),
        ("casing of plain words", _CASINGS, _plain_casing),
    ]
    if seen is not None:
        groups += [
            ("in the training split", _SEEN, lambda example, span: _seen(seen, span.surface(example.text), span.label)),
            ("in the training split, plain words", _SEEN, lambda example, span: _plain_seen(seen, example, span)),
        ]
    found = (_group(group, names, part, examples, readings) for group, names, part in groups)
    return tuple(one for group in found for one in group)


def seen_entities(training: Iterable[Example]) -> Seen:
    """Collect the entities of a training split."""
    seen: dict[str, set[str]] = defaultdict(set)
    for example in training:
        for span in example.spans:
            seen[folded(span.surface(example.text))].add(span.label)
    return dict(seen)


def _group(
    group: str, names: Iterable[str], part: Part, examples: Sequence[Example], readings: Sequence[Reading]
) -> list[Slice]:
    parts = {name: [Reading([], []) for _ in examples] for name in names}
    for place, (example, reading) in enumerate(zip(examples, readings, strict=True)):
        for side, entities in enumerate(reading):
            for span in entities:
                if name := part(example, span):
                    parts[name][place][side].append(span)
    counts = {name: count(own).micro for name, own in parts.items()}
    return [Slice(group, name, Rates.of(own)) for name, own in counts.items() if own.any()]


def _length(example: Example, _: Span) -> str:
    length = len(words(example.text))
    return next((name for longest, name in _LENGTHS if length <= longest), _LONG)


def _kind(surface: str) -> str:
    if is_handle(surface):
        return "handle"
    return "hashtag" if surface[0] in "#＃" else "plain words"


def _plain_casing(example: Example, span: Span) -> str | None:
    surface = span.surface(example.text)
    return _casing(surface) if _kind(surface) == "plain words" else None


def _casing(surface: str) -> str:
    initials = [word[0] for word in surface.split() if word[0].isalpha()]
    if surface.isupper():
        return "ALL CAPITALS"
    if surface.islower():
        return "lower case"
    return "Initial Capitals" if initials and all(map(str.isupper, initials)) else "other"


def _seen(seen: Seen, surface: str, label: str) -> str:
    labels = seen.get(folded(surface))
    if not labels:
        return "not seen"
    return "seen with this label" if label in labels else "seen with another label"


def _plain_seen(seen: Seen, example: Example, span: Span) -> str | None:
    surface = span.surface(example.text)
    return _seen(seen, surface, span.label) if _kind(surface) == "plain words" else None
