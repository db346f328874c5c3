"""The watchdog: it barks only where messages wait, nothing is at work and nothing was begun for long."""

import pytest

from worker import watchdog as module
from worker.watchdog import Watchdog


class Worker:
    """What Celery counts in the parent, and a clock."""

    def __init__(self) -> None:
        self.time = 100.0
        self.all_total_count = [0]
        self.active_requests: set[str] = set()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    worker = Worker()
    monkeypatch.setattr(module, "state", worker)
    return worker


def looks(worker: Worker, watchdog: Watchdog, messages: int, seconds: int) -> bool:
    for _ in range(seconds):
        worker.time += 1
        if watchdog.is_stuck(messages):
            return True
    return False


def test_messages_that_nobody_takes_are_noticed(worker: Worker) -> None:
    watchdog = Watchdog(60, lambda: worker.time)
    assert not looks(worker, watchdog, 8, 59)
    assert looks(worker, watchdog, 8, 3)


def test_an_empty_queue_is_no_trouble(worker: Worker) -> None:
    watchdog = Watchdog(60, lambda: worker.time)
    assert not looks(worker, watchdog, 0, 1000)
    assert not looks(worker, watchdog, 1, 60)


def test_a_batch_that_takes_long_is_no_trouble(worker: Worker) -> None:
    watchdog = Watchdog(60, lambda: worker.time)
    worker.active_requests.add("a batch")
    assert not looks(worker, watchdog, 8, 1000)


def test_work_that_goes_on_is_no_trouble(worker: Worker) -> None:
    watchdog = Watchdog(60, lambda: worker.time)
    for _ in range(50):
        worker.all_total_count[0] += 1
        assert not looks(worker, watchdog, 8, 50)


def test_time_without_looks_does_not_count(worker: Worker) -> None:
    """A server was away, or this process slept."""
    watchdog = Watchdog(60, lambda: worker.time)
    assert not looks(worker, watchdog, 8, 50)
    worker.time += 1000
    assert not looks(worker, watchdog, 8, 60)
    assert looks(worker, watchdog, 8, 2)
