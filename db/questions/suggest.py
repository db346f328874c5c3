"""Which entities may be one and the same? Proposals for a person to judge; nothing is merged here."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from sqlalchemy.orm import Session

from db.edit_distance import is_within
from db.entity_lookup import shown_names
from db.filters import Filter
from db.questions.rates import Counted, most_mentioned

Reason = Literal["same name", "written together", "abbreviation", "one letter"]

LOOKED_AT = 2000  # entities
_SHORTEST_MISSPELT = 6  # characters
_SMALL_WORDS = {"a", "and", "at", "for", "in", "of", "on", "the", "to"}


@dataclass(frozen=True)
class Candidate:
    """An entity that may be another one; `name` is the normalised one."""

    entity_id: int
    shown: str
    label: str
    name: str
    mentions: int


@dataclass(frozen=True)
class Suggestion:
    """Two entities that may be one: that with fewer mentions, what it may be merged into, and why."""

    entity: Candidate
    into: Candidate
    reason: Reason

    @property
    def evidence(self) -> str:
        """Say in words what speaks for it."""
        one, other = self.entity.shown, self.into.shown
        if self.reason == "same name":
            return f"the same name as {self.entity.label} and as {self.into.label}"
        if self.reason == "abbreviation":
            short, full = sorted((one, other), key=len)
            return f"{short}: the initials of {full}"
        if self.reason == "one letter":
            return f"one letter apart in {max(len(self.entity.name), len(self.into.name))}"
        is_handle = one.startswith("@") or other.startswith("@")
        return f"{'a handle and a name' if is_handle else 'names'}, the same once spaces and '_' are gone"


def suggest_merges(session: Session, chosen: Filter, limit: int = 20, entity_id: int | None = None) -> list[Suggestion]:
    """Propose pairs of entities that may be one, those first of which both are mentioned most.

    Only the LOOKED_AT most mentioned entities that the filter leaves are compared, so that hidden and merged ones are
    not among them. A pair has the same name under two labels; or names that are the same once spaces and "_" are gone,
    such as those of a handle and a person; or, under one label, the one is the initials of the other, with or without
    small English words, or one letter apart and at least six characters long. Names with different digits never are.
    Of several reasons the first is given. Pairs are in the order of the smaller count, then of the other one and names.
    With `entity_id`, only the pairs of one entity are given.
    """
    pairs: dict[tuple[Counted, Counted], Reason] = {}
    for reason, one, other in _pairs(most_mentioned(session, chosen, LOOKED_AT)):
        pairs.setdefault(_fewer_first(one, other), reason)
    wanted = (pair for pair in pairs if entity_id is None or entity_id in (pair[0].id, pair[1].id))
    best = sorted(wanted, key=_most_first)[:limit]
    shown = shown_names(session, chosen, {one.id for pair in best for one in pair})
    return [Suggestion(_candidate(one, shown), _candidate(other, shown), pairs[one, other]) for one, other in best]


def _most_first(pair: tuple[Counted, Counted]) -> tuple[Any, ...]:
    one, other = pair
    return (-one.mentions, -other.mentions, one.name, one.label, other.name, other.label)


def _pairs(entities: Sequence[Counted]) -> Iterator[tuple[Reason, Counted, Counted]]:
    """Yield pairs with a reason to merge them, the best reasons first.

    Only entities that share a key meet, so that not every one is compared with every other.
    """
    for one, other in _sharing((entity.name, entity) for entity in entities):
        yield "same name", one, other
    for one, other in _sharing((_together(entity.name), entity) for entity in entities):
        yield "written together", one, other
    yield from _abbreviations(entities)
    for one, other in _sharing((key, entity) for entity in entities for key in _misspelt(entity)):
        if _digits(one.name) == _digits(other.name) and is_within(one.name, other.name, 1):
            yield "one letter", one, other


def _sharing(keyed: Iterable[tuple[Hashable, Counted]]) -> Iterator[tuple[Counted, Counted]]:
    groups: dict[Hashable, list[Counted]] = defaultdict(list)
    for key, entity in keyed:
        groups[key].append(entity)
    for group in groups.values():
        yield from combinations(group, 2)


def _together(name: str) -> str:
    return name.replace(" ", "").replace("_", "")


def _abbreviations(entities: Sequence[Counted]) -> Iterator[tuple[Reason, Counted, Counted]]:
    by_initials: dict[tuple[str, str], list[Counted]] = defaultdict(list)
    for one in entities:
        for initials in _initials(one.name):
            by_initials[one.label, initials].append(one)
    for one in entities:
        for full in by_initials[one.label, one.name.replace(".", "")]:
            if full.id != one.id:  # "u.s" is its own initials
                yield "abbreviation", one, full


def _initials(name: str) -> set[str]:
    """Return the first letters of all words of a name, and those without small words, if these are two or more.

    >>> sorted(_initials("united states of america"))
    ['usa', 'usoa']
    """
    parts = re.findall(r"\w+", name)
    both = ("".join(part[0] for part in kept) for kept in (parts, [part for part in parts if part not in _SMALL_WORDS]))
    return {initials for initials in both if len(initials) > 1}


def _misspelt(entity: Counted) -> set[tuple[str, str]]:
    """Return keys, at least one of which is shared by any two names that are one letter apart.

    They are the name itself and what is left of it without one of its characters.
    """
    name, label = entity.name, entity.label
    if len(name) < _SHORTEST_MISSPELT:
        return set()
    return {(label, name), *((label, name[:place] + name[place + 1 :]) for place in range(len(name)))}


def _digits(name: str) -> list[str]:
    return re.findall(r"\d", name)


def _fewer_first(one: Counted, other: Counted) -> tuple[Counted, Counted]:
    fewer, more = sorted((one, other), key=lambda entity: (entity.mentions, entity.name, entity.label))
    return fewer, more


def _candidate(entity: Counted, shown: Mapping[int, str]) -> Candidate:
    return Candidate(entity.id, shown[entity.id], entity.label, entity.name, entity.mentions)
