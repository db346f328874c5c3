"""Bootstrap over texts: how far a figure, or the difference of two, would move with another sample. Pure numpy.

What is resampled are whole texts, because the entities of one are not independent. A figure is computed from counts
that add up over texts, so a resample is a sum: counts have the shape (texts, columns), such as right, found and gold,
and a statistic maps (..., columns) to (...), all resamples at once.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

Statistic = Callable[[np.ndarray], np.ndarray]

RESAMPLES = 1000
_AT_ONCE = 4_000_000  # draws in memory


class Difference(NamedTuple):
    """The second figure less the first, its interval, and how likely so great a difference is by chance."""

    value: float
    low: float
    high: float
    p_value: float


def interval(
    counts: np.ndarray, statistic: Statistic, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 1
) -> tuple[float, float]:
    """Return the percentile interval of a statistic over texts (Efron and Tibshirani 1993, chapter 13).

    The same for the same counts and seed. Without any text both ends are the statistic of nothing.
    """
    return percentiles(statistic(resampled(np.asarray(counts), resamples, seed)), level)


def paired(
    first: np.ndarray,
    second: np.ndarray,
    statistic: Statistic,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> Difference:
    """Compare two models on the same texts: statistic of `second` less that of `first`, both (texts, columns).

    Each resample draws the same texts for both. The p-value is two-sided: twice the smaller share of resamples on
    either side of zero (one added to both counts, so that it is never 0). Of RESAMPLES it is under 0.05 just where
    the interval leaves out 0. Raises ValueError if the two do not have the same texts.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise ValueError(f"counts of shape {first.shape} and {second.shape} are not of the same texts")
    columns = first.shape[1]
    drawn = resampled(np.hstack([first, second]), resamples, seed)
    differences = statistic(drawn[:, columns:]) - statistic(drawn[:, :columns])
    beyond = min((differences <= 0).sum(), (differences >= 0).sum())
    value = float(statistic(second.sum(axis=0)) - statistic(first.sum(axis=0)))
    p_value = min(1.0, 2 * (1 + int(beyond)) / (1 + resamples))
    return Difference(value, *percentiles(differences, level), p_value)


def resampled(counts: np.ndarray, resamples: int = RESAMPLES, seed: int = 1) -> np.ndarray:
    """Sum the counts of as many texts as there are, drawn with replacement: (resamples, columns)."""
    return np.concatenate([weights @ counts for weights in _weights(len(counts), resamples, seed)])


def percentiles(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return the two ends between which this share of the values lies, cut off equally: two of them, the outer ones."""
    low = np.quantile(values, (1 - level) / 2, method="lower")
    high = np.quantile(values, (1 + level) / 2, method="higher")
    return float(low), float(high)


def _weights(texts: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each text is drawn: blocks of (some resamples, texts)."""
    random = np.random.default_rng(seed)
    block = max(1, _AT_ONCE // max(texts, 1))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = random.integers(texts, size=(rows, texts)) if texts else np.empty((rows, 0), dtype=int)
        places = drawn + texts * np.arange(rows)[:, None]
        yield np.bincount(places.ravel(), minlength=rows * texts).reshape(rows, texts).astype(float)
