"""Likely aliases: each reason with what is proposed and what is not, and plain loops over all pairs."""

from collections import Counter
from itertools import combinations
from random import Random

import pytest

from db import entity_edits
from db.filters import Filter
from db.questions import suggest
from db.questions.suggest import Suggestion, suggest_merges
from db.session import Database
from tests.questions.test_search import distance, store_names
from tests.questions.world import World, add_version, entity_id

Name = tuple[str, str]  # surface, label


def suggestions(database: Database, names: list[Name]) -> list[Suggestion]:
    """Store names, a tweet each, and ask."""
    version_id = add_version(database)
    for number, name in enumerate(names, start=1):
        store_names(database, version_id, number, None, name)
    with database.read_session() as session:
        return suggest_merges(session, Filter(model_version_id=version_id))


REASONS: list[tuple[Name, Name, str, str]] = [
    (("BBC", "ORG"), ("@BBC", "PER"), "same name", "the same name as PER and as ORG"),
    (("Barack Obama", "PER"), ("@BarackObama", "PER"), "written together", "a handle and a name, the same once"),
    (("Barack Obama", "PER"), ("@Barack_Obama", "ORG"), "written together", "a handle and a name, the same once"),
    (("New York", "LOC"), ("#newyork", "LOC"), "written together", "names, the same once spaces and '_' are gone"),
    (("British Broadcasting Corporation", "ORG"), ("BBC", "ORG"), "abbreviation", "BBC: the initials of British"),
    (("United States of America", "LOC"), ("U.S.A.", "LOC"), "abbreviation", "U.S.A.: the initials of United"),
    (("London", "LOC"), ("Londn", "LOC"), "", ""),  # too short for a misspelling
    (("Manchester", "LOC"), ("Manchster", "LOC"), "one letter", "one letter apart in 10"),
    (("Manchester", "LOC"), ("Manchestar", "LOC"), "one letter", "one letter apart in 10"),
    (("Manchester", "LOC"), ("Manchestar", "PER"), "", ""),
    (("Manchester", "LOC"), ("Manchetser", "LOC"), "", ""),
    (("Windows 7", "ORG"), ("Windows 8", "ORG"), "", ""),
    (("Route 66", "LOC"), ("Route 6", "LOC"), "", ""),
    (("British Broadcasting", "ORG"), ("BB", "PER"), "", ""),
    (("London", "LOC"), ("Paris", "LOC"), "", ""),
]


@pytest.mark.parametrize(("into", "entity", "reason", "evidence"), REASONS, ids=lambda one: str(one))
def test_reasons(database: Database, into: Name, entity: Name, reason: str, evidence: str) -> None:
    found = suggestions(database, [into, into, entity])
    assert [one.reason for one in found] == ([reason] if reason else [])
    for one in found:
        assert (one.into.shown, one.into.label, one.into.mentions) == (*into, 2)
        assert (one.entity.shown, one.entity.label, one.entity.mentions) == (*entity, 1)
        assert one.evidence.startswith(evidence)


def test_pairs_of_which_both_are_common_come_first(database: Database) -> None:
    names = [("manchester", "LOC")] * 9 + [("manchestar", "LOC")] + [("bbc", "ORG")] * 3 + [("bbc", "PER")] * 2
    found = suggestions(database, names)
    assert [(one.entity.label, one.entity.name, one.into.mentions) for one in found] == [
        ("PER", "bbc", 3),
        ("LOC", "manchestar", 9),
    ]


def test_what_is_merged_or_hidden_is_left_out(database: Database) -> None:
    names = [("bbc", "ORG"), ("bbc", "PER"), ("bbc", "LOC")]
    assert len(suggestions(database, names)) == 3
    org, per, loc = (entity_id(database, name) for name in names)
    chosen = Filter(model_version_id=1)
    with database.write_session() as session:
        entity_edits.merge(session, per, org, "ann")
    with database.read_session() as session:
        [one] = suggest_merges(session, chosen)
        assert (one.entity.entity_id, one.into.entity_id) == (loc, org)
        assert (one.entity.mentions, one.into.mentions) == (1, 2)
    with database.write_session() as session:
        entity_edits.hide(session, loc, "ann")
    with database.read_session() as session:
        assert suggest_merges(session, chosen) == []


def test_only_the_most_mentioned_are_compared(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggest, "LOOKED_AT", 2)
    assert suggestions(database, [("paris", "LOC")] * 3 + [("bbc", "ORG")] * 2 + [("bbc", "PER")]) == []


@pytest.mark.parametrize("chosen", [Filter(model_version_id=1), Filter(model_version_id=1, min_score=0.1, label="PER")])
def test_all_pairs_are_found(database: Database, chosen: Filter) -> None:
    """Whatever keys entities meet by: every pair is looked at, by the definitions."""
    random, version_id, counts = Random(3), add_version(database), Counter[Name]()
    shapes = ["aaaaaa", "aaaaab", "aaaaaab", "baaaaa", "aa aa aa", "aa_aa_aa", "aaa", "aab", "bb", "bb aa", "aaaa aa"]
    for number in range(1, 80):
        name = random.choice(shapes), random.choice(["PER", "LOC"])
        store_names(database, version_id, number, None, name)
        counts[name] += 1

    def are_like(one: Name, other: Name) -> bool:
        (name, label), (against, its_label) = one, other
        squeezed = [text.replace(" ", "").replace("_", "") for text in (name, against)]
        initials = ["".join(part[0] for part in text.split()) if " " in text else None for text in (name, against)]
        is_short = name == initials[1] or against == initials[0]
        is_misspelt = min(len(name), len(against)) > 5 and distance(name, against) == 1
        return squeezed[0] == squeezed[1] or (label == its_label and (is_short or is_misspelt))

    kept = {name: count for name, count in counts.items() if chosen.label in (None, name[1])}
    pairs = [
        tuple(sorted((one, other), key=lambda name: (kept[name], name)))
        for one, other in combinations(kept, 2)
        if are_like(one, other)
    ]
    ordered = sorted(pairs, key=lambda pair: (-kept[pair[0]], -kept[pair[1]], pair))
    with database.read_session() as session:
        found = suggest_merges(session, chosen, 1000)
        assert suggest_merges(session, chosen, 3) == found[:3]
    assert [((one.entity.name, one.entity.label), (one.into.name, one.into.label)) for one in found] == ordered
    assert len(found) > 4


def test_nothing_to_suggest(database: Database, world: World) -> None:
    with database.read_session() as session:
        assert suggest_merges(session, Filter(model_version_id=1, label="MISC")) == []
