"""Say what was injected and what was found: for people, for machines, and as a verdict."""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.delivery.comparison import Findings, lost_and_doubled
from benchmarks.delivery.watch import Injection

WHOLE_WORKER = "kill -9 parent and child"  # only its lease brings the batch back


@dataclass(frozen=True)
class Bars:
    """What a run must reach to have proved something.

    `recovery` is in seconds, the median after a whole worker was killed; None asks nothing.
    """

    faults: int
    per_kind: int
    batches: int
    recovery: float | None = None


@dataclass(frozen=True)
class Row:
    """One kind of fault. `recovery` is the slowest, `median` the usual one, in seconds; `unrecovered` had none."""

    kind: str
    injected: int
    without_target: int
    lost: int
    doubled: int
    recovery: float | None
    median: float | None
    unrecovered: int = 0


@dataclass(frozen=True)
class Report:
    """The outcome of a run. The proofs must all be above 0, or the faults missed what they were aimed at."""

    seed: int
    seconds: float
    tweets: int
    batches: int
    faults: int
    rows: list[Row]
    lost: int
    doubled: int
    resurrected: int
    proofs: dict[str, int]
    notes: dict[str, int]
    shortcomings: list[str]


def make_row(kind: str, injections: Sequence[Injection], without_target: int, findings: Findings) -> Row:
    """Sum up the injections of one kind; a finding counts for each kind that hit its tweet."""
    hit = {one for injection in injections for one in injection.tweet_ids}
    times = [one.recovery for one in injections if one.recovery is not None]
    slowest, median = (max(times), statistics.median(times)) if times else (None, None)
    unrecovered = sum(one.recovery is None for one in injections if one.leases)
    return Row(kind, len(injections), without_target, *lost_and_doubled(findings, hit), slowest, median, unrecovered)


def shortcomings(
    rows: Sequence[Row], batches: int, findings: Findings, proofs: dict[str, int], bars: Bars
) -> Iterator[str]:
    """Name everything that keeps a run from having passed."""
    for what in ("lost", "doubled", "resurrected"):
        if ids := sorted(getattr(findings, what)):
            yield f"{len(ids)} tweets {what}: {', '.join(map(str, ids[:10]))}"
    for what, count in proofs.items():
        if not count:
            yield f"{what}: never, so nothing was proved"
    for row in rows:
        yield from _of_kind(row, bars)
    if (faults := sum(row.injected for row in rows)) < bars.faults:
        yield f"{faults} of {bars.faults} faults"
    if batches < bars.batches:
        yield f"{batches} of {bars.batches} batches"


def _of_kind(row: Row, bars: Bars) -> Iterator[str]:
    if row.injected < bars.per_kind:
        yield f"{row.kind}: {row.injected} of {bars.per_kind} times"
    if row.unrecovered:
        yield f"{row.kind}: {row.unrecovered} times a batch was not taken up again"
    if row.kind == WHOLE_WORKER and row.median and bars.recovery and row.median > bars.recovery:
        yield f"{row.kind}: median recovery {row.median:.1f} s, promised are {bars.recovery:.0f} s"


def print_report(report: Report, as_json: bool) -> None:
    """Print it on standard output."""
    if as_json:
        print(json.dumps(asdict(report)))
        return
    console = Console(width=110)
    table = Table("fault", title=f"seed {report.seed}")
    for heading in ("counted", "no target", "lost", "doubled", "median recovery", "slowest recovery"):
        table.add_column(heading, justify="right")
    for row in report.rows:
        numbers = map(str, (row.injected, row.without_target, row.lost, row.doubled))
        table.add_row(row.kind, *numbers, _seconds(row.median), _seconds(row.recovery))
    table.add_section()
    table.add_row("all", str(report.faults), "", str(report.lost), str(report.doubled))
    console.print(table)
    print(f"{report.tweets} tweets in {report.batches} batches, {report.seconds:.0f} s")
    print(f"deleted tweets that came back: {report.resurrected}")
    for what, count in (report.proofs | report.notes).items():
        print(f"{what}: {count}")
    print("FAILED: " + "; ".join(report.shortcomings) if report.shortcomings else "passed")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
