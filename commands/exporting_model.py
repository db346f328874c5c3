"""How `tweetspan models export` writes a folder: copied beside, checked, described, and renamed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from commands.model_folders import new_folder
from commands.rendering import transfer_bar
from db.tables import Evaluation, ModelVersion
from settings import Settings
from tagging.checkpoint import CARD_NAME, MANIFEST_NAME, Manifest, verify
from tagging.errors import ExportError
from tagging.spans import OUTSIDE
from tagging.tagger import Tagger
from trainer.card_scores import Measured
from trainer.model_card import ModelFacts, model_card
from worker.artifacts import load_artifact


def export_model(settings: Settings, version: ModelVersion, evaluated: Sequence[Evaluation], folder: Path) -> None:
    """Write a version's model and its card into a folder, wholly or not at all.

    Raises ExportError if the folder is not empty or cannot be written, CheckpointError if the model is not there or
    not the registered one.
    """
    folder = folder.absolute()
    try:
        _require_empty(folder)
        with new_folder(folder.parent) as partial:
            manifest = _copied(settings, version, partial)
            tagger = Tagger.load(partial, "cpu", version.artifact_hash)
            facts = _facts(version, manifest, evaluated, is_uncased=_is_uncased(tagger))
            (partial / CARD_NAME).write_text(model_card(facts), encoding="utf-8")
            partial.rename(folder)
    except OSError as error:
        raise ExportError(f"cannot write {folder}: {error.strerror}; give another folder to --to") from error


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} is not an empty folder; give --to one that is empty or not there yet")


def _copied(settings: Settings, version: ModelVersion, into: Path) -> Manifest:
    def copy(source: Path) -> Manifest:
        manifest = verify(source, version.artifact_hash)
        into.mkdir(exist_ok=True)
        for name in (*manifest.files, MANIFEST_NAME):
            shutil.copyfile(source / name, into / name)
        return manifest

    with transfer_bar() as on_block:
        return load_artifact(version.artifact_uri, version.artifact_hash, settings, copy, on_block)


def _is_uncased(tagger: Tagger) -> bool:
    """Tell whether capitals are lost before the network sees them."""
    upper, lower = tagger.encoder.encode(["PARIS Paris", "paris paris"])
    return upper.windows[0].ids == lower.windows[0].ids


def _facts(version: ModelVersion, manifest: Manifest, evaluated: Sequence[Evaluation], is_uncased: bool) -> ModelFacts:
    return ModelFacts(
        version=version.id,
        created=version.created_at.date().isoformat(),
        base_model=version.base_model,
        corpus=version.corpus,
        fingerprint=version.corpus_fingerprint,
        split_sizes=version.split_sizes,
        config=version.config,
        labels=sorted({label[2:] for label in manifest.labels if label != OUTSIDE}),
        libraries=version.libraries,
        device=version.device,
        seconds=version.seconds,
        max_length=manifest.max_length,
        score=manifest.score,
        is_uncased=is_uncased,
        measured=[
            Measured(one.corpus, one.split, one.texts, one.results)
            for one in sorted(evaluated, key=lambda one: one.split != "validation")
        ],
    )
