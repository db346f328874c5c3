"""Where a search keeps its ended trials: one SQLite file for each study, in Optuna's own tables, for one process."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna

from tagging.errors import TrainingRunningError


@contextmanager
def opened_study(folder: Path, name: str) -> Iterator[optuna.Study]:
    """Open a study, or begin it. Each `add_trial` is one transaction.

    Raises TrainingRunningError if another process has it open; the system takes the lock back from a process that dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingRunningError(
                f"search {name} runs already; wait for it, or change an option for another one"
            ) from None
        storage = optuna.storages.RDBStorage(f"sqlite:///{folder / name}.db")
        try:
            yield optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
        finally:
            storage.engine.dispose()
