"""How many cores this process may use: not those of the machine, where it is bound to some or has a quota."""

import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")


def usable_cores(root: Path = _ROOT) -> int:
    """Count the cores that this process is bound to, or that the quota of its control group is worth, if fewer."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([bound, *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """Yield the quotas, in cores, of the control group and of those around it; none outside Linux."""
    groups = root / "sys/fs/cgroup"
    own = next((line.removeprefix("0::/") for line in _lines(root / "proc/self/cgroup") if line.startswith("0::/")), "")
    for folder in (groups / own, *(groups / own).parents):
        if folder.is_relative_to(groups):
            yield from _quota(" ".join(_lines(folder / "cpu.max")))
    quota, period = (_lines(groups / "cpu" / f"cpu.cfs_{what}_us") for what in ("quota", "period"))  # the older kind
    yield from _quota(" ".join(quota + period))


def _quota(told: str) -> Iterator[float]:
    """Read "QUOTA PERIOD" in microseconds; "max" or -1 is none."""
    quota, _, period = told.partition(" ")
    if quota.isdecimal() and period.isdecimal():
        yield int(quota) / int(period)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
