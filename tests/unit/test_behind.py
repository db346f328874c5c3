"""Work behind the caller's back: one piece at a time, in its context, and no error is lost."""

import threading
from contextvars import ContextVar

import pytest

from worker.behind import Behind


def test_one_piece_is_done_at_a_time_and_the_next_waits_for_it() -> None:
    behind, done, goes_on = Behind(), list[int](), threading.Event()

    def slow() -> None:
        assert goes_on.wait(10)
        done.append(1)

    behind.do(slow)
    assert done == []
    threading.Timer(0.1, goes_on.set).start()
    behind.do(lambda: done.append(2))
    assert done[0] == 1
    behind.wait()
    assert done == [1, 2]


def test_nothing_to_wait_for() -> None:
    Behind().wait()


def test_who_waits_tells_that_it_lives() -> None:
    behind, goes_on = Behind(), threading.Event()
    behind.do(lambda: goes_on.wait(10))
    behind.wait(goes_on.set)
    assert goes_on.is_set()


def test_it_is_done_in_the_context_of_the_caller() -> None:
    variable, seen = ContextVar("variable", default=0), list[int]()
    behind = Behind()
    for number in (1, 2):
        variable.set(number)
        behind.do(lambda: seen.append(variable.get()))
    behind.wait()
    assert seen == [1, 2]


def test_an_error_is_logged_and_does_not_reach_the_next(caplog: pytest.LogCaptureFixture) -> None:
    behind = Behind()
    behind.do(lambda: 1 / 0)
    behind.do(lambda: None)
    behind.wait()
    assert "ZeroDivisionError" in caplog.text
