"""Counts of entities by text add up to the scores of the metric, and mean what the three figures say."""

import numpy as np
import pytest

from tagging.spans import Span
from trainer.entity_counts import FIGURES, entity_counts, f1, macro_f1, precision, recall
from trainer.examples import Example, from_tokens
from trainer.scoring import score

HANDLE = from_tokens(["@", "ana", "is", "in", "Rome"], ["B-PER", "B-PER", "O", "O", "B-LOC"])
HASHTAG = from_tokens(["the", "#", "Rome", "marathon"], ["O", "O", "B-LOC", "O"])
NOTHING = Example("nothing here", ())
EXAMPLES = [HANDLE, HASHTAG, NOTHING]
FOUND = [[Span(0, 4, "ORG"), Span(11, 15, "LOC")], [Span(4, 9, "LOC")], [Span(0, 7, "PER")]]


def test_the_counts_of_each_text() -> None:
    right_found_gold = {
        "official": [[1, 3, 3], [1, 1, 1], [0, 1, 0]],  # "@" and the handle, both with the wrong label
        "joined": [[1, 2, 2], [1, 1, 1], [0, 1, 0]],
        "plain": [[1, 1, 1], [1, 1, 1], [0, 1, 0]],
    }
    for figure in FIGURES:
        assert entity_counts(figure, EXAMPLES, FOUND).micro.tolist() == right_found_gold[figure]


def test_the_counts_add_up_to_the_metrics_scores() -> None:
    scores = score(lambda _: FOUND, EXAMPLES)
    official = entity_counts("official", EXAMPLES, FOUND)
    total = official.micro.sum(axis=0)
    assert scores["overall_precision"] == pytest.approx(precision(total))
    assert scores["overall_recall"] == pytest.approx(recall(total))
    assert scores["overall_f1"] == pytest.approx(f1(total))
    for label in official.labels:
        assert scores[label]["f1"] == pytest.approx(f1(official.of(label).sum(axis=0)))
    assert macro_f1(official.by_label.sum(axis=0)) == pytest.approx(
        np.mean([scores[label]["f1"] for label in official.labels])
    )


def test_labels_may_be_given_so_that_two_models_have_the_same_columns() -> None:
    counted = entity_counts("joined", EXAMPLES, FOUND, ["LOC", "MISC", "ORG", "PER"])
    assert counted.table.shape == (3, 4, 3)
    assert counted.of("MISC").sum() == 0


def test_no_text_and_no_label() -> None:
    counted = entity_counts("official", [], [])
    assert counted.micro.shape == (0, 3)
    assert macro_f1(counted.by_label.sum(axis=0)) == 0
