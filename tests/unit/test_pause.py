"""How long a supervisor waits between two rounds."""

import pytest

from worker.supervisor import pause_after


@pytest.mark.parametrize(
    ("published", "seconds", "pause"),
    [
        (0, 1.0, 1.0),
        (8, 1.0, 0.5),  # eight a second: half of what Redis holds lasts half a second
        (1, 1.0, 1.0),
        (8, 0.2, 0.2),  # not more often
        (8, float("inf"), 1.0),  # the first round
    ],
)
def test_a_supervisor_is_back_before_redis_is_empty(published: int, seconds: float, pause: float) -> None:
    assert pause_after(published, seconds) == pytest.approx(pause)
