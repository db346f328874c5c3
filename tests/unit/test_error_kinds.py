"""Kinds of errors: each entity has one, and they add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.spans import Span
from trainer.entity_counts import Reading, read
from trainer.error_kinds import Confusion, confusions, error_kinds, kind_of, pairs
from trainer.examples import Example

ROME, MARS, ANN = Span(0, 4, "LOC"), Span(5, 9, "LOC"), Span(10, 17, "PER")


@pytest.mark.parametrize(
    ("gold", "found", "kind"),
    [
        (ANN, ANN, None),
        (ANN, None, "missed"),
        (None, ANN, "spurious"),
        (ANN, Span(10, 17, "ORG"), "wrong label"),
        (ANN, Span(10, 13, "PER"), "wrong boundary"),
        (ANN, Span(10, 13, "ORG"), "wrong label and boundary"),
    ],
)
def test_the_kinds(gold: Span | None, found: Span | None, kind: str | None) -> None:
    assert kind_of(gold, found) == kind


def test_a_right_entity_is_never_paired_with_another() -> None:
    whole = Span(0, 9, "LOC")
    assert set(pairs(Reading([ROME, MARS], [ROME, whole]))) == {(ROME, ROME), (MARS, whole)}


def test_the_greatest_overlap_is_paired() -> None:
    long, short = Span(0, 8, "LOC"), Span(9, 12, "LOC")
    found = Span(2, 12, "LOC")
    assert set(pairs(Reading([long, short], [found]))) == {(long, found), (short, None)}


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Entities of a text of ten words, gold and found; neither overlap among themselves."""
    sides = []
    for _ in range(2):
        edges = sorted(draw(st.sets(st.integers(0, 10), max_size=8)))
        sides.append([Span(a, b, draw(st.sampled_from("PL"))) for a, b in zip(edges[::2], edges[1::2], strict=False)])
    return Reading(*sides)


@given(readings())
def test_each_entity_stands_in_one_pair_and_the_kinds_add_up(reading: Reading) -> None:
    paired = list(pairs(reading))
    assert sorted(gold for gold, _ in paired if gold) == sorted(reading.gold)
    assert sorted(found for _, found in paired if found) == sorted(reading.found)
    right = len(set(reading.gold) & set(reading.found))
    assert sum(kind_of(*pair) is None for pair in paired) == right


def test_errors_are_counted_letter_case_aside_with_a_text_to_look_at() -> None:
    examples = [Example(f"in {name} today", (Span(3, 7, "LOC"),)) for name in ("Rome", "ROME", "Oslo")]
    joined = [read("joined", example, []) for example in examples]
    missed = error_kinds(examples, joined)[0]
    assert (missed.kind, missed.count) == ("missed", 3)
    first, second = missed.examples
    assert (first.gold, first.gold_label, first.found, first.count) == ("Rome", "LOC", None, 2)
    assert first.text[first.start : first.end] == "Rome"
    assert second.gold == "Oslo"
    assert confusions(joined) == (Confusion("LOC", None, 3),)
