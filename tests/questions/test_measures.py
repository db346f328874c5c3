"""The measures, against scipy and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from db.questions.measures import log_likelihood, pointwise_mutual_information

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
