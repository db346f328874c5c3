"""The process's Tagger: loaded once, swapped when a batch asks for another version. Imports torch: not for parents."""

import gc
import logging
from pathlib import Path

from db import model_versions
from db.session import Database
from db.tables import ModelVersion
from settings import read_settings
from tagging.errors import CheckpointError, TweetspanError, UnfitProcessError
from tagging.quiet import hush_transformers
from tagging.tagger import Tagger
from worker.artifacts import load_artifact
from worker.patience import patiently
from worker.remote_folder import Progress, silent

log = logging.getLogger(__name__)

_loaded: dict[int, Tagger] = {}  # at most one: a card holds one model, and versions change seldom


def tagger_for(database: Database, version_id: int, device: str, progress: Progress = silent) -> Tagger:
    """Return the tagger of a registered version, checked against its hash before it is loaded.

    A model that is not on this machine is fetched into the cache, which `progress` sees. No transaction is
    open while it loads. Raises CheckpointError, ModelVersionError, DeviceError.
    """
    if version_id not in _loaded:
        version = patiently(_find, database, version_id)
        hush_transformers()

        def load(folder: Path) -> Tagger:
            gc.unfreeze()
            _loaded.clear()  # before loading: two models may not fit
            return Tagger.load(folder, device, version.artifact_hash)

        cache = read_settings().model_cache
        try:
            _loaded[version_id] = load_artifact(version.artifact_uri, version.artifact_hash, cache, load, progress)
        except (TweetspanError, UnfitProcessError, MemoryError):
            raise
        except Exception as error:  # whatever it is, it is the model's fault and not the batch's
            raise CheckpointError(f"model version {version_id} cannot be loaded: {error}") from error
        gc.collect()
        gc.freeze()  # a model with its libraries is half a million objects, which every full collection would visit
        log.info("model version %d (%s) loaded on %s", version_id, version.base_model, _loaded[version_id].device)
    return _loaded[version_id]


def _find(database: Database, version_id: int) -> ModelVersion:
    with database.read_session() as session:
        return model_versions.find(session, str(version_id))
