"""From a file to stored spans: what the way there and back costs. See --help.

With a model: a real worker on a real PostgreSQL and Redis tags tweets, and the CPU time of each part is told. Bar: what
is not tagging is 5 % of the whole at most. A first batch, which loads the model, is not counted; the enqueuer is told
apart.

With --instant: the tagger takes no time, and the worker is compared with COPY of the same tweets, marks and spans (two
a tweet) into the same tables with all their indexes, in batches as large. Bar: 0.6 of its rate. What full text and
the maintained counts cost, which COPY has nothing of, is told apart by leaving them out.
"""

import signal
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from benchmarks import copied
from benchmarks.enqueue_copy import Measured
from benchmarks.machine import machine, report, table
from benchmarks.many_tweets import many_tweets, with_names
from benchmarks.whole_way import Parts, WholeWay, whole_way
from db.ledger import BATCH_SIZE
from tagging.checkpoint import read_manifest
from worker.tweet_files import Tweet

LARGEST_SHARE, SMALLEST_RATIO = 0.05, 0.6  # what the project aims at
Drawn = Callable[[Path, int], Iterator[Tweet]]  # a file's tweets, so many of them

_LEFT_OUT = {"all": "", "no full text": "words", "no counts": "counts", "neither": "words counts"}


@click.command(help=__doc__)
@click.argument("tweets", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A model folder.")
@click.option("--instant", is_flag=True, help="Compare with COPY instead, with a tagger that takes no time.")
@click.option("--count", default=20_000, show_default=True, help="Tweets.")
@click.option("--batch-size", default=BATCH_SIZE, show_default=True)
@click.option("--workers", default=1, show_default=True, help="With a model: they share the cores evenly.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def main(
    tweets: Path, model: Path | None, instant: bool, count: int, batch_size: int, workers: int, repeats: int,
    device: str, file: Path | None,
) -> None:  # fmt: skip
    """Measure and print; the exit code is 1 if the bar is missed."""
    about = machine()
    asked = {"tweets": count, "batch_size": batch_size, "workers": workers, "repeats": repeats}
    print(", ".join(f"{name} {value}" for name, value in asked.items()), flush=True)
    if instant:
        figures, is_met = _against_copy(tweets, count, batch_size, repeats)
    elif model:
        figures, is_met = _by_part(tweets, model, count, batch_size, workers, repeats, device)
    else:
        raise click.UsageError("give --model FOLDER or --instant")
    report(about, file, asked | figures)
    sys.exit(not is_met)


def _by_part(
    tweets: Path, model: Path, count: int, batch_size: int, workers: int, repeats: int, device: str
) -> tuple[dict[str, object], bool]:
    manifest = read_manifest(model)
    version: dict[str, Any] = {
        "artifact_uri": model.absolute().as_uri(),
        "artifact_hash": manifest.hash,
        "labels": [*manifest.labels],
    }
    with whole_way(device, **version) as way:
        threads = {"OMP_NUM_THREADS": str(max(1, machine()["cores"] // workers))}
        runs = [_run(way, many_tweets, tweets, count, batch_size, workers, **threads) for _ in range(repeats)]
    columns: dict[str, Callable[[Parts], float]] = {
        "tagging": lambda one: one.tagging,
        "worker's child besides": lambda one: one.child - one.tagging,
        "worker's parent": lambda one: one.parent,
        "postgresql": lambda one: one.postgresql,
        "redis": lambda one: one.redis,
        "outside tagging, in all": lambda one: one.outside,
    }
    rows = []
    for name, part in columns.items():
        shares = [100 * part(one) / (one.tagging + one.outside) for one, _ in runs]
        rows.append((name, _median(part(one) / count * 1e6 for one, _ in runs), _median(shares)))
    rate = _median(count / one.passed for one, _ in runs)
    enqueuing = _median(enqueued.cpu / count * 1e6 for _, enqueued in runs)
    print(table(("CPU time", "µs a tweet", "% of all"), rows))
    print(f"\n{rate:.0f} tweets/s; apart: the enqueuer's process {enqueuing:.0f} µs a tweet, its start included")
    share = rows[-1][2] / 100
    print(f"outside tagging {100 * share:.1f} % (aimed at: {100 * LARGEST_SHARE:.0f} % at most)")
    return {"tweets_a_second": rate, "enqueuer_us": enqueuing, "parts": rows}, share <= LARGEST_SHARE


def _run(
    way: WholeWay, drawn: Drawn, tweets: Path, count: int, batch_size: int, number: int = 1, **env: str
) -> tuple[Parts, Measured]:
    """Store tweets while the workers are frozen, then let them work them off."""
    way.empty()
    with way.workers(number, **env) as workers:
        first = drawn(tweets, 2 * number * batch_size)
        way.enqueue((one._replace(id=place) for place, one in enumerate(first, start=1)), batch_size)
        way.wait_until_done(workers)
        for worker in workers:
            worker.signal_all(signal.SIGSTOP)
        enqueued = way.enqueue(drawn(tweets, count), batch_size)
        before = way.spent(workers)
        for worker in workers:
            worker.signal_all(signal.SIGCONT)
        way.wait_until_done(workers)
        spent = way.spent(workers) - before
    print(f"  {count / spent.passed:7.0f} tweets/s, enqueue {enqueued.seconds:.1f} s", flush=True)
    return spent, enqueued


def _named(tweets: Path, count: int) -> Iterator[Tweet]:
    return with_names(many_tweets(tweets, count))


def _against_copy(tweets: Path, count: int, batch_size: int, repeats: int) -> tuple[dict[str, object], bool]:
    found: dict[str, list[float]] = {name: [] for name in (*_LEFT_OUT, "COPY")}
    cpu: dict[str, list[Parts]] = {name: [] for name in _LEFT_OUT}
    with whole_way() as way:
        for _ in range(repeats):
            for name, without in _LEFT_OUT.items():
                spent, _ = _run(way, _named, tweets, count, batch_size, TIMED_INSTANT="1", TIMED_WITHOUT=without)
                found[name].append(spent.passed / count * 1e6)
                cpu[name].append(spent)
            rows = copied.read(way)
            full = sum(len(batch["spans"]) > 100 for batch in rows)
            assert full == len(rows), f"{len(rows) - full} batches without spans"
            found["COPY"].append(copied.store(way, rows) / (count + 2 * batch_size) * 1e6)
    medians = {name: statistics.median(all_) for name, all_ in found.items()}
    lines = []
    for name, time_ in medians.items():
        own = cpu.get(name, [])
        child = _median(one.child / count * 1e6 for one in own) if own else ""
        server = _median(one.postgresql / count * 1e6 for one in own) if own else ""
        lines.append((name, time_, 1e6 / time_, child, server, medians["COPY"] / time_))
    titles = ("stored", "µs a tweet", "tweets/s", "child's CPU µs", "PostgreSQL's CPU µs", "of COPY's rate")
    print(table(titles, lines))
    ratio = medians["COPY"] / medians["neither"]
    print(f"\nwhat COPY stores, too: {ratio:.2f} of its rate (aimed at: {SMALLEST_RATIO})")
    print(f"with full text and counts: {medians['COPY'] / medians['all']:.2f}")
    return {"us_a_tweet": found, "ratio": ratio}, ratio >= SMALLEST_RATIO


def _median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


if __name__ == "__main__":
    main()
