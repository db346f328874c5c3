"""Clients of the explorer, and of the database without it, for `benchmarks.explorer_load`: threads of a process."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import islice
from threading import Event, Thread, local
from typing import NamedTuple

import psutil
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.explorer_mix import PAGES, Kept, Page, Subject, rounds
from db.session import open_database
from tagging.errors import TweetspanError

_PATIENCE = 120  # seconds for one answer
_KEPT = Kept()  # by the process, so that all clients find what the single one had told, as the explorer's do
_LEFT_OUT = b'class="failure"'  # what a page says in place of what took too long


class Answer(NamedTuple):
    """What came of asking; `is_whole` is false where a page came without a part that took too long."""

    page: str
    milliseconds: float
    status: int  # 0: none came
    is_whole: bool


Ask = Callable[[Page, Subject], tuple[int, bool]]


@contextmanager
def memory_of(process: int) -> Iterator[list[float]]:
    """Look at a process's memory every second of a block: its resident set in MB."""
    samples: list[float] = []
    watched, is_over = psutil.Process(process), Event()

    def watch() -> None:
        while not is_over.wait(1):
            samples.append(watched.memory_info().rss / 1e6)

    thread = Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        is_over.set()
        thread.join()
        samples.append(watched.memory_info().rss / 1e6)


def ask_explorer(port: int, subjects: list[Subject], clients: int, seconds: float) -> list[Answer]:
    """Ask the explorer for pages."""
    own = local()

    def ask(page: Page, subject: Subject) -> tuple[int, bool]:
        if not hasattr(own, "connection"):
            own.connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        try:
            own.connection.request("GET", page.address(subject), headers={"Accept-Encoding": "gzip"})
            response = own.connection.getresponse()
            body = response.read()
        except (OSError, HTTPException):
            own.connection.close()  # the next request opens it again
            return 0, False
        is_packed = response.getheader("Content-Encoding") == "gzip"
        return response.status, _LEFT_OUT not in (gzip.decompress(body) if is_packed else body)

    return _drive(ask, subjects, clients, seconds)


def ask_database(url: str, subjects: list[Subject], clients: int, seconds: float) -> list[Answer]:
    """Ask the database what the pages ask it."""
    database = open_database(url)

    def ask(page: Page, subject: Subject) -> tuple[int, bool]:
        try:
            with database.read_session() as session:
                page.ask(session, subject, _KEPT)
        except (TweetspanError, SQLAlchemyError):  # the latter: no connection came free, or it was broken off
            return 503, False
        return 200, True

    try:
        return _drive(ask, subjects, clients, seconds)
    finally:
        database.close()


def _drive(ask: Ask, subjects: list[Subject], clients: int, seconds: float) -> list[Answer]:
    """Have each client ask for one thing after the other; the first round, which imports and caches, is not counted."""
    for page, subject in islice(rounds(subjects, clients), len(PAGES)):
        ask(page, subject)
    end = time.monotonic() + seconds

    def client(number: int) -> list[Answer]:
        answers = []
        for page, subject in rounds(subjects, number):
            if time.monotonic() >= end:
                break
            began = time.perf_counter()
            status, is_whole = ask(page, subject)
            answers.append(Answer(page.name, 1000 * (time.perf_counter() - began), status, is_whole))
        return answers

    with ThreadPoolExecutor(clients) as threads:
        return [one for answers in threads.map(client, range(clients)) for one in answers]
