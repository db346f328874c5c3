"""Labels to spans and back, and what happens to labels and boundaries that do not fit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from tagging.spans import Chunk, Span, chunks, chunks_to_spans, iob2, label_list, spans_to_chunks

Offsets = list[tuple[int, int]]
LABELS = ["PER", "LOC", "work-of-art"]

any_iob2 = st.lists(st.sampled_from(label_list(LABELS)), max_size=12)


@st.composite
def entities_over_words(draw: st.DrawFn) -> tuple[list[Chunk], int]:
    """Entities that do not overlap, and the number of words they lie in."""
    found: list[Chunk] = []
    position = 0
    for gap, length, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(LABELS)), max_size=5)
    ):
        found.append(Chunk(position + gap, position + gap + length - 1, label))
        position += gap + length
    return found, position + draw(st.integers(0, 2))


@st.composite
def word_offsets(draw: st.DrawFn, at_least: int = 0) -> Offsets:
    """Words of one to five characters, some touching their neighbour."""
    offsets: Offsets = []
    position = 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), min_size=at_least, max_size=12)):
        offsets.append((position + gap, position + gap + length))
        position += gap + length
    return offsets


@settings(deadline=None)
@given(entities_over_words())
def test_entities_survive_being_written_as_iob2(given_entities: tuple[list[Chunk], int]) -> None:
    entities, length = given_entities
    labels = iob2(entities, length)
    assert len(labels) == length
    assert chunks(labels) == entities


@settings(deadline=None)
@given(any_iob2)
def test_every_label_sequence_reads_as_seqeval_reads_it(labels: list[str]) -> None:
    assert [(label, first, last) for first, last, label in chunks(labels)] == get_entities(labels)


@settings(deadline=None)
@given(any_iob2)
def test_repaired_labels_are_valid_and_mean_the_same(labels: list[str]) -> None:
    repaired = iob2(chunks(labels), len(labels))
    assert chunks(repaired) == chunks(labels)
    for before, label in zip(["O", *repaired], repaired, strict=False):
        assert not label.startswith("I-") or before[2:] == label[2:]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("O I-PER I-PER", [Chunk(1, 2, "PER")]),
        ("B-LOC I-PER", [Chunk(0, 0, "LOC"), Chunk(1, 1, "PER")]),
        ("I-LOC I-PER I-LOC", [Chunk(0, 0, "LOC"), Chunk(1, 1, "PER"), Chunk(2, 2, "LOC")]),
        ("B-PER O I-PER", [Chunk(0, 0, "PER"), Chunk(2, 2, "PER")]),
        ("B-PER B-PER I-PER", [Chunk(0, 0, "PER"), Chunk(1, 2, "PER")]),
        ("O O", []),
        ("", []),
    ],
)
def test_repairs_by_example(labels: str, expected: list[Chunk]) -> None:
    assert chunks(labels.split()) == expected


@settings(deadline=None)
@given(st.data())
def test_entities_survive_being_turned_into_spans(data: st.DataObject) -> None:
    offsets = data.draw(word_offsets())
    labels = data.draw(st.lists(st.sampled_from(label_list(LABELS)), min_size=len(offsets), max_size=len(offsets)))
    entities = chunks(labels)
    assert spans_to_chunks(chunks_to_spans(entities, offsets), offsets) == entities


@settings(deadline=None)
@given(word_offsets(at_least=1), st.data())
def test_a_span_takes_every_word_that_it_touches_and_no_other(offsets: Offsets, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, offsets[-1][1] - 1))
    end = data.draw(st.integers(start + 1, offsets[-1][1]))
    touched = [index for index, (first, last) in enumerate(offsets) if set(range(first, last)) & set(range(start, end))]
    expected = [Chunk(touched[0], touched[-1], "LOC")] if touched else []
    assert spans_to_chunks([Span(start, end, "LOC")], offsets) == expected


def test_boundaries_inside_words_move_out() -> None:
    words = [(0, 5), (6, 9), (10, 14)]
    [chunk] = spans_to_chunks([Span(7, 12, "ORG")], words)
    assert chunks_to_spans([chunk], words) == [Span(6, 14, "ORG")]


def test_a_span_between_words_is_left_out() -> None:
    assert spans_to_chunks([Span(5, 6, "ORG")], [(0, 5), (6, 9)]) == []


def test_of_two_spans_in_one_word_the_earlier_keeps_it() -> None:
    words = [(0, 8), (9, 12)]
    assert spans_to_chunks([Span(4, 12, "LOC"), Span(0, 4, "PER")], words) == [Chunk(0, 0, "PER"), Chunk(1, 1, "LOC")]


def test_the_order_in_which_spans_are_given_does_not_matter() -> None:
    words = [(0, 3), (4, 6), (7, 9)]
    spans = [Span(7, 9, "LOC"), Span(0, 3, "PER")]
    assert spans_to_chunks(spans, words) == [Chunk(0, 0, "PER"), Chunk(2, 2, "LOC")]


def test_gold_spans_score_one() -> None:
    assert chunks_to_spans([Chunk(0, 0, "PER")], [(0, 3)]) == [Span(0, 3, "PER", 1.0)]


def test_offsets_count_code_points() -> None:
    text = "😀👍🏽 Ana"
    assert Span(4, 7, "PER").surface(text) == "Ana"
