"""The names under which workers and their processes are known in the ledger."""

import os
import socket

from billiard import current_process


def worker_name() -> str:
    """Return "host:pid" of the worker's parent process, in the parent and in its children."""
    is_child = current_process().name != "MainProcess"
    return f"{socket.gethostname()}:{os.getppid() if is_child else os.getpid()}"


def process_name(pid: int | None = None) -> str:
    """Return "host:pid/pid" of a process of this worker, by default of the one that runs."""
    return f"{worker_name()}/{pid or os.getpid()}"
