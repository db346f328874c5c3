"""Order by length, fill a token budget, restore the order. Nothing is padded."""

from collections.abc import Sequence
from itertools import groupby


def fill_batches(lengths: Sequence[int], token_budget: int, equal_lengths: bool = False) -> list[list[int]]:
    """Group indices of similar length, or of one length only, so that each batch holds at most `token_budget` tokens.

    Longest first, so that memory peaks in the first batch. An item longer than the budget is a batch alone. Every
    index stands in exactly one batch, so the caller restores the order by index.
    """
    batches: list[list[int]] = []
    filled = 0
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        filled += lengths[index]
        fits = batches and filled <= token_budget
        if fits and not (equal_lengths and lengths[batches[-1][0]] != lengths[index]):
            batches[-1].append(index)
        else:
            batches.append([index])
            filled = lengths[index]
    return batches


def runs(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Return (count, length) of each run of equal lengths.

    >>> runs([9, 5, 5])
    [(1, 9), (2, 5)]
    """
    return [(len(list(run)), length) for length, run in groupby(lengths)]
