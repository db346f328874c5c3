"""Whether scores are probabilities: of spans with score 0.8, are 80 % right? Pure numpy.

`scores` lie in 0..1, `right` tells of each whether the span is wholly right. Bins hold equally many spans each, because
most scores lie close to 1 (Nixon et al. 2019, "Measuring Calibration in Deep Learning").
"""

from dataclasses import dataclass

import numpy as np

from trainer.bootstrap import interval

BINS = 10
_SIMULATIONS = 1000
_Z = 1.959964  # of the normal distribution, for 95 %


@dataclass(frozen=True)
class Bin:
    """Spans of like score: how many, their mean score, the share that is right, and its 95 % Wilson interval."""

    spans: int
    score: float
    right: float
    low: float
    high: float


@dataclass(frozen=True)
class Reliability:
    """How far scores are from probabilities, each figure in 0..1.

    `ece` is the expected calibration error, with a bootstrap interval over texts. `floor` is what a perfect model with
    these very scores would show on so few spans, in the mean, and `floor_high` in the worst of 40 cases. `brier` is the
    mean squared distance of score and outcome, `brier_of_constant` that of the best score that is one for all spans.
    """

    spans: int
    right: float
    ece: float
    ece_low: float
    ece_high: float
    floor: float
    floor_high: float
    brier: float
    brier_of_constant: float
    bins: tuple[Bin, ...]


def reliability(scores: np.ndarray, right: np.ndarray, texts: np.ndarray | None = None, seed: int = 1) -> Reliability:
    """Measure the calibration of spans; `texts` numbers the text of each, if several spans share one.

    All three have the shape (spans,). Raises ValueError if there is no span.
    """
    scores, right = np.asarray(scores, dtype=float), np.asarray(right, dtype=float)
    if not len(scores):
        raise ValueError("without a span there is no calibration to measure")
    texts = np.arange(len(scores)) if texts is None else np.asarray(texts)
    places = equal_mass_bins(scores)
    counts = calibration_counts(scores, right, places, texts)
    low, high = interval(counts, expected_calibration_error, seed=seed)
    floor = simulated_errors(scores, places, seed)
    return Reliability(
        spans=len(scores),
        right=float(right.mean()),
        ece=float(expected_calibration_error(counts.sum(axis=0))),
        ece_low=low,
        ece_high=high,
        floor=float(floor.mean()),
        floor_high=float(np.quantile(floor, 0.975)),
        brier=brier(scores, right),
        brier_of_constant=brier(np.full_like(scores, right.mean()), right),
        bins=tuple(_bin(scores[places == place], right[places == place]) for place in range(places.max() + 1)),
    )


def brier(scores: np.ndarray, right: np.ndarray) -> float:
    """Mean squared distance of score and outcome (Brier 1950): 0 is best, 0.25 what a constant 0.5 gets."""
    return float(np.mean((np.asarray(scores) - np.asarray(right)) ** 2))


def equal_mass_bins(scores: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return the bin of each span, from the lowest scores up; the sizes of two bins differ by one at most."""
    places = np.empty(len(scores), dtype=int)
    for place, members in enumerate(np.array_split(np.argsort(scores, kind="stable"), min(bins, len(scores)))):
        places[members] = place
    return places


def calibration_counts(scores: np.ndarray, right: np.ndarray, places: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Sum spans, scores and right ones by text and bin, for `trainer.bootstrap`: (texts, bins times 3)."""
    _, rows = np.unique(texts, return_inverse=True)
    counts = np.zeros((rows.max() + 1, places.max() + 1, 3))
    np.add.at(counts, (rows, places), np.stack([np.ones(len(scores)), scores, right], axis=1))
    return counts.reshape(len(counts), -1)


def expected_calibration_error(counts: np.ndarray) -> np.ndarray:
    """Mean distance of score and share right over bins, weighted by their spans. Counts are (..., bins times 3)."""
    spans, scores, right = np.moveaxis(counts.reshape(*counts.shape[:-1], -1, 3), -1, 0)
    error: np.ndarray = np.abs(right - scores).sum(axis=-1) / spans.sum(axis=-1)
    return error


def simulated_errors(scores: np.ndarray, places: np.ndarray, seed: int = 1) -> np.ndarray:
    """Draw outcomes with the scores as their true probabilities; return the calibration error of each such drawing.

    The error of a perfect model is not 0 on finitely many spans: what lies within these cannot be told from perfect.
    """
    random = np.random.default_rng(seed)
    expected = np.bincount(places, weights=scores)
    drawn = (np.bincount(places, weights=random.random(len(scores)) < scores) for _ in range(_SIMULATIONS))
    return np.array([np.abs(right - expected).sum() / len(scores) for right in drawn])


def _bin(scores: np.ndarray, right: np.ndarray) -> Bin:
    size, share = len(scores), float(right.mean())
    middle = (share + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    half = _Z / (1 + _Z**2 / size) * np.sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2))
    return Bin(size, float(scores.mean()), share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))
