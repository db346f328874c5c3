"""Our scores against seqeval's and sklearn's, and the two ways to count a handle."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from seqeval.metrics import accuracy_score, classification_report, f1_score, precision_score, recall_score
from sklearn.metrics import f1_score as token_f1_score

from tagging.spans import Span, label_list
from trainer.entity_metric import EntityMetric
from trainer.examples import Example, from_tokens
from trainer.scoring import score

Labels = list[list[str]]
LABELS = label_list(["PER", "LOC", "ORG"])


@st.composite
def predicted_and_gold(draw: st.DrawFn) -> tuple[Labels, Labels]:
    """Labels of a few texts twice over, valid IOB2 or not."""
    pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=8)
    texts = draw(st.lists(pairs, min_size=1, max_size=4))
    predicted = [[one for one, _ in text] for text in texts]
    # Half of the texts are predicted right, so that the scores are not all near zero.
    gold = [
        one if draw(st.booleans()) else [label for _, label in text] for one, text in zip(predicted, texts, strict=True)
    ]
    return predicted, gold


@settings(max_examples=60, deadline=None)
@given(predicted_and_gold())
def test_entity_scores_are_seqevals(labels: tuple[Labels, Labels]) -> None:
    predicted, gold = labels
    assume(any(label != "O" for text in predicted + gold for label in text))  # seqeval's report fails without
    ours = EntityMetric(keep_in_memory=True).compute(predictions=predicted, references=gold)
    assert ours["overall_precision"] == pytest.approx(precision_score(gold, predicted, zero_division=0))
    assert ours["overall_recall"] == pytest.approx(recall_score(gold, predicted, zero_division=0))
    assert ours["overall_f1"] == pytest.approx(f1_score(gold, predicted, zero_division=0))
    assert ours["overall_accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    report = classification_report(gold, predicted, output_dict=True, zero_division=0)
    for label in {label[2:] for text in predicted + gold for label in text if label != "O"}:
        theirs = report[label]
        assert ours[label] == pytest.approx(
            {
                "precision": theirs["precision"],
                "recall": theirs["recall"],
                "f1": theirs["f1-score"],
                "number": theirs["support"],
            }
        )


@settings(max_examples=30, deadline=None)
@given(predicted_and_gold())
def test_the_weighted_token_score_is_sklearns(labels: tuple[Labels, Labels]) -> None:
    predicted, gold = ([label for text in one for label in text] for one in labels)
    ours = EntityMetric(keep_in_memory=True).compute(predictions=labels[0], references=labels[1])
    theirs = token_f1_score(gold, predicted, average="weighted", zero_division=0.0)
    assert ours["token_f1_weighted"] == pytest.approx(theirs)


def test_a_worked_example() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "O"]]
    predicted = [["B-PER", "I-PER", "O", "O"], ["B-LOC", "O"]]
    scores = EntityMetric(keep_in_memory=True).compute(predictions=predicted, references=gold)
    assert scores["overall_precision"] == scores["overall_recall"] == scores["overall_f1"] == 1 / 2
    assert scores["PER"] == {"precision": 1, "recall": 1, "f1": 1, "number": 1}
    assert scores["LOC"] == {"precision": 0, "recall": 0, "f1": 0, "number": 1}
    assert scores["overall_accuracy"] == 4 / 6


@pytest.mark.parametrize("labels", [[["O", "O"]], [[]], []])
def test_nothing_to_find_scores_nothing(labels: Labels) -> None:
    scores = EntityMetric(keep_in_memory=True).compute(predictions=labels, references=labels)
    assert scores["overall_f1"] == 0


HANDLE = from_tokens(["@", "ana", "is", "in", "Rome"], ["B-PER", "B-PER", "O", "O", "B-LOC"])
HASHTAG = from_tokens(["the", "#", "Rome", "marathon"], ["O", "O", "B-LOC", "O"])


def scores_of(predicted: Sequence[Span], example: Example) -> dict[str, float]:
    return score(lambda texts: [list(predicted) for _ in texts], [example])


@pytest.mark.parametrize("example", [HANDLE, HASHTAG])
def test_gold_spans_score_one_both_ways(example: Example) -> None:
    scores = scores_of(example.spans, example)
    assert (scores["overall_f1"], scores["joined_f1"], scores["overall_accuracy"]) == (1, 1, 1)


def test_a_missed_handle_is_two_entities_officially_and_one_joined() -> None:
    scores = scores_of(HANDLE.spans[1:], HANDLE)
    assert scores["overall_recall"] == pytest.approx(1 / 3)
    assert scores["PER"]["number"] == 2
    assert scores["joined_f1"] == pytest.approx(2 / 3), "one right of one found and two wanted"


def test_a_handle_too_many_is_two_entities_officially_and_one_joined() -> None:
    scores = scores_of([Span(0, 4, "PER")], from_tokens(["@", "ana", "hi"], ["O", "O", "O"]))
    assert scores["overall_precision"] == 0
    assert scores["overall_accuracy"] == pytest.approx(1 / 3)
    assert scores["joined_f1"] == 0


def test_a_hashtag_is_one_entity_both_ways() -> None:
    scores = scores_of([], HASHTAG)
    assert scores["LOC"]["number"] == 1
    assert scores["joined_f1"] == 0


def test_an_example_without_tokens_is_scored_over_our_words() -> None:
    example = Example("@ana is in Rome", (Span(0, 4, "PER"), Span(11, 15, "LOC")))
    scores = scores_of(example.spans[1:], example)
    assert scores["overall_f1"] == scores["joined_f1"] == pytest.approx(2 / 3)
    assert scores["overall_accuracy"] == 3 / 4


def test_spans_of_several_texts_are_summed() -> None:
    scores = score(lambda texts: [list(HANDLE.spans), []], [HANDLE, HASHTAG])
    assert scores["overall_recall"] == pytest.approx(3 / 4)
    assert scores["joined_f1"] == pytest.approx(4 / 5)


def test_handles_do_not_count_as_plain_entities() -> None:
    assert scores_of(HANDLE.spans, HANDLE)["plain_f1"] == 1
    assert scores_of(HANDLE.spans[1:], HANDLE)["plain_f1"] == 1, "a missed handle"
    assert scores_of([Span(0, 4, "ORG"), *HANDLE.spans[1:]], HANDLE)["plain_f1"] == 1, "a handle with another label"
    assert scores_of(HANDLE.spans[:1], HANDLE)["plain_f1"] == 0, "Rome is missed"
    assert scores_of(HASHTAG.spans, HASHTAG)["plain_f1"] == 1, "a hashtag is a plain entity"


def test_an_entity_that_only_begins_with_a_handle_is_plain() -> None:
    example = Example("@acme Inc in Rome", (Span(0, 9, "ORG"), Span(13, 17, "LOC")))
    assert scores_of(example.spans[1:], example)["plain_f1"] == pytest.approx(2 / 3)
