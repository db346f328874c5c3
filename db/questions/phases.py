"""Into which phases does a story fall, and when is each at its height? Pure functions over counts by period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Any

import numpy as np

_CHANCE = 0.01  # of seeing a change where mentions come at one rate
_LENGTHS = (60, 300, 900, 3600, 6 * 3600, 24 * 3600)  # seconds
_MOST_PERIODS = 300


@dataclass(frozen=True)
class Phase:
    """A part of a story, by the numbers of its first and last period with mentions, and of the one with most."""

    first: int
    last: int
    peak: int
    mentions: int
    peak_mentions: int


def period_length(seconds: float, mentions: int) -> int:
    """Return the length of the periods, in seconds, in which to count a story that lasts so long: a minute to a day.

    Less than an hour only where there is a mention for each.
    """
    for length in _LENGTHS:
        periods = seconds / length
        if periods <= _MOST_PERIODS and (length >= 3600 or periods <= mentions):
            return length
    return _LENGTHS[-1]


def phases(counts: Mapping[int, int], most: int = 5) -> list[Phase]:
    """Cut a story into phases, each around one height of its rate of mentions; at most so many, oldest first.

    A phase begins where the rate rises after its lowest since the height before. Of too many heights, those are given
    up that stand out least from what lies between them and their neighbours.
    """
    periods = sorted(number for number, count in counts.items() if count > 0)
    if not periods:
        return []
    series = np.zeros(periods[-1] - periods[0] + 1)
    series[[number - periods[0] for number in periods]] = [counts[number] for number in periods]
    starts = steps(series)
    rates = [float(part.mean()) for part in np.split(series, starts[1:])]
    heights = _heights(rates, most)
    begins = [starts[_lowest(rates, one, other) + 1] for one, other in pairwise(heights)]
    parts = zip([0, *begins], np.split(series, begins), strict=True)
    return [_phase(part, periods[0] + start) for start, part in parts]


def steps(series: Any) -> list[int]:
    """Return where the steps begin of the step function that fits counts best: a rate for each run of periods.

    The fit is the Poisson likelihood, less a price for each step. Source: Scargle and others 2013, Studies in
    astronomical time series analysis VI (Bayesian blocks); the price is their equation 21.
    """
    edges = _edges(series)
    sums = np.concatenate([[0.0], np.cumsum(series)])[edges]
    price = 4 - log(73.53 * _CHANCE * sums[-1] ** -0.478)
    best, start = np.zeros(len(edges)), [0] * len(edges)
    for end in range(1, len(edges)):
        found = sums[end] - sums[:end]
        rates = np.maximum(found, 1) / (edges[end] - edges[:end])  # where nothing was found, nothing is multiplied
        fits = np.round(best[:end] + found * np.log(rates) - price, 9)
        start[end] = int(fits.argmax())
        best[end] = fits[start[end]]
    found_starts = [start[-1]]
    while found_starts[-1] > 0:
        found_starts.append(start[found_starts[-1]])
    return [int(edges[one]) for one in found_starts[::-1]]


def _edges(series: Any) -> Any:
    """Return where a step of the best fit can begin or end: beside a period with mentions.

    Moved through periods without any, an edge makes the fit better towards one of their ends, since n log(n / t) is
    convex in t. So a story that rests for eight thousand years takes no longer than one without the rest.
    """
    busy = np.flatnonzero(series)
    return np.unique(np.concatenate([[0], busy, busy + 1, [len(series)]]))


def _heights(rates: Sequence[float], most: int) -> list[int]:
    """Return the places of the highest rates, each higher than those beside it."""
    around = [-1.0, *rates, -1.0]
    found = [place for place, rate in enumerate(rates) if around[place] < rate > around[place + 2]]
    while len(found) > most:
        pairs = list(pairwise(found))
        rise = [min(rates[one], rates[other]) - rates[_lowest(rates, one, other)] for one, other in pairs]
        one, other = pairs[rise.index(min(rise))]
        found.remove(one if rates[one] < rates[other] else other)
    return found


def _lowest(rates: Sequence[float], one: int, other: int) -> int:
    """Return the place of the last of the lowest rates between two places."""
    return min(range(one, other), key=lambda place: (rates[place], -place))


def _phase(series: Any, first: int) -> Phase:
    active = np.flatnonzero(series)
    peak = int(series.argmax())
    return Phase(first + int(active[0]), first + int(active[-1]), first + peak, int(series.sum()), int(series[peak]))
