"""`tweetspan serve` as a process: it ends when it is told to."""

import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.processes import TWEETSPAN, answers, environment, running, wait_until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_good_order(tmp_path: Path, number: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*TWEETSPAN, "serve", "--port", str(port)]
    with running(command, environment(tmp_path / "home"), tmp_path / "log") as explorer:
        wait_until(lambda: answers(port), 30, "the explorer listens")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:  # it listens before it
            assert answer.status == 200  # heeds signals
        explorer.process.send_signal(number)
        code = explorer.process.wait(30)
    assert code == (0 if number == signal.SIGINT else -number)
    assert explorer.said.splitlines() == [f"http://127.0.0.1:{port}/ (Ctrl-C ends it)"]
