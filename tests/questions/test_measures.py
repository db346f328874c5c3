"""The measures, against scipy and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import chi2, chi2_contingency, nbinom, poisson

from db.questions.measures import (
    critical_value,
    log_likelihood,
    overdispersed_log_likelihood,
    pointwise_mutual_information,
)

counts = st.tuples(st.integers(0, 200), st.integers(1, 2000)).map(lambda drawn: (drawn[0], sum(drawn)))


@given(one=counts, other=counts)
def test_log_likelihood_is_that_of_the_contingency_table(one: tuple[int, int], other: tuple[int, int]) -> None:
    found = log_likelihood(*one, *other)
    if one[0] + other[0] == 0:
        assert found == 0
        return
    table = [[one[0], one[1] - one[0]], [other[0], other[1] - other[0]]]
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert abs(found) == pytest.approx(expected, abs=1e-6, rel=1e-6)
    assert found == pytest.approx(-log_likelihood(*other, *one), abs=1e-9)


def test_mutual_information_in_bits() -> None:
    assert pointwise_mutual_information(8, 16, 32, 64) == 0
    assert pointwise_mutual_information(16, 16, 16, 64) == 2


@given(one=counts, other=counts, dispersion=st.sampled_from([0, 0.01, 0.3, 2]))
def test_overdispersed_log_likelihood_is_that_of_the_distributions(
    one: tuple[int, int], other: tuple[int, int], dispersion: float
) -> None:
    def log_probability(count: int, mean: float) -> float:
        if not dispersion:
            return float(poisson.logpmf(count, mean))
        return float(nbinom.logpmf(count, 1 / dispersion, 1 / (1 + dispersion * mean)))

    def together(rate: float, other_rate: float) -> float:
        return log_probability(one[0], rate * one[1]) + log_probability(other[0], other_rate * other[1])

    found = overdispersed_log_likelihood(*one, *other, dispersion)
    rates = sorted((one[0] / one[1], other[0] / other[1]))
    common = minimize_scalar(lambda rate: -together(rate, rate), bounds=rates, options={"xatol": 1e-12})
    expected = 2 * (together(one[0] / one[1], other[0] / other[1]) - max(-common.fun, together(rates[0], rates[0])))
    assert abs(found) == pytest.approx(expected, abs=1e-6, rel=1e-6)
    assert found >= 0 if one[0] / one[1] >= other[0] / other[1] else found <= 0
    assert abs(found) <= abs(overdispersed_log_likelihood(*one, *other, 0)) + 1e-9


def test_nothing_is_unlikely_where_nothing_was_read() -> None:
    assert overdispersed_log_likelihood(0, 0, 3, 10, 0.1) == 0
    assert overdispersed_log_likelihood(0, 10, 0, 10, 0.1) == 0


@pytest.mark.parametrize("chance", [0.5, 0.05, 0.001, 5e-5])
def test_critical_value(chance: float) -> None:
    assert critical_value(chance) == pytest.approx(chi2.isf(chance, 1))
