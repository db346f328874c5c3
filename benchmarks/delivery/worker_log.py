"""What a worker says, read as it is written."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.delivery.fake_tagger import KILLER

_TAGGING = re.compile(r"tagging from tweet (\d+)")
_MET = re.compile(r"met (\[\w+\]) tweet (\d+)")
_FENCED = "was taken over; its annotations are dropped here"
_BEGINS_ANEW = "it begins anew"


@dataclass
class WorkerLog:
    """Follows a log file. `tagging` is the first tweet of what is being tagged, as far as that is known."""

    path: Path
    tagging: int | None = None
    began: float = 0.0  # when it was seen to begin that
    fenced: int = 0
    begun_anew: int = 0
    tracebacks: int = 0
    met: list[tuple[str, int]] = field(default_factory=list)  # marker and tweet, oldest first
    _read: int = 0

    def follow(self) -> None:
        """Read the lines that are complete and new."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        complete = new[: new.rfind(b"\n") + 1]
        self._read += len(complete)
        for line in complete.decode(errors="replace").splitlines():
            self._take(line)

    def _take(self, line: str) -> None:
        if found := _TAGGING.search(line):
            self.tagging, self.began = int(found.group(1)), time.monotonic()
        elif found := _MET.search(line):
            self.met.append((found.group(1), int(found.group(2))))
            if found.group(1) == KILLER:
                self.tagging = None  # this process is as good as gone
        elif _FENCED in line:
            self.fenced += 1
        elif _BEGINS_ANEW in line:
            self.begun_anew += 1
        elif line.startswith("Traceback"):
            self.tracebacks += 1
