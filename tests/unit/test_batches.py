"""The order of rows in training: every one once, similar lengths together, another order in each epoch."""

from hypothesis import given
from hypothesis import strategies as st

from trainer.batches import SimilarLengths


@given(st.lists(st.integers(1, 60), max_size=500), st.integers(1, 40), st.integers(0, 9))
def test_every_row_comes_once_in_each_epoch(lengths: list[int], batch_size: int, epoch: int) -> None:
    sampler = SimilarLengths(lengths, batch_size, seed=1)
    sampler.set_epoch(epoch)
    order = list(sampler)
    assert sorted(order) == list(range(len(lengths)))
    assert order == list(sampler), "the order follows from seed and epoch alone"


def test_batches_have_similar_lengths_and_epochs_differ() -> None:
    lengths = [number % 97 for number in range(3200)]
    sampler = SimilarLengths(lengths, 32, seed=1)
    first = list(sampler)
    spreads = [
        max(part) - min(part)
        for start in range(0, 3200, 32)
        if (part := [lengths[i] for i in first[start : start + 32]])
    ]
    assert max(spreads) <= 3
    means = [lengths[first[start]] for start in range(0, 3200, 32)]
    assert means not in (sorted(means), sorted(means, reverse=True)), "short and long batches come mixed"
    sampler.set_epoch(1)
    assert list(sampler) != first
