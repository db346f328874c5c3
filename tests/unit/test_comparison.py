"""A form against its original: F1, texts that differ, speed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tagging.spans import Span
from trainer.comparison import compare
from trainer.examples import Example
from trainer.scoring import Tag

ANN, PARIS = Span(0, 3, "PER"), Span(11, 16, "LOC")
EXAMPLES = [Example("Ann is from Rome", (ANN,)), Example("Ann is not Paris", (ANN, PARIS)), Example("nobody here", ())]
GOLD = [list(example.spans) for example in EXAMPLES]


def answering(answers: list[list[Span]]) -> Tag:
    return lambda texts: answers[: len(texts)]


def test_the_same_answers_cost_nothing_whatever_their_scores() -> None:
    rescored = [[replace(span, score=0.3) for span in spans] for spans in GOLD]
    compared = compare(answering(GOLD), answering(rescored), EXAMPLES)
    assert (compared.texts, compared.differing, compared.f1_cost, compared.f1) == (3, 0, 0.0, 1.0)


def test_each_text_with_other_entities_counts_once() -> None:
    found = [[replace(ANN, label="ORG")], [], [Span(0, 6, "PER")]]
    compared = compare(answering(GOLD), answering(found), EXAMPLES)
    assert (compared.differing, compared.differing_share) == (3, 1.0)
    assert (compared.original_f1, compared.f1, compared.f1_cost) == (1.0, 0.0, 100.0)


def test_points_are_hundredths_and_a_better_form_costs_less_than_nothing() -> None:
    without_paris = [[ANN], [ANN], []]  # precision 1, recall 2/3
    compared = compare(answering(without_paris), answering(GOLD), EXAMPLES)
    assert compared.f1_cost == pytest.approx(100 * (0.8 - 1))
    assert compared.differing == 1


def test_speed_is_that_of_the_best_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("trainer.comparison.time.perf_counter", lambda: now)
    took = {"original": iter([99.0, 6.0, 4.0, 50.0]), "form": iter([99.0, 2.0, 1.0, 2.0])}  # the first is not timed

    def tag(name: str) -> Tag:
        def answer(texts: Sequence[str]) -> list[list[Span]]:
            nonlocal now
            now += next(took[name])
            return GOLD

        return answer

    assert compare(tag("original"), tag("form"), EXAMPLES).speed == 4.0 / 1.0
