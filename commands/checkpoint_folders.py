"""Where the state of a training lies while it runs, so that a crash costs one epoch at most."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tagging.errors import TrainingRunningError
from trainer.config import TrainingConfig
from trainer.examples import Corpus


@contextmanager
def checkpoint_folder(home: Path, config: TrainingConfig, corpus: Corpus, resume: bool) -> Iterator[Path | None]:
    """Yield the folder of this training's checkpoints, empty unless `resume`; it is removed when all went well.

    It belongs to a configuration and a corpus, so that another training never goes on from it. While another process
    trains the very same, the folder is that one's: this one has None, and raises TrainingRunningError for `resume`.
    """
    told = json.dumps([config.as_dict(), corpus.fingerprint])
    folder = home / "training" / hashlib.sha256(told.encode()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        if not _taken(lock):
            if resume:
                raise TrainingRunningError(f"the same training runs already, in {folder}; wait for it to end")
            yield None
            return
        if not resume:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        yield folder
        shutil.rmtree(folder)


def _taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
