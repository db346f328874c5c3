"""How a model becomes a folder under the home: written beside and renamed, so that there is a whole one or none."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagging.checkpoint import verify
from tagging.errors import CheckpointError


@contextmanager
def new_folder(models_folder: Path) -> Iterator[Path]:
    """Yield where to write a model; nothing is left of it at the end, unless it was kept."""
    models_folder.mkdir(parents=True, exist_ok=True)
    partial = models_folder / f".partial-{uuid.uuid4().hex}"
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def keep(partial: Path, artifact_hash: str) -> Path:
    """Rename a model that is written to its name, which is its hash; a damaged one gives way, an intact one stays."""
    folder = partial.with_name(artifact_hash[:16])
    if not _is_intact(folder, artifact_hash):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            partial.rename(folder)
        except OSError:
            if not _is_intact(folder, artifact_hash):  # else another process has just kept the very same model
                raise
    return folder


def _is_intact(folder: Path, expected_hash: str) -> bool:
    """Tell whether the very same model lies here already, undamaged."""
    try:
        verify(folder, expected_hash)
    except CheckpointError:
        return False
    return True
