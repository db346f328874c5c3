"""What the page *Queue* says of how the work stands."""

from dataclasses import replace

import pytest

from db.failures import Reason
from db.leases import Lease
from db.status import Status
from explorer.condition import condition

QUIET = Status(
    tweets=100, tweets_waiting=0, active_version=None, read={}, spans=0,
    batches={}, oldest_waiting_seconds=None, tweets_per_second=0.0,
    workers={}, failures=[], troubled={},
)  # fmt: skip
WAITING = replace(QUIET, tweets_waiting=30, batches={"waiting": 3}, oldest_waiting_seconds=5.0)
HELD = Lease(7, 1, "host:12/34", 1, 1, 10, 21.4)
ALIVE, SILENT = {"host:12": 1.0}, {"host:12": 20.0}
MOVING = replace(WAITING, tweets_per_second=2.5)
SLOW = replace(WAITING, workers=ALIVE, oldest_waiting_seconds=7200.0)


@pytest.mark.parametrize(
    ("status", "heartbeats", "held", "said"),
    [
        (QUIET, {}, [], "All is well: nothing is waiting."),
        (replace(QUIET, active_version=2, read={1: {"done": 100, "dead": 0}, 2: {"done": 40, "dead": 1}}), {}, [],
         "nothing is waiting. Of 100 stored tweets version 2, which is active, has read 41: `tweetspan reannotate`"),
        (replace(WAITING, workers=ALIVE), ALIVE, [], "30 tweets waiting or being tagged; no batch ended within"),
        (replace(QUIET, tweets=0), {}, [], "Nothing is stored yet: `tweetspan enqueue FILE` stores tweets"),
        (MOVING, ALIVE, [], "All is well: 30 tweets waiting or being tagged, 2.5 a second"),
        (WAITING, {}, [], "3 batches are waiting and no worker runs: start one with `tweetspan worker`."),
        (WAITING, {"host:12": 130.0}, [], "3 batches are waiting and none has been seen for 2 minutes: start one"),
        (QUIET, SILENT, [HELD], "The worker host:12 has not been seen for 20 seconds: its batch goes back"),
        (QUIET, SILENT, [HELD], "to the queue in 21 seconds, when its lease has run out."),
        (QUIET, SILENT, [HELD, HELD], "its 2 batches go back"),
        (QUIET, SILENT, [replace(HELD, seconds_left=-3.0)], "in 0 seconds"),
        (QUIET, {"host:12": 86400.0 * 3}, [], "has not been seen for 3 days; it holds no batch."),
        (QUIET, {}, [HELD], "1 batch is held by workers that are gone"),
        (SLOW, ALIVE, [], "The oldest batch has been open for 2 hours; 30 tweets are ahead, and nothing ended"),
        (replace(SLOW, tweets_per_second=0.01), ALIVE, [], "and at this rate they end in 50 minutes."),
        (replace(QUIET, troubled={4: "OSError: full"}), {}, [], "Batch 4 is tried again after an error: OSError: full"),
    ],
)  # fmt: skip
def test_the_first_sentence(status: Status, heartbeats: dict[str, float], held: list[Lease], said: str) -> None:
    assert said in condition(status, heartbeats, held, [])[0]


def test_the_dead_are_counted() -> None:
    dead = [Reason(1, "a", 20, 0.0), Reason(1, "b", 1, 0.0)]
    assert condition(QUIET, {}, [], dead)[0].startswith("21 tweets could not be tagged, for 2 reasons")
    assert condition(QUIET, {}, [], dead[1:])[0].startswith("1 tweet could not be tagged, for 1 reason")
    assert not any("All is well" in one for one in condition(WAITING, {}, [HELD], dead))
