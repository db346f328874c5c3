"""Measures of how far two counts are from what chance would give. Pure functions, standard library only."""

from math import log, log1p, log2, sqrt
from statistics import NormalDist


def log_likelihood(hits: float, total: float, other_hits: float, other_total: float) -> float:
    """Return Dunning's log-likelihood ratio G² that two rates differ, negative where the first is the smaller one.

    `hits` of `total` are compared with `other_hits` of `other_total`. Where the rates are equal, the absolute value
    follows a chi-squared distribution with one degree of freedom: 10.8 is passed by one comparison in a thousand.
    Source: Dunning 1993, Accurate methods for the statistics of surprise and coincidence.
    """
    if total <= 0 or other_total <= 0:
        return 0.0
    cells = [(hits, total), (total - hits, total), (other_hits, other_total), (other_total - other_hits, other_total)]
    columns = [hits + other_hits, total + other_total - hits - other_hits] * 2
    both = total + other_total
    ratio = sum(
        count * log(count * both / (row * column))
        for (count, row), column in zip(cells, columns, strict=True)
        if count > 0
    )
    return max(0.0, 2 * ratio) * (1 if hits / total >= other_hits / other_total else -1)


def overdispersed_log_likelihood(
    hits: float, total: float, other_hits: float, other_total: float, dispersion: float
) -> float:
    """Return the log-likelihood ratio that two rates differ, where rates vary by themselves; its sign as above.

    Counts are negative binomial: their variance is the mean m plus `dispersion` times m². With a dispersion of 0 they
    are Poisson's, and the ratio is Dunning's for rare events. Source: Cameron and Trivedi 1986, their NB2 model.
    """
    if total <= 0 or other_total <= 0:
        return 0.0
    rate = _common_rate(hits, total, other_hits, other_total, dispersion)
    ratio = sum(
        _log_probability(count, count, dispersion) - _log_probability(count, rate * of, dispersion)
        for count, of in ((hits, total), (other_hits, other_total))
    )
    return max(0.0, 2 * ratio) * (1 if hits / total >= other_hits / other_total else -1)


def critical_value(chance: float) -> float:
    """Return what a log-likelihood ratio passes, up or down, with this probability where the rates are equal."""
    return NormalDist().inv_cdf(chance / 2) ** 2  # chi-squared with one degree of freedom is a normal's square


def pointwise_mutual_information(together: float, one: float, other: float, total: float) -> float:
    """Return by how many bits two things meet more often than chance would have it.

    `together` of `total` hold both, `one` and `other` hold each. Source: Church and Hanks 1990.
    """
    return log2(together * total / (one * other))


def _common_rate(hits: float, total: float, other_hits: float, other_total: float, dispersion: float) -> float:
    """Return the most likely rate if it is one: where the derivative, a quadratic, is zero."""
    square = 2 * dispersion * total * other_total
    if square == 0:
        return (hits + other_hits) / (total + other_total)
    linear = total + other_total - dispersion * (hits * other_total + other_hits * total)
    return (sqrt(linear**2 + 4 * square * (hits + other_hits)) - linear) / (2 * square)


def _log_probability(count: float, mean: float, dispersion: float) -> float:
    """Return the logarithm of a count's probability, without the terms in which there is no mean."""
    at_all = count * log(mean / (1 + dispersion * mean)) if count > 0 else 0.0
    return at_all - (log1p(dispersion * mean) / dispersion if dispersion else mean)
