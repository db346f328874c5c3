"""Real processes for the tests: the command line and workers, with an environment of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TWEETSPAN = [sys.executable, str(ROOT / "cli.py")]
CELERY = [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "--loglevel", "info"]


def environment(home: Path, database_url: str = "", broker_url: str = "") -> dict[str, str]:
    """Give a process its own home, database and broker; empty means the embedded default."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TWEETSPAN_")}
    said = {"TWEETSPAN_HOME": str(home), "TWEETSPAN_DATABASE_URL": database_url, "TWEETSPAN_BROKER_URL": broker_url}
    return {**clean, **said, "TWEETSPAN_DEVICE": "cpu", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read a file of one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def tweetspan(env: Mapping[str, str], *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a command to its end; the caller looks at its exit code."""
    done = subprocess.run([*TWEETSPAN, *arguments], env=env, cwd=ROOT, input=stdin, capture_output=True, timeout=240)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


class WorkerProcess:
    """A worker in its own process group; what it says goes to a file."""

    def __init__(self, command: list[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                env=env,
                cwd=ROOT,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What the worker has logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def terminate(self, timeout: float = 60) -> int:
        """Ask for a warm shutdown and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to parent and child at once."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """Kill parent and child at once, as a power cut would."""
        self.signal_all(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """End it one way or another."""
        if self.process.poll() is None:
            try:
                self.terminate(20)
            except subprocess.TimeoutExpired:
                self.kill()


@contextmanager
def running(command: list[str], env: Mapping[str, str], log: Path) -> Iterator[WorkerProcess]:
    """Run a worker for the time of a block."""
    worker = WorkerProcess(command, env, log)
    try:
        yield worker
    finally:
        worker.stop()


def answers(port: int) -> bool:
    """Tell whether somebody listens at a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)
