"""Whether a version may take the place of the active one: not if it is significantly worse on the same texts."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from trainer.bootstrap import paired
from trainer.entity_counts import FIGURES, EntityCounts, f1


class Verdict(NamedTuple):
    """Whether the candidate is significantly worse, and the comparison in words."""

    is_worse: bool
    told: str


def judge(active: Mapping[str, EntityCounts], candidate: Mapping[str, EntityCounts]) -> Verdict | None:
    """Compare two versions by what each text adds in the three figures, by paired bootstrap over texts.

    The candidate is worse if the 95 % interval of the difference in micro-F1 lies below zero in any of the figures,
    since one may fall while another rises. None if the gold entities are not the same.
    """
    pairs = {figure: (active[figure].micro, candidate[figure].micro) for figure in FIGURES}
    if not all(np.array_equal(one[:, 2], other[:, 2]) for one, other in pairs.values()):
        return None  # another release may count them in another way
    is_worse, told = False, []
    for figure, (one, other) in pairs.items():
        difference = paired(one, other, f1)
        is_worse |= difference.high < 0
        told.append(
            f"{figure} F1 {f1(one.sum(axis=0)):.4f} to {f1(other.sum(axis=0)):.4f} ({difference.value:+.4f}, 95 % "
            f"interval {difference.low:+.4f} to {difference.high:+.4f})"
        )
    return Verdict(is_worse, ", ".join(told))
