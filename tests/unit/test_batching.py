"""Batches of similar length under a budget of padded tokens."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tagging.batching import fill_batches

some_lengths = st.lists(st.integers(0, 300), max_size=60)
some_budget = st.integers(1, 1000)


@settings(deadline=None)
@given(some_lengths, some_budget)
def test_every_index_stands_in_exactly_one_batch(lengths: list[int], budget: int) -> None:
    batches = fill_batches(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(batches)


@settings(deadline=None)
@given(some_lengths, some_budget)
def test_no_padded_batch_is_over_the_budget_unless_it_is_one_item(lengths: list[int], budget: int) -> None:
    for batch in fill_batches(lengths, budget):
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget


@settings(deadline=None)
@given(some_lengths, some_budget)
def test_longest_come_first(lengths: list[int], budget: int) -> None:
    order = [lengths[index] for batch in fill_batches(lengths, budget) for index in batch]
    assert order == sorted(lengths, reverse=True)


@settings(deadline=None)
@given(some_lengths, some_budget)
def test_no_batch_has_room_for_the_item_behind_it(lengths: list[int], budget: int) -> None:
    batches = fill_batches(lengths, budget)
    for batch in batches[:-1]:
        assert (len(batch) + 1) * max(lengths[index] for index in batch) > budget


def test_equal_lengths_keep_their_order() -> None:
    assert fill_batches([5, 9, 5, 5], 10) == [[1], [0, 2], [3]]


def test_nothing_to_batch() -> None:
    assert fill_batches([], 10) == []
