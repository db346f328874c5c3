"""The ledger under any order of deliveries, crashes, failures, deletions and time: nothing lost, nothing doubled.

What happens and what must hold is in `tests/ledger_machine/machine.py`. `make ledger-machine` runs it thoroughly.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import IntegrityError

from db import model_versions, tweets
from db.session import Database, open_database
from tests.ledger_machine.faults import FAULTS
from tests.ledger_machine.machine import LedgerMachine
from tests.ledger_machine.world import BreakingDatabase, Clocks
from tests.ledger_tools import VERSION, FakeClock
from worker import dispatch, tasks

STEPS = 15  # of one example, before it is drained
MUST_HAPPEN = (
    "transactions broken off", "answers of a commit lost", "finishes", "finishes that came too late",
    "batches split after a claim", "batches dead after a claim", "batches cancelled after a claim",
)  # fmt: skip


@pytest.fixture
def clocks(fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """Clocks of which Python sees the running process's only."""
    clocks = Clocks(fake_clock)

    class Skewed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(clocks.wall_time(), tz)

    monkeypatch.setattr("time.time", clocks.wall_time)
    for module in (tweets, model_versions):
        monkeypatch.setattr(module, "datetime", Skewed)
    monkeypatch.setattr(tasks, "process_name", lambda: clocks.whose)
    monkeypatch.setattr(dispatch, "FULL", 4)  # messages: few, so that Redis is full at times
    return clocks


def run(database: Database, clocks: Clocks, chosen: settings) -> Counter[str]:
    """Run the machine and return how often what happened."""
    breaking = BreakingDatabase(database.engine)
    with breaking.write_session() as session:
        versions = [model_versions.register(session, **VERSION).id for _ in range(2)]
    tally = Counter[str]()
    run_state_machine_as_test(lambda: LedgerMachine(breaking, clocks, versions, tally), settings=chosen)
    return tally


def test_nothing_is_lost_and_nothing_doubled(database: Database, clocks: Clocks) -> None:
    if database.engine.dialect.name == "postgresql":
        _commit_without_waiting_for_the_disk(database)
    is_short = settings.get_current_profile_name() == "patient"
    examples = 15 if is_short else settings().max_examples
    tally = run(database, clocks, settings(max_examples=examples, stateful_step_count=STEPS))
    print(f"{database.engine.dialect.name}: {dict(tally)}")  # noqa: T201 (`make ledger-machine` shows it)
    assert is_short or all(tally[what] for what in MUST_HAPPEN), tally


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_machine_finds(
    fault: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    fault(monkeypatch)
    same_each_time = settings(
        max_examples=400, stateful_step_count=STEPS, derandomize=True, database=None, phases=[Phase.generate],
        report_multiple_bugs=False,
    )  # fmt: skip
    with pytest.raises((AssertionError, IntegrityError)):
        run(database, clocks, same_each_time)
    database.close()


def _commit_without_waiting_for_the_disk(database: Database) -> None:
    name = database.engine.url.database
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit TO off')
    database.engine.dispose()
