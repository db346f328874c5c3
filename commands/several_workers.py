"""Several workers started by one command: a process each, in a process group of its own. Imports no torch."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from settings import changed_environment
from tagging.errors import DeviceError

_POLL_EVERY = 0.2  # seconds
_COUNT_CARDS = "import torch; print(torch.cuda.device_count())"


def places(device: str, processes: int) -> list[str]:
    """Return the device of each worker to start: `processes` of them, or so many on each card for "all".

    Raises DeviceError if there is no such device: a worker would give batch after batch back.
    """
    if device in ("auto", "cpu"):
        return [device] * processes
    named = re.fullmatch(r"all|cuda(?::(\d{1,4}))?", device)
    if not named:
        raise DeviceError(f"device {device!r} is not known; use auto, cpu, cuda, cuda:N or all")
    cards = _count_cards()
    if device == "all" and not cards:
        raise DeviceError("device 'all' means every CUDA card, and none is seen; use --device cpu --processes N")
    if device == "all":
        return [f"cuda:{card}" for card in range(cards) for _ in range(processes)]
    if int(named[1] or 0) >= cards:
        raise DeviceError(f"device {device!r} is not there: {cards} CUDA devices seen; use --device cpu, or auto")
    return [device] * processes


def run_several(devices: Sequence[str], arguments: Sequence[str]) -> int:
    """Run a worker on each of the devices until all have ended; return the first exit code that is not 0.

    What this process is told by signals it tells each of them, once: Ctrl-C in a terminal does not reach their groups.
    """
    program = [sys.executable, str(Path(__file__).resolve().parent.parent / "cli.py"), "worker", *arguments]
    told: list[int] = []  # signals, in order
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: told.append(number))
    workers = []
    for device in devices:
        if not told:
            environment = changed_environment({"TWEETSPAN_DEVICE": device})
            started = subprocess.Popen(program, env=environment, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603
            workers.append(started)
    return _wait(workers, told)


def _wait(workers: Sequence[subprocess.Popen[bytes]], told: list[int]) -> int:
    running, code, passed_on = list(workers), 0, 0
    while running:
        time.sleep(_POLL_EVERY)
        for number in told[passed_on:]:
            passed_on += 1
            for worker in running:
                worker.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)  # a worker would begin anew
        for worker in [one for one in running if one.poll() is not None]:
            running.remove(worker)
            ended = worker.returncode if worker.returncode >= 0 else 128 - worker.returncode  # as shells count signals
            code = code or ended
            if ended and running and not told:
                click.echo(f"worker {worker.pid} ended with exit code {ended}; {len(running)} go on", err=True)
    return code


def _count_cards() -> int:
    """Ask a process of its own: this one must not load torch, which would be held once more for nothing."""
    done = subprocess.run([sys.executable, "-c", _COUNT_CARDS], capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise DeviceError(f"torch cannot count the cards: {why}; use --device cpu, or auto")
    return int(done.stdout)
