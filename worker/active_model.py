"""The process's Tagger: loaded once, swapped when a batch asks for another version. Imports torch: not for parents."""

import logging
from collections.abc import Sequence
from pathlib import Path

from db import model_versions, optimized_forms
from db.session import Database
from db.tables import ModelVersion, OptimizedForm
from settings import Settings
from tagging.devices import find_device
from tagging.errors import CheckpointError, TweetspanError, UnfitProcessError
from tagging.quiet import hush_transformers
from tagging.tagger import Tagger
from worker import collector
from worker.artifacts import load_artifact
from worker.cores import usable_cores
from worker.patience import patiently
from worker.remote_folder import Progress, silent
from worker.runtimes import Choice, choices_for, refuse_contradiction

log = logging.getLogger(__name__)

_loaded: dict[int, Tagger] = {}  # at most one: a card holds one model, and versions change seldom


def tagger_for(database: Database, version_id: int, settings: Settings, progress: Progress = silent) -> Tagger:
    """Return the tagger of a registered version, checked against its hash before it is loaded.

    The runtime of the settings says which form; one that cannot be used here is passed over with a warning. A model
    that is not on this machine is fetched into the cache, which `progress` sees. No transaction is open while it loads.
    Raises CheckpointError, ModelVersionError, DeviceError, OptimizeError.
    """
    if version_id not in _loaded:
        version, forms = patiently(_find, database, version_id)
        hush_transformers()
        choices = choices_for(version, forms, _runtime(settings))
        try:
            _loaded[version_id] = _first_that_loads(choices, version, settings, progress)
        finally:
            collector.settle()
    return _loaded[version_id]


def _runtime(settings: Settings) -> str:
    """Resolve "auto" on a card, where torch is the fastest."""
    refuse_contradiction(settings.runtime, settings.device)
    is_card = find_device(settings.device).type == "cuda"
    return "torch" if settings.runtime == "auto" and is_card else settings.runtime


def _first_that_loads(
    choices: Sequence[Choice], version: ModelVersion, settings: Settings, progress: Progress
) -> Tagger:
    choice, *rest = choices
    try:
        tagger = _load(choice, version, settings, progress)
    except TweetspanError as error:
        if not rest:
            raise
        log.warning(
            "the %s of model version %d cannot be used here, its %s is tried: %s",
            choice.name, version.id, rest[0].name, error,
        )  # fmt: skip
        return _first_that_loads(rest, version, settings, progress)
    log.info("model version %d (%s) loaded on %s: %s", version.id, version.base_model, tagger.device, choice.name)
    return tagger


def _load(choice: Choice, version: ModelVersion, settings: Settings, progress: Progress) -> Tagger:
    device = "cpu" if choice.is_form else settings.device
    threads = settings.threads or usable_cores()

    def load(folder: Path) -> Tagger:
        collector.release()
        _loaded.clear()  # before loading: two models may not fit
        return Tagger.load(folder, device, choice.artifact_hash, threads)

    try:
        return load_artifact(choice.artifact_uri, choice.artifact_hash, settings, load, progress)
    except (TweetspanError, UnfitProcessError, MemoryError):
        raise
    except Exception as error:  # whatever it is, it is the model's fault and not the batch's
        raise CheckpointError(f"model version {version.id} cannot be loaded: {error}") from error


def _find(database: Database, version_id: int) -> tuple[ModelVersion, Sequence[OptimizedForm]]:
    with database.read_session() as session:
        return model_versions.find(session, str(version_id)), optimized_forms.forms_of(session, version_id)
