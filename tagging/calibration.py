"""From the network's probability of a span to one to be believed: logistic regression on its log-odds (Platt 1999).

Fitted by `trainer.calibration`, kept in the manifest of a model folder, applied by the tagger. Standard library only.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_SUREST = math.log1p(-1e-6)  # the network is taken for no surer than that
_LEAST_SURE = math.log(1e-300)


@dataclass(frozen=True)
class Calibration:
    """`weights` are by the names of `features`; the `spans` they were fitted on come from `folds` trainings."""

    intercept: float
    weights: Mapping[str, float]
    folds: int
    spans: int

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Read what `dataclasses.asdict` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        weights = {str(name): float(weight) for name, weight in dict(told["weights"]).items()}
        return cls(**{**told, "intercept": float(told["intercept"]), "weights": weights})

    def probability(self, log_probability: float, label: str, words: int, surface: str) -> float:
        """Return the probability that a span is right, boundaries and label; the arguments are those of `features`."""
        found = features(log_probability, label, words, surface)
        log_odds = self.intercept + sum(self.weights.get(name, 0.0) * value for name, value in found.items())
        return 0.5 + 0.5 * math.tanh(log_odds / 2)  # the logistic function, without overflow


def features(log_probability: float, label: str, words: int, surface: str) -> dict[str, float]:
    """Return what the calibrated probability of a span is told from; `log_probability` is the network's, natural."""
    likelihood = max(min(log_probability, _SUREST), _LEAST_SURE)
    return {
        "log-odds": likelihood - math.log1p(-math.exp(likelihood)),
        "log words": math.log(words),
        "handle": float(surface[0] in "@＠"),
        f"label {label}": 1.0,
    }
