"""Decoding against every label sequence there is: the likeliest valid one, and what an entity's probability means."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.decoding import Decoder, log_softmax
from tagging.spans import Chunk, chunks, iob2, label_list

LABELS = label_list(["PER", "LOC"])
SHUFFLED = ["I-PER", "B-LOC", "O", "B-PER", "I-LOC"]
WITHOUT_BEGINNINGS = ["O", "I-PER", "I-LOC"]


@st.composite
def texts_of(draw: st.DrawFn, labels: list[str]) -> list[np.ndarray]:
    """Log-probabilities of a few short texts, some of them without words."""
    lengths = draw(st.lists(st.integers(0, 4), max_size=4))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    return [log_softmax(random.normal(scale=2, size=(length, len(labels)))) for length in lengths]


def sequences(words: np.ndarray, labels: list[str]) -> list[tuple[float, list[str]]]:
    """Every label sequence of a text with its probability, as if words were independent."""
    found = []
    for classes in product(range(len(labels)), repeat=len(words)):
        likelihood = math.exp(sum(words[position, one] for position, one in enumerate(classes)))
        found.append((likelihood, [labels[one] for one in classes]))
    return found


def is_valid(sequence: list[str]) -> bool:
    return iob2(chunks(sequence), len(sequence)) == sequence


@pytest.mark.parametrize("labels", [LABELS, SHUFFLED])
@given(data=st.data())
def test_the_likeliest_valid_labels_are_found(labels: list[str], data: st.DataObject) -> None:
    texts = data.draw(texts_of(labels))
    found = Decoder(labels).decode(texts)
    assert len(found) == len(texts)
    for words, entities in zip(texts, found, strict=True):
        _, best = max(one for one in sequences(words, labels) if is_valid(one[1]))
        assert iob2([chunk for chunk, _ in entities], len(words)) == best


@given(texts=texts_of(LABELS))
def test_the_probability_of_an_entity_is_that_of_the_labels_that_end_where_it_ends(texts: list[np.ndarray]) -> None:
    for words, entities in zip(texts, Decoder(LABELS).decode(texts), strict=True):
        for (first, last, label), log_probability in entities:
            wanted = [f"B-{label}", *[f"I-{label}"] * (last - first)]
            right = sum(
                likelihood
                for likelihood, sequence in sequences(words, LABELS)
                if sequence[first : last + 1] == wanted and sequence[last + 1 : last + 2] != [f"I-{label}"]
            )
            assert math.exp(log_probability) == pytest.approx(right)


@given(texts=texts_of(WITHOUT_BEGINNINGS))
def test_labels_without_a_beginning_of_their_own_begin_with_the_first_inside(texts: list[np.ndarray]) -> None:
    for words, entities in zip(texts, Decoder(WITHOUT_BEGINNINGS).decode(texts), strict=True):
        likeliest = [WITHOUT_BEGINNINGS[one] for one in words.argmax(axis=1)]
        assert [chunk for chunk, _ in entities] == chunks(likeliest)


def test_an_invalid_label_costs_no_entity() -> None:
    words = np.log(np.array([[0.30, 0.28, 0.02, 0.20, 0.20], [0.1, 0.1, 0.7, 0.05, 0.05]]))
    [[(chunk, log_probability)]] = Decoder(LABELS).decode([words])
    assert chunk == Chunk(0, 1, "PER"), "O I-PER is likelier word by word"
    assert math.exp(log_probability) == pytest.approx(0.28 * 0.7)


def test_no_texts_have_no_entities() -> None:
    assert Decoder(LABELS).decode([]) == []
