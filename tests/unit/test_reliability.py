"""Calibration measures: a perfect model, one that is too sure, and what must hold of the figures."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import brier_score_loss

from trainer.reliability import brier, equal_mass_bins, reliability

RANDOM = np.random.default_rng(5)
SCORES = RANDOM.beta(4, 1, 1500)
PERFECT = RANDOM.random(1500) < SCORES
TOO_SURE = RANDOM.random(1500) < SCORES**3


def test_a_perfect_model_lies_at_the_floor() -> None:
    measured = reliability(SCORES, PERFECT)
    assert 0 < measured.floor < measured.floor_high < 0.05
    assert measured.ece <= measured.floor_high
    assert measured.ece_low <= measured.ece <= measured.ece_high
    assert measured.brier < measured.brier_of_constant


def test_a_model_that_is_too_sure_lies_above_the_floor() -> None:
    measured = reliability(SCORES, TOO_SURE)
    assert measured.ece == pytest.approx(float(np.mean(SCORES - SCORES**3)), abs=0.03), "it is too sure in every bin"
    assert measured.ece_low > measured.floor_high
    assert all(one.right < one.score for one in measured.bins[:-1])


def test_bins_hold_equally_many_and_rise() -> None:
    measured = reliability(SCORES[:1234], PERFECT[:1234])
    assert [one.spans for one in measured.bins] == [124] * 4 + [123] * 6
    assert sorted(one.score for one in measured.bins) == [one.score for one in measured.bins]
    assert np.bincount(equal_mass_bins(np.array([0.9, 0.1, 0.5]))).tolist() == [1, 1, 1], "fewer spans than bins"


def test_a_bins_interval_is_wilsons() -> None:
    one = reliability(np.linspace(0.5, 0.9, 300), np.arange(300) % 3 > 0).bins[0]
    theirs = binomtest(round(one.right * one.spans), one.spans).proportion_ci(method="wilson")
    assert (one.low, one.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_brier_is_sklearns() -> None:
    assert brier(SCORES, PERFECT) == pytest.approx(brier_score_loss(PERFECT, SCORES))


def test_the_best_constant_is_the_share_that_is_right() -> None:
    measured = reliability(SCORES, PERFECT)
    assert measured.brier_of_constant == pytest.approx(measured.right * (1 - measured.right))
    assert measured.brier_of_constant < brier(np.full(1500, measured.right + 0.1), PERFECT)


def test_spans_of_one_text_are_drawn_together() -> None:
    alone = reliability(np.full(400, 0.75), np.arange(400) % 4 > 0)
    scores, right = np.full(400, 0.75), np.repeat(np.arange(100) % 4 > 0, 4)
    together = reliability(scores, right, texts=np.repeat(np.arange(100), 4))
    assert together.ece_high - together.ece_low > alone.ece_high - alone.ece_low


def test_scores_that_are_all_sure_and_right() -> None:
    measured = reliability(np.ones(5), np.ones(5))
    assert (measured.ece, measured.brier, measured.floor, measured.brier_of_constant) == (0, 0, 0, 0)


def test_without_a_span_there_is_nothing_to_measure() -> None:
    with pytest.raises(ValueError, match="without a span"):
        reliability(np.array([]), np.array([]))
