"""The bootstrap over texts: against scipy's, and what a comparison must say in the plain cases."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from trainer import bootstrap as ours
from trainer.entity_counts import f1


def texts(seed: int, rate: float, size: int = 400) -> np.ndarray:
    """Right, found and gold of texts whose entities are found and right at a rate."""
    random = np.random.default_rng(seed)
    gold = random.poisson(1.2, size)
    found = random.binomial(gold, 0.9) + random.poisson(0.1, size)
    return np.stack([random.binomial(np.minimum(gold, found), rate), found, gold], axis=1)


def test_the_interval_is_scipys() -> None:
    counts = texts(1, 0.7)

    def statistic(right: np.ndarray, found: np.ndarray, gold: np.ndarray, axis: int = -1) -> np.ndarray:
        return f1(np.stack([right.sum(axis), found.sum(axis), gold.sum(axis)], axis=-1))

    theirs = bootstrap(
        tuple(counts.T), statistic, paired=True, vectorized=True, method="percentile", n_resamples=4000, rng=2
    ).confidence_interval
    assert ours.interval(counts, f1, resamples=4000) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_the_same_seed_gives_the_same_interval_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = texts(1, 0.7)
    whole = ours.interval(counts, f1)
    assert ours.interval(counts, f1) == whole
    assert ours.interval(counts, f1, seed=2) != whole
    monkeypatch.setattr("trainer.bootstrap._AT_ONCE", 3000)
    assert ours.interval(counts, f1) == whole


def test_a_model_does_not_differ_from_itself() -> None:
    assert ours.paired(texts(1, 0.7), texts(1, 0.7), f1) == (0, 0, 0, 1)


def test_a_better_model_is_significantly_better_and_the_other_way_round_worse() -> None:
    better, worse = texts(1, 0.8), texts(1, 0.6)
    gain = ours.paired(worse, better, f1)
    loss = ours.paired(better, worse, f1)
    assert gain.value == pytest.approx(float(f1(better.sum(axis=0)) - f1(worse.sum(axis=0))))
    assert 0 < gain.low < gain.value < gain.high
    assert gain.p_value == pytest.approx(2 / 1001)
    assert (loss.value, loss.low, loss.high) == pytest.approx((-gain.value, -gain.high, -gain.low))


def test_pairing_sees_what_two_intervals_hide() -> None:
    first = texts(1, 0.7)
    second = first.copy()
    second[np.flatnonzero(second[:, 0] < np.minimum(second[:, 1], second[:, 2]))[:12], 0] += 1
    (_, high), (low, _) = ours.interval(first, f1), ours.interval(second, f1)
    assert low < high, "the two intervals overlap"
    assert ours.paired(first, second, f1).low > 0


def test_a_chance_difference_is_not_significant() -> None:
    assert ours.paired(texts(3, 0.7), texts(4, 0.7), f1).p_value > 0.05


@pytest.mark.parametrize(("beyond", "is_significant"), [(23, True), (24, True), (25, False), (26, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_p_value_and_interval_never_contradict_each_other(
    monkeypatch: pytest.MonkeyPatch, beyond: int, is_significant: bool, sign: int
) -> None:
    differences = sign * np.concatenate([np.full(beyond, -1.0), np.ones(ours.RESAMPLES - beyond)])
    drawn = np.stack([np.zeros(ours.RESAMPLES), differences], axis=1)
    monkeypatch.setattr(ours, "resampled", lambda *_: drawn)
    found = ours.paired(np.zeros((5, 1)), np.ones((5, 1)), lambda counts: counts[..., 0])
    assert (found.p_value < 0.05) == is_significant
    assert (found.low > 0 or found.high < 0) == is_significant


def test_other_texts_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same texts"):
        ours.paired(texts(1, 0.7), texts(1, 0.7)[1:], f1)


def test_no_text_gives_the_statistic_of_nothing() -> None:
    assert ours.interval(np.zeros((0, 3)), f1) == (0, 0)
