"""A short disturbance of real workers, from a fixed seed, loses and doubles nothing. `make chaos` is the long one."""

from benchmarks.chaos import Options, run
from benchmarks.delivery.building import Size
from benchmarks.delivery.report import Bars

QUICK = (
    "kill -9 child",
    "kill -9 parent and child",
    "SIGTERM and respawn",
    "SIGSTOP past the lease",
    "kill -9 Redis",
    "FLUSHALL",
    "restart PostgreSQL",
    "cut database",
    "cut Redis",
    "activate another version",
    "delete tweets",
    "poison tweet",
)


def test_disturbed_workers_store_what_an_undisturbed_process_stores() -> None:
    size = Size(workers=2, enqueuers=1, lease=4.0)
    bars = Bars(faults=15, per_kind=1, batches=30)
    report = run(Options(seed=1, bars=bars, size=size, kinds=QUICK, time_limit=240))
    assert (report.lost, report.doubled, report.resurrected) == (0, 0, 0), report
    assert report.shortcomings == [], report
