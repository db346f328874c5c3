"""The garbage collector of a process that tags."""

import gc
from collections.abc import Iterator

import pytest

from worker import collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the collector of the tests as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_loaded_is_looked_at_no_more_until_it_is_released() -> None:
    loaded = [[]]  # type: ignore[var-annotated]
    collector.settle()
    assert gc.get_freeze_count() > 0
    assert not any(one is loaded for one in gc.get_objects())
    collector.release()
    assert any(one is loaded for one in gc.get_objects())


def test_collections_come_seldom_and_still_come() -> None:
    collector.settle()
    before = gc.get_stats()[0]["collections"]
    kept = [[] for _ in range(5_000)]  # type: ignore[var-annotated]
    assert gc.get_stats()[0]["collections"] == before
    kept += [[] for _ in range(10_000)]
    assert gc.get_stats()[0]["collections"] > before
