"""Batches of similar length, or of one, under a budget of tokens."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tagging.batching import fill_batches, runs

some_lengths = st.lists(st.integers(0, 300), max_size=60)
some_budget = st.integers(1, 1000)


@settings(deadline=None)
@given(some_lengths, some_budget, st.booleans())
def test_every_index_stands_in_exactly_one_batch(lengths: list[int], budget: int, equal: bool) -> None:
    batches = fill_batches(lengths, budget, equal)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(batches)


@settings(deadline=None)
@given(some_lengths, some_budget, st.booleans())
def test_no_batch_is_over_the_budget_unless_it_is_one_item(lengths: list[int], budget: int, equal: bool) -> None:
    for batch in fill_batches(lengths, budget, equal):
        assert len(batch) == 1 or sum(lengths[index] for index in batch) <= budget


@settings(deadline=None)
@given(some_lengths, some_budget, st.booleans())
def test_longest_come_first(lengths: list[int], budget: int, equal: bool) -> None:
    order = [lengths[index] for batch in fill_batches(lengths, budget, equal) for index in batch]
    assert order == sorted(lengths, reverse=True)


@settings(deadline=None)
@given(some_lengths, some_budget, st.booleans())
def test_no_batch_has_room_for_the_item_behind_it(lengths: list[int], budget: int, equal: bool) -> None:
    batches = fill_batches(lengths, budget, equal)
    for batch, following in pairwise(batches):
        tokens = sum(lengths[index] for index in batch) + lengths[following[0]]
        assert tokens > budget or (equal and lengths[batch[0]] != lengths[following[0]])


@settings(deadline=None)
@given(some_lengths, some_budget)
def test_batches_of_equal_lengths_need_no_padding(lengths: list[int], budget: int) -> None:
    for batch in fill_batches(lengths, budget, equal_lengths=True):
        assert len({lengths[index] for index in batch}) == 1


@given(some_lengths)
def test_runs_are_the_lengths_again(lengths: list[int]) -> None:
    found = runs(lengths)
    assert [length for count, length in found for _ in range(count)] == lengths
    assert all(first[1] != second[1] for first, second in pairwise(found))


def test_equal_lengths_keep_their_order() -> None:
    assert fill_batches([5, 9, 5, 5], 10) == [[1], [0, 2], [3]]
    assert fill_batches([5, 9, 5, 5], 19) == [[1, 0, 2], [3]]
    assert fill_batches([5, 9, 5, 5], 19, equal_lengths=True) == [[1], [0, 2, 3]]


def test_nothing_to_batch() -> None:
    assert fill_batches([], 10) == []
    assert runs([]) == []
