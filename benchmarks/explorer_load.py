"""Many clients ask for the explorer's pages over a million spans: how long does each take, beside the bare query?

Usage: python -m benchmarks.explorer_load [--spans 1000000] [--clients 32] [--seconds 60] [--database postgresql|sqlite]

A real `tweetspan serve` answers clients that ask for one page after the other, about twenty entities from the most
frequent to rare ones; its memory is looked at every second. Then as many threads of one process, with the same pool of
connections, ask the database what these pages ask it, in the same proportions. Both are done by a single client, too,
whom nobody keeps waiting. On both sides stories are kept once they are told, as nothing is read or edited meanwhile,
and those that are not yet told take turns: otherwise the bare queries would bear another load. Bars: the median of each
page under 5 times that of its bare query, no error (503, "busy", is one), and memory that grows by 5 % at most in the
second half. Pages that came without a part that took too long are told as "left out". PostgreSQL is found as by
`benchmarks.enqueue_copy`. Nothing else should run on the machine.
"""

from __future__ import annotations

import signal
import socket
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select, text

from benchmarks.enqueue_copy import fresh_database, server, sqlalchemy_url
from benchmarks.explorer_clients import Answer, ask_database, ask_explorer, memory_of
from benchmarks.explorer_mix import PAGES, Subject, subjects_in
from benchmarks.generated import fill
from benchmarks.machine import machine, report, table
from db import fulltext
from db.session import Database, open_database
from db.tables import Tweet
from tests.processes import TWEETSPAN, WorkerProcess, environment, running, wait_until

LARGEST_RATIO, LARGEST_GROWTH = 5.0, 0.05  # what the project aims at
_ENTITIES, _SUBJECTS = 200_000, 20
_NEIGHBOURS = 10  # samples of memory, one a second
_AT_ONCE = 20_000  # tweets whose words are stored together


@dataclass(frozen=True)
class Figures:
    """How a page was answered: medians in milliseconds, of the explorer and of the bare query, and their ratio."""

    page: str
    answers: int
    median: float
    p95: float
    bare: float
    ratio: float
    errors: int
    left_out: int
    single: float  # medians of a single client
    single_bare: float
    single_ratio: float


@dataclass(frozen=True)
class Measured:
    """All answers, by who gave them to how many, and the server's memory in MB, second by second."""

    loaded: list[Answer]
    bare: list[Answer]
    single: list[Answer]
    single_bare: list[Answer]
    memory: list[float]


@click.command(help=__doc__)
@click.option("--spans", default=1_000_000, show_default=True)
@click.option("--clients", type=int, help="[default: 32, on SQLite 8]")
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--database", "kind", type=click.Choice(["postgresql", "sqlite"]), default="postgresql")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def main(spans: int, clients: int | None, seconds: float, kind: str, file: Path | None) -> None:
    """Measure and print; the exit code is 1 if a bar is missed."""
    about = machine()
    clients = clients or (32 if kind == "postgresql" else 8)
    wanted = {"database": kind, "spans": spans, "clients": clients, "seconds": seconds}
    print(", ".join(f"{name} {value}" for name, value in wanted.items()), flush=True)
    with tempfile.TemporaryDirectory(prefix="tweetspan-benchmark-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with database_url(folder, kind) as url:
            measured = measure(folder, url, prepare(url, spans), clients, seconds)
    pages, memory = figures(measured), growth(measured.memory)
    show(pages, memory, clients)
    report(about, file, wanted | {"pages": [asdict(one) for one in pages], "memory": memory, **statuses(measured)})
    is_met = all(one.ratio < LARGEST_RATIO and not one.errors for one in pages)
    sys.exit(not is_met or memory["second_half"] > LARGEST_GROWTH)


@contextmanager
def database_url(folder: Path, kind: str) -> Iterator[str]:
    """URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'load.db'}"
        return
    with server(folder) as url, fresh_database(url) as own:
        yield sqlalchemy_url(own)


def prepare(url: str, spans: int) -> list[Subject]:
    """Fill the database, and choose what will be asked about."""
    database = open_database(url)
    began = time.perf_counter()
    fill(database, spans, _ENTITIES)
    add_words(database)
    subjects = subjects_in(database, _SUBJECTS)
    database.close()
    print(f"stored {spans:,} mentions in {time.perf_counter() - began:.0f} s", flush=True)
    return subjects


def measure(folder: Path, url: str, subjects: list[Subject], clients: int, seconds: float) -> Measured:
    """Ask the explorer and then the database itself, first a single client and then all."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others:

        def asked(ask: Callable[..., list[Answer]], where: int | str, so_many: int, so_long: float) -> list[Answer]:
            return others.submit(ask, where, subjects, so_many, so_long).result()

        with explorer(folder, url) as (process, port):
            single = asked(ask_explorer, port, 1, seconds / 2)
            with memory_of(process.process.pid) as memory:
                loaded = asked(ask_explorer, port, clients, seconds)
            tell_faults(process.said)
        single_bare = asked(ask_database, url, 1, seconds / 2)
        return Measured(loaded, asked(ask_database, url, clients, seconds), single, single_bare, memory)


def add_words(database: Database) -> None:
    """Make the generated tweets searchable by their words."""
    last = 0
    while True:
        with database.write_session() as session:
            after = select(Tweet.id, Tweet.text).where(Tweet.id > last).order_by(Tweet.id).limit(_AT_ONCE)
            texts = {row.id: row.text for row in session.execute(after)}
            if not texts:
                break
            fulltext.add(session, texts)
        last = max(texts)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"))


@contextmanager
def explorer(folder: Path, url: str) -> Iterator[tuple[WorkerProcess, int]]:
    """Run `tweetspan serve` for the time of a block; yields the process and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*TWEETSPAN, "serve", "--port", str(port)]
    with running(command, environment(folder / "home", url), folder / "log") as process:
        wait_until(lambda: _is_ready(port), 60, "the explorer is ready")
        yield process, port
        process.process.send_signal(signal.SIGINT)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def tell_faults(said: str) -> None:
    """Print the last lines of what the explorer logged, beside its address: there should be none."""
    lines = said.splitlines()[1:]
    if lines:
        print(f"the explorer logged {len(lines)} lines; the last ones:", *lines[-5:], sep="\n  ", flush=True)


def figures(measured: Measured) -> list[Figures]:
    """Compare, page by page. Answers with an error count in no median."""
    return [_figures(page.name, measured) for page in PAGES]


def _figures(page: str, measured: Measured) -> Figures:
    loaded = [one for one in measured.loaded if one.page == page]
    good = sorted(one.milliseconds for one in loaded if one.status == 200)
    bare, single, single_bare = (_median(all_, page) for all_ in (measured.bare, measured.single, measured.single_bare))
    median = _median(measured.loaded, page)
    return Figures(
        page,
        len(loaded),
        median,
        good[int(0.95 * len(good))] if good else 0.0,
        bare,
        median / bare if bare else 0.0,
        len(loaded) - len(good),
        sum(one.status == 200 and not one.is_whole for one in loaded),
        single,
        single_bare,
        single / single_bare if single_bare else 0.0,
    )


def _median(answers: Sequence[Answer], page: str) -> float:
    good = [one.milliseconds for one in answers if one.page == page and one.status == 200]
    return statistics.median(good) if good else 0.0


def growth(samples: Sequence[float]) -> dict[str, float]:
    """Tell the memory after ten seconds, in the middle and at the end, and by how much the second half grew."""
    middle, end = len(samples) // 2, len(samples)
    first, half, last = (_around(samples, place) for place in (min(10, middle), middle, end))
    return {"at_10_s": first, "middle": half, "end": last, "second_half": last / half - 1, "peak": max(samples)}


def _around(samples: Sequence[float], place: int) -> float:
    """Return the lowest of the ten seconds until a place: what stories take beside that is given back."""
    return min(samples[max(0, place - _NEIGHBOURS) : max(1, place)])


def statuses(measured: Measured) -> dict[str, Any]:
    """Count the answers by status, of the explorer and of the bare queries, and list the memory."""
    counted: dict[str, dict[int, int]] = {}
    for name in ("loaded", "bare", "single", "single_bare"):
        found = [one.status for one in getattr(measured, name)]
        counted[name] = {status: found.count(status) for status in sorted(set(found))}
    return {"statuses": counted, "memory_mb": measured.memory}


def show(pages: Sequence[Figures], memory: dict[str, float], clients: int) -> None:
    """Print both tables, and the memory."""
    print(f"\n{clients} clients, milliseconds")
    titles = ("page", "answers", "median", "p95", "bare median", "ratio", "errors", "left out", "")
    rows = [
        (one.page, one.answers, one.median, one.p95, one.bare, one.ratio, one.errors, one.left_out, _missed(one))
        for one in pages
    ]
    print(table(titles, rows))
    print("\na single client, milliseconds")
    print(table(("page", "median", "bare median", "ratio"),
                [(one.page, one.single, one.single_bare, one.single_ratio) for one in pages]))  # fmt: skip
    print(f"\nmemory of the explorer: {memory['at_10_s']:.0f} MB after 10 s, {memory['middle']:.0f} in the middle, "
          f"{memory['end']:.0f} at the end, {memory['peak']:.0f} at most; the second half grew by "
          f"{100 * memory['second_half']:.1f} % (aimed at: {100 * LARGEST_GROWTH:.0f} % at most)")  # fmt: skip


def _missed(one: Figures) -> str:
    return "missed" if one.errors or one.ratio >= LARGEST_RATIO else ""


if __name__ == "__main__":
    main()
