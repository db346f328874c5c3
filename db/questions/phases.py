"""Into which phases does a story fall, and when is each at its height? Pure functions over counts by period."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np

_WIDTH = (
    24  # the smoothing's standard deviation is this part of the story, so that a story has few phases, long or short
)
_CERTAIN = 2.0  # standard deviations by which a peak must rise above the valley that sets it off
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


def period_length(seconds: float) -> int:
    """Return the length of the periods, in seconds, in which to count a story that lasts so long: a minute to a day."""
    return next((length for length in _LENGTHS if seconds <= length * _MOST_PERIODS), _LENGTHS[-1])


def phases(counts: Mapping[int, int], most: int = 5) -> list[Phase]:
    """Cut a story into phases, each around one peak of its smoothed counts; at most so many, oldest first.

    A peak counts if it rises above the valleys beside it by more than chance would have it, were mentions independent of
    each other (Poisson). Between two peaks the story is cut where it is at its quietest.
    """
    periods = sorted(number for number, count in counts.items() if count > 0)
    if not periods:
        return []
    first, length = periods[0], periods[-1] - periods[0] + 1
    series = np.zeros(length)
    series[[number - first for number in periods]] = [counts[number] for number in periods]
    smooth, peaks = _peaks(series, most)
    cuts = [before + int(smooth[before:after].argmin()) for before, after in zip(peaks, peaks[1:], strict=False)]
    bounds = zip([0, *cuts], [*cuts, length], strict=True)
    return [
        _phase(series[start:end], smooth[start:end], first + start) for start, end in bounds if series[start:end].any()
    ]


def _peaks(series: Any, most: int) -> tuple[Any, list[int]]:
    """Smooth a series; return it with the places of its peaks, rising."""
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415 - half a second that others need not wait
    from scipy.signal import find_peaks  # noqa: PLC0415

    width = max(1.0, len(series) / _WIDTH)
    smooth = np.round(gaussian_filter1d(series, width, mode="constant"), 9)
    places, found = find_peaks(np.pad(smooth, 1), prominence=0)
    chance = np.sqrt(smooth[places - 1] / (2 * width * sqrt(pi)))
    rising = sorted(zip(-found["prominences"], places - 1, chance, strict=True))
    certain = [int(place) for less, place, deviation in rising if -less > _CERTAIN * deviation]
    return smooth, sorted(certain[:most])


def _phase(series: Any, smooth: Any, first: int) -> Phase:
    active = np.flatnonzero(series)
    peak = max(active, key=lambda place: (series[place], smooth[place], -place))
    return Phase(
        first + int(active[0]), first + int(active[-1]), first + int(peak), int(series.sum()), int(series[peak])
    )
