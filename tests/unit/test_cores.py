"""How many cores a process may use: bound by the scheduler and by the quotas of its control groups."""

import os
from pathlib import Path

import pytest

from worker import cores
from worker.cores import usable_cores


@pytest.fixture(autouse=True)
def sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that the scheduler lets run on sixteen cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, 16, id="no control groups"),
        pytest.param({"sys/fs/cgroup/cpu.max": "max 100000\n"}, 16, id="no quota"),
        pytest.param({"sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4, id="container"),
        pytest.param({"sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2, id="part of a core is none"),
        pytest.param({"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1, id="at least one"),
        pytest.param({"sys/fs/cgroup/cpu.max": "9900000 100000\n"}, 16, id="more than there are"),
        pytest.param(
            {
                "proc/self/cgroup": "0::/system.slice/tweetspan.service\n",
                "sys/fs/cgroup/system.slice/tweetspan.service/cpu.max": "800000 100000\n",
                "sys/fs/cgroup/system.slice/cpu.max": "300000 100000\n",
            },
            3,
            id="the smallest on the way up",
        ),
        pytest.param(
            {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "600000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
            6,
            id="first version",
        ),
        pytest.param(
            {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
            16,
            id="first version without a quota",
        ),
    ],
)
def test_cores(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    assert usable_cores(write(tmp_path, files)) == expected


def test_where_the_scheduler_cannot_be_asked_the_machine_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cores.os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert usable_cores(tmp_path) == 5
