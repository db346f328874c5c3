"""Whether a version may take the place of the active one: not if it is significantly worse on the same texts."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trainer.bootstrap import paired
from trainer.entity_counts import FIGURES, EntityCounts, f1


@dataclass(frozen=True)
class Evidence:
    """What is known of a version: its corpus, and in each figure what each validation text adds (None: not kept)."""

    version: int
    fingerprint: str
    counts: dict[str, EntityCounts] | None


class Verdict(NamedTuple):
    """Whether the candidate is significantly worse, and the comparison in words."""

    is_worse: bool
    told: str


def judge(active: Evidence, candidate: Evidence) -> Verdict:
    """Compare two versions by paired bootstrap over the texts of their common validation split.

    The candidate is worse if the 95 % interval of the difference in micro-F1 lies below zero in any of the three
    figures, since one may fall while another rises. What cannot be compared is not worse.
    """
    if active.fingerprint != candidate.fingerprint:
        return Verdict(False, f"not compared with {active.version}: it was validated on another corpus")
    if active.counts is None or candidate.counts is None:
        lacking = active.version if active.counts is None else candidate.version
        return Verdict(False, f"not compared with {active.version}: no counts by text were kept with {lacking}")
    pairs = {figure: (active.counts[figure].micro, candidate.counts[figure].micro) for figure in FIGURES}
    if not all(np.array_equal(one[:, 2], other[:, 2]) for one, other in pairs.values()):
        return Verdict(False, f"not compared with {active.version}: its gold entities were counted in another way")
    is_worse, told = False, []
    for figure, (one, other) in pairs.items():
        difference = paired(one, other, f1)
        is_worse |= difference.high < 0
        told.append(
            f"{figure} F1 {f1(one.sum(axis=0)):.4f} to {f1(other.sum(axis=0)):.4f} ({difference.value:+.4f}, 95 % "
            f"interval {difference.low:+.4f} to {difference.high:+.4f})"
        )
    texts = len(pairs[FIGURES[0]][0])
    return Verdict(is_worse, f"with {active.version} on {texts} validation texts: {', '.join(told)}")
