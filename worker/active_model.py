"""The process's Tagger: loaded once, swapped when a batch asks for another version. Imports torch: not for parents."""

import logging
from pathlib import Path
from urllib.parse import unquote, urlsplit

from db import model_versions
from db.session import Database
from tagging.errors import CheckpointError
from tagging.quiet import hush_transformers
from tagging.tagger import Tagger

log = logging.getLogger(__name__)

_loaded: dict[int, Tagger] = {}  # at most one: a card holds one model, and versions change seldom


def tagger_for(database: Database, version_id: int, device: str) -> Tagger:
    """Return the tagger of a registered version, checked against its hash before it is loaded.

    No transaction is open while it loads. Raises CheckpointError, ModelVersionError, DeviceError.
    """
    if version_id not in _loaded:
        with database.read_session() as session:
            version = model_versions.find(session, str(version_id))
        hush_transformers()
        _loaded.clear()  # before loading: two models may not fit
        try:
            _loaded[version_id] = Tagger.load(artifact_folder(version.artifact_uri), device, version.artifact_hash)
        except (OSError, ValueError, RuntimeError) as error:  # the model's fault, not the batch's
            raise CheckpointError(f"model version {version_id} cannot be loaded: {error}") from error
        log.info("model version %d (%s) loaded on %s", version_id, version.base_model, _loaded[version_id].device)
    return _loaded[version_id]


def warm_up(database: Database, device: str) -> None:
    """Load the active version if none is loaded yet, so that no batch's lease runs while a process starts up."""
    if _loaded:
        return
    with database.read_session() as session:
        active = model_versions.active_id(session)
    if active is not None:
        tagger_for(database, active, device)


def artifact_folder(uri: str) -> Path:
    """Return the folder of a file:// URI. Raises CheckpointError for another scheme."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        raise CheckpointError(f"the model lies at {uri}, and only file:// can be read; register it from a folder")
    return Path(unquote(parts.path))
