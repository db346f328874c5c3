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


def valid_behind(before: str, label: str) -> bool:
    return label[:2] != "I-" or before[2:] == label[2:]


def given_valid(answer: np.ndarray, label: str, before: dict[str, float]) -> float:
    """How probable a word's label is among those that are valid behind the labels before, weighed by their own."""
    weights = {
        one: float(likelihood) * sum(weight for other, weight in before.items() if valid_behind(other, one))
        for one, likelihood in zip(LABELS, np.exp(answer), strict=True)
    }
    return weights[label] / sum(weights.values())


@given(texts=texts_of(LABELS))
def test_the_probability_of_an_entity_is_that_of_its_labels_and_its_end(texts: list[np.ndarray]) -> None:
    for words, entities in zip(texts, Decoder(LABELS).decode(texts), strict=True):
        for (first, last, label), log_probability in entities:
            begin, inside = f"B-{label}", f"I-{label}"
            before = dict(zip(LABELS, np.exp(words[first - 1]), strict=True)) if first else {"O": 1.0}
            right = given_valid(words[first], begin, before)
            for position in range(first + 1, last + 1):
                right *= given_valid(words[position], inside, {begin: 1.0})
            if last + 1 < len(words):
                right *= 1 - given_valid(words[last + 1], inside, {begin: 1.0})
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
    assert math.exp(log_probability) == pytest.approx(0.28 / (0.30 + 0.28 + 0.20) * 0.7 / (0.1 + 0.1 + 0.7 + 0.05))


def test_a_network_that_is_sure_of_what_is_invalid_breaks_nothing() -> None:
    words = np.full((3, 5), -1000.0)
    words[:, 2] = 0.0  # I-PER
    [[(chunk, log_probability)]] = Decoder(LABELS).decode([words])
    assert chunk == Chunk(0, 2, "PER")
    assert -math.inf < log_probability <= 0


def test_no_texts_have_no_entities() -> None:
    assert Decoder(LABELS).decode([]) == []
