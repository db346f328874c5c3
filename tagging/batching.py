"""Order by length, fill a token budget, restore the order."""

from collections.abc import Sequence


def fill_batches(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Group indices of similar length so that each padded batch holds at most `token_budget` tokens.

    Longest first, so that memory peaks in the first batch. An item longer than the budget is a batch alone. Every
    index stands in exactly one batch, so the caller restores the order by index.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        longest = lengths[batches[-1][0]] if batches else 0
        if batches and (len(batches[-1]) + 1) * longest <= token_budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
