"""Does a tweet cost the same at a million as at ten thousand? See --help.

`tweetspan enqueue --max-waiting` reads a file while real workers with a tagger that takes no time work it off, on a
real PostgreSQL and Redis. Told are the time per tweet by decade, the peak memory of each kind of process, and the size
of the database by table. Bars: the time grows by 10 % at most, and memory is flat.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import click
import psutil
from sqlalchemy import text

from benchmarks.machine import machine, report, table
from benchmarks.many_tweets import many_tweets, with_names
from benchmarks.whole_way import WholeWay, batches_done, is_done, whole_way, write_tweets
from db.ledger import BATCH_SIZE
from tests.processes import ROOT, TWEETSPAN, WorkerProcess

LARGEST_GROWTH = 1.1
_OPEN_BATCHES = 64
_TABLES = ("tweets", "annotations", "spans", "tweet_words", "entities", "entity_counts", "batches")
_EACH = {"tweets": "tweet", "annotations": "mark", "spans": "span"}


@dataclass(frozen=True)
class Look:
    """What was seen at a moment: seconds since the start, tweets stored, megabytes of the processes."""

    seconds: float
    tweets: int
    enqueuer: float
    worker: float  # the largest, parent and child together


@click.command(help=__doc__)
@click.argument("tweets", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--count", type=click.IntRange(200_000), default=1_000_000, show_default=True, help="Tweets.")
@click.option("--workers", "numbers", multiple=True, default=(1, 2), show_default=True, help="How many; repeatable.")
@click.option("--batch-size", default=BATCH_SIZE, show_default=True)
@click.option(
    "--setting", "settings", type=(str, str), multiple=True, help="Of PostgreSQL: a name and a value; repeatable."
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write a PNG.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def main(
    tweets: Path, count: int, numbers: Sequence[int], batch_size: int, settings: Sequence[tuple[str, str]],
    plot: Path | None, file: Path | None,
) -> None:  # fmt: skip
    """Measure and print; the exit code is 1 if the time per tweet grows by more than the bar."""
    about, runs, sizes = machine(), {}, {}
    for number in numbers:
        with whole_way(settings=dict(settings)) as way:
            runs[number] = list(_run(way, tweets, count, number, batch_size))
            sizes[number] = _sizes(way)
        print(f"\n{number} worker(s), {count} tweets in batches of {batch_size}: {runs[number][-1].seconds:.0f} s")
        print(_by_decade(runs[number]), flush=True)
    print(f"\n{table(('database', 'MB', 'bytes a row', 'bytes a tweet'), sizes[numbers[0]])}")
    growths = {number: _growth(looks) for number, looks in runs.items()}
    for number, growth in growths.items():
        print(f"{number} worker(s): {growth:.3f} times as long at the end (aimed at: {LARGEST_GROWTH} at most)")
    if plot:
        _draw(plot, runs)
    told = {number: [asdict(look) for look in looks] for number, looks in runs.items()}
    report(
        about,
        file,
        {"batch_size": batch_size, "settings": dict(settings), "growth": growths, "sizes": sizes, "looks": told},
    )
    sys.exit(max(growths.values()) > LARGEST_GROWTH)


def _run(way: WholeWay, tweets: Path, count: int, number: int, batch_size: int) -> Iterator[Look]:
    """Read in and work off, with a look every second."""
    source = way.folder / "tweets.jsonl"
    write_tweets(source, with_names(many_tweets(tweets, count)))
    with way.workers(number, TIMED_INSTANT="1") as workers:
        time.sleep(5)  # until they are up
        options = ["--batch-size", str(batch_size), "--max-waiting", str(_OPEN_BATCHES)]
        command = [*TWEETSPAN, "enqueue", *options, str(source)]
        enqueuer = subprocess.Popen(command, env=way.env, cwd=ROOT, stderr=subprocess.DEVNULL)
        start = time.perf_counter()
        while enqueuer.poll() is None or not is_done(way.database):
            time.sleep(1)
            assert all(worker.process.poll() is None for worker in workers), workers[0].said
            done = min(batches_done(way.database) * batch_size, count)
            yield Look(time.perf_counter() - start, done, _megabytes([enqueuer.pid]), max(map(_of_worker, workers)))
    assert enqueuer.returncode == 0


def _of_worker(worker: WorkerProcess) -> float:
    children = psutil.Process(worker.process.pid).children()
    return _megabytes([worker.process.pid, *(child.pid for child in children)])


def _megabytes(pids: Sequence[int]) -> float:
    try:
        return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def _decades(looks: Sequence[Look]) -> list[tuple[Look, Look]]:
    """Cut the run at 10 thousand, 100 thousand and so on, and at its end."""
    last = looks[-1].tweets
    marks = [10**power for power in range(4, 12) if 2 * 10**power <= last] + [last]
    found = [next(look for look in looks if look.tweets >= mark) for mark in marks]
    return list(pairwise(found))


def _by_decade(looks: Sequence[Look]) -> str:
    rows = []
    for first, last in _decades(looks):
        between = [look for look in looks if first.seconds < look.seconds <= last.seconds]
        rows.append(
            (
                f"{first.tweets:,} to {last.tweets:,}",
                _time(first, last),
                1e6 / _time(first, last),
                max(look.enqueuer for look in between),
                max(look.worker for look in between),
            )
        )
    return table(("tweets", "µs a tweet", "tweets/s", "enqueuer, peak MB", "worker, peak MB"), rows)


def _growth(looks: Sequence[Look]) -> float:
    """Compare the last tenth of the tweets with the tenth after the first ten thousand."""
    tenth = looks[-1].tweets // 10
    early = [look for look in looks if 10_000 <= look.tweets <= 10_000 + tenth]
    late = [look for look in looks if look.tweets >= looks[-1].tweets - tenth]
    return _time(late[0], late[-1]) / _time(early[0], early[-1])


def _time(first: Look, last: Look) -> float:
    return (last.seconds - first.seconds) / (last.tweets - first.tweets) * 1e6


def _sizes(way: WholeWay) -> list[tuple[str, float, object, float]]:
    with way.database.read_session() as session:
        tweets = session.scalar(text("SELECT count(*) FROM tweets")) or 1
        found = []
        for name in _TABLES:
            size = session.scalar(text("SELECT pg_total_relation_size(CAST(:name AS regclass))"), {"name": name})
            rows = session.scalar(text("SELECT count(*) FROM " + name)) or 1  # one of ours, above
            told = f"{(size or 0) / rows:.0f} a {_EACH[name]}" if name in _EACH else f"{(size or 0) / rows:.0f}"
            found.append((name, (size or 0) / 1e6, told, (size or 0) / tweets))
        return found


def _draw(plot: Path, runs: dict[int, list[Look]]) -> None:
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, (times, memory) = pyplot.subplots(2, 1, figsize=(8, 7), sharex=True)
    for number, looks in runs.items():
        smooth = list(zip(looks, looks[10:], strict=False))  # ten seconds each
        moved = [(first, last) for first, last in smooth if last.tweets > first.tweets >= 1]
        times.plot([last.tweets for _, last in moved], [_time(*pair) for pair in moved], label=f"{number} worker(s)")
        at = [look.tweets for look in looks if look.tweets]
        memory.plot(at, [look.worker for look in looks if look.tweets], label=f"a worker, of {number}")
        reading = [look for look in looks if look.tweets and look.enqueuer]
        memory.plot([one.tweets for one in reading], [one.enqueuer for one in reading], "--", label="enqueuer")
    times.set(ylabel="µs a tweet", ylim=(0, None), title="Time and memory as the database grows")
    memory.set(ylabel="MB", ylim=(0, None), xlabel="tweets stored", xscale="log")
    for axes in (times, memory):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(plot, dpi=120)
    print(f"plot in {plot}; medians: " + ", ".join(f"{n}: {_median(looks):.0f} µs" for n, looks in runs.items()))


def _median(looks: Sequence[Look]) -> float:
    return statistics.median(_time(one, two) for one, two in pairwise(looks) if two.tweets > one.tweets)


if __name__ == "__main__":
    main()
