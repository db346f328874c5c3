"""Processes that enqueue: each file is sent again until it has been stored."""

import re
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import ROOT, TWEETSPAN


@dataclass
class Enqueuer:
    """One process at a time; `next_file` gives it work, or None for none."""

    name: str  # also of its connections to the database
    env: dict[str, str]
    log: Path
    next_file: Callable[[], tuple[Path, int] | None]  # and the size of its batches
    failures: int = 0
    _file: tuple[Path, int] | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def is_idle(self) -> bool:
        """Whether every file that it took has been stored."""
        return self._file is None

    @property
    def runs(self) -> bool:
        """Whether a process is at work."""
        return self._process is not None and self._process.poll() is None

    @property
    def kept_out(self) -> int:
        """Count the deleted tweets that it sent again and that were kept out."""
        said = self.log.read_text(errors="replace") if self.log.exists() else ""
        return sum(map(int, re.findall(r"(\d+) deleted before", said)))

    def freeze(self) -> None:
        """Stop its process, if one is at work, in the middle of whatever it does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill its process; the next one sends the file again."""
        if self._process is not None:
            self._process.kill()

    def look(self) -> None:
        """Note the end of a process and start the next one."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._process = None
            if code == 0:
                self._file = None
            else:
                self.failures += 1
        if self._file is None:
            self._file = self.next_file()
        if self._file is not None:
            self._process = self._start(*self._file)

    def stop(self) -> None:
        """End what runs."""
        self.kill()
        if self._process is not None:
            self._process.wait()

    def _start(self, file: Path, batch_size: int) -> subprocess.Popen[bytes]:
        command = [*TWEETSPAN, "enqueue", "--batch-size", str(batch_size), str(file)]
        with self.log.open("ab") as output:
            return subprocess.Popen(
                command, env=self.env, cwd=ROOT, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
