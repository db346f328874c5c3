"""Figures with their 95 % intervals over texts (see `trainer.bootstrap`)."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trainer.bootstrap import Statistic, percentiles, resampled
from trainer.entity_counts import f1, precision, recall


@dataclass(frozen=True)
class Estimate:
    """A figure in 0..1 and its interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, statistic: Statistic, counts: np.ndarray, drawn: np.ndarray | None = None) -> Self:
        """Estimate a statistic of counts (texts, columns); `drawn` are their resamples, if they are there already."""
        drawn = resampled(counts) if drawn is None else drawn
        return cls(float(statistic(counts.sum(axis=0))), *percentiles(statistic(drawn)))


@dataclass(frozen=True)
class Rates:
    """Precision, recall and F1 of entities, and the counts that they come from."""

    right: int
    found: int
    gold: int
    precision: Estimate
    recall: Estimate
    f1: Estimate

    @classmethod
    def of(cls, counts: np.ndarray) -> Self:
        """Estimate the rates from counts (texts, 3): right, found and gold."""
        drawn = resampled(counts)
        right, found, gold = (int(number) for number in counts.sum(axis=0))
        estimates = (Estimate.of(statistic, counts, drawn) for statistic in (precision, recall, f1))
        return cls(right, found, gold, *estimates)
