"""The workers: each has a place of its own with links to the servers, and is started again whenever it ends."""

import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from benchmarks.delivery.proxy import Link
from benchmarks.delivery.worker_log import WorkerLog
from tests.processes import WorkerProcess

_COMMAND = [sys.executable, "-m", "celery", "-A", "benchmarks.delivery.fake_worker", "worker", "--loglevel", "info"]
_MINUTE = 60.0


class Member:
    """A place in the fleet: one worker after the other, parent and child, always behind the same links."""

    def __init__(self, name: str, env: Mapping[str, str], database: Link, broker: Link, folder: Path) -> None:
        self.name = name
        self.database = database
        self.broker = broker
        self.logs: list[WorkerLog] = []
        self.is_disturbed = False  # a fault is going on here; no other is begun
        self.idle_minutes = 0  # minutes in which the worker took no work though there was some
        self.unasked_ends = 0  # of parents that nobody killed or told to end
        self._was_ended = False
        self._busy = time.monotonic()
        self._env = env
        self._folder = folder
        self._start()

    @property
    def log(self) -> WorkerLog:
        """What the present worker says."""
        return self.logs[-1]

    @property
    def has_ended(self) -> bool:
        """Whether the present worker's parent is gone."""
        return self._worker.process.poll() is not None

    def look(self) -> None:
        """Read the log; put a new worker in the place of one that ended."""
        self.log.follow()
        if self.has_ended:
            self.unasked_ends += not self._was_ended
            self._start()

    def note_idleness(self, is_work_there: bool) -> None:
        """Follow whether the worker takes the messages that are there for it."""
        if self.is_disturbed or not is_work_there or self.log.began > self._busy:
            self._busy = time.monotonic()
        elif time.monotonic() - self._busy > _MINUTE:
            self.idle_minutes += 1
            self._busy = time.monotonic()

    def freeze(self) -> None:
        """Stop parent and child in the middle of whatever they do."""
        self._worker.signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._worker.signal_all(signal.SIGCONT)

    def kill(self) -> None:
        """Kill parent and child at once."""
        self._was_ended = True
        self._worker.kill()

    def kill_child(self) -> None:
        """Kill the process that tags; its parent lives."""
        children = psutil.Process(self._worker.process.pid).children()
        tagging = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        assert len(tagging) == 1, children
        tagging[0].kill()
        self.log.tagging = None

    def terminate(self, with_child: bool) -> None:
        """Ask the parent to end, as a container's end does; or the whole process group, as Ctrl-C's kin do."""
        self._was_ended = True
        if with_child:
            self._worker.signal_all(signal.SIGTERM)
        else:
            self._worker.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it for good, frozen or not."""
        if not self.has_ended:
            self.thaw()
        self._worker.stop()
        self.log.follow()

    def _start(self) -> None:
        self._was_ended = False
        path = self._folder / f"{self.name}.{len(self.logs) + 1}.log"
        self._worker = WorkerProcess([*_COMMAND, "-n", self.name], self._env, path)
        self.logs.append(WorkerLog(path))
