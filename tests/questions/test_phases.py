"""Phases, on series made by hand and by chance."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.questions.phases import Phase, period_length, phases, steps


def test_nothing_has_no_phases() -> None:
    assert phases({}) == []
    assert phases({3: 0}) == []


def test_one_burst_is_one_phase() -> None:
    assert phases({5: 1}) == [Phase(5, 5, 5, 1, 1)]
    assert phases({-2: 3, -1: 9, 0: 4}) == [Phase(-2, 0, -1, 16, 9)]


def test_bursts_apart_are_phases_each_with_its_tail() -> None:
    counts = {0: 9, 1: 6, 2: 1, 9: 1, 40: 3, 41: 12, 44: 2}
    assert phases(counts) == [Phase(0, 9, 0, 17, 9), Phase(40, 44, 41, 17, 12)]


def test_of_two_periods_as_full_the_first_is_the_peak() -> None:
    assert [one.peak for one in phases({1: 2, 2: 5, 3: 5})] == [2]


def test_of_many_bursts_the_highest_are_kept() -> None:
    counts = {place: size for place, size in zip(range(0, 240, 30), (50, 9, 40, 8, 60, 70, 7, 45), strict=True)}
    assert [one.peak for one in phases(counts, most=8)] == list(range(0, 240, 30))
    assert [one.peak for one in phases(counts, most=5)] == [0, 60, 120, 150, 210]
    assert [one.peak for one in phases(counts, most=1)] == [150]


@pytest.mark.parametrize("rate", [0.05, 1.0, 20.0])
def test_chance_makes_no_phases(rate: float) -> None:
    drawn = np.random.default_rng(1).poisson(rate, (40, 240))
    several = [len(phases({place: int(count) for place, count in enumerate(series)})) > 1 for series in drawn]
    assert sum(several) <= 2


def test_bursts_in_noise_are_found() -> None:
    for seed in range(10):
        random, counts = Random(seed), dict.fromkeys(range(240), 1)
        for start, size in ((20, 60), (100, 90), (200, 40)):
            for _ in range(size):
                counts[start + int(random.expovariate(0.3))] += 1
        found = phases(counts)
        assert len(found) == 3
        assert all(abs(one.peak - start) <= 4 for one, start in zip(found, (20, 100, 200), strict=True))


@given(counts=st.dictionaries(st.integers(-50, 50), st.integers(0, 9), max_size=30), most=st.integers(1, 6))
def test_phases_part_the_mentions(counts: dict[int, int], most: int) -> None:
    found = phases(counts, most)
    busy = sorted(number for number, count in counts.items() if count)
    assert len(found) <= most
    assert [number for one in found for number in busy if one.first <= number <= one.last] == busy
    for one in found:
        inside = {number: count for number, count in counts.items() if one.first <= number <= one.last}
        assert one.mentions == sum(inside.values())
        assert one.peak_mentions == counts[one.peak] == max(inside.values())
        assert counts[one.first] > 0 < counts[one.last]


def test_steps_are_those_of_brute_force() -> None:
    random = Random(3)
    for _ in range(20):
        series = np.array([random.choice([0, 0, 1, 2, 9, 14]) for _ in range(9)] + [1.0])
        assert _worth(series, steps(series)) == pytest.approx(
            max(_worth(series, [0, *_places(mask)]) for mask in range(2**9))
        )


def _places(mask: int) -> list[int]:
    return [place + 1 for place in range(9) if mask >> place & 1]


def _worth(series: np.ndarray, starts: list[int]) -> float:
    price = 4 - np.log(73.53 * 0.01 * series.sum() ** -0.478)
    parts = [part for part in np.split(series, starts[1:])]
    return sum(part.sum() * np.log(max(part.sum(), 1) / len(part)) - price for part in parts)


@pytest.mark.parametrize(
    ("seconds", "mentions", "length"),
    [(0, 1, 60), (3600, 100, 60), (3600, 5, 900), (86400, 300, 300), (86400, 9, 3600), (30 * 86400, 9, 21600)],
)
def test_the_length_of_periods_follows_the_story(seconds: float, mentions: int, length: int) -> None:
    assert period_length(seconds, mentions) == length
    assert period_length(10**9, mentions) == 86400
