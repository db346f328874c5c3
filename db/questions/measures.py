"""Measures of how far two counts are from what chance would give. Pure functions, standard library only."""

from math import log, log2


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


def pointwise_mutual_information(together: float, one: float, other: float, total: float) -> float:
    """Return by how many bits two things meet more often than chance would have it.

    `together` of `total` hold both, `one` and `other` hold each. Source: Church and Hanks 1990.
    """
    return log2(together * total / (one * other))
