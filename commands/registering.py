"""How a trained model becomes a registered version, with its evaluation, its report and the search it came of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from commands import evaluating
from commands.annotated_texts import texts_fingerprint
from commands.guarding import activate_guarded
from commands.model_folders import keep, new_folder
from db import model_versions, search_trials
from db.session import Database
from db.tables import ModelVersion
from settings import Settings
from tagging.checkpoint import Manifest
from tagging.errors import WorseModelError
from trainer.examples import Corpus
from trainer.finetune import TrainedModel

if TYPE_CHECKING:
    from trainer.search import Search

_LIBRARIES = ("torch", "transformers", "tokenizers", "datasets", "evaluate", "tweetspan")


@dataclass(frozen=True)
class Registered:
    """A version's number, whether it is active, its report, and how it compares with the one that was active."""

    version: int
    is_active: bool
    report: Path
    compared: str | None


def register(
    settings: Settings,
    database: Database,
    trained: TrainedModel,
    corpus: Corpus,
    activate: bool,
    resumed: bool,
    search: Search | None = None,
) -> Registered:
    """Save the model folder; write the version, its evaluation and the trials of its search; write its report.

    The folder is written beside and renamed, and the rows are one transaction: an interruption leaves no half version.
    A resumed training that was registered just before it was cut off is not registered again. A version that is
    significantly worse than the active one is registered and not activated.
    """
    report = evaluating.measure(trained.tagger, "the new model", evaluating.validation_of(corpus))
    with new_folder(settings.models_folder) as partial:
        manifest = trained.save(partial)
        folder = keep(partial, manifest.hash)
    with database.write_session() as session:
        known = model_versions.with_artifact(session, manifest.hash) if resumed else None
        version = known or _written(session, trained, corpus, folder, manifest)
        report = report.of_version(version)
        evaluating.record(session, version.id, report)
        if search and not known:
            search_trials.record(session, version.id, search.study, [asdict(trial) for trial in search.trials])
        is_wanted = activate or model_versions.lock_active(session) is None
        compared = _activated(session, version.id) if is_wanted else None
        number, active = version.id, model_versions.active_id(session)
    page = settings.reports_folder / f"version-{number}.html"
    evaluating.write_html(report, page)
    return Registered(number, number == active, page, compared)


def _written(
    session: Session,
    trained: TrainedModel,
    corpus: Corpus,
    folder: Path,
    manifest: Manifest,
) -> ModelVersion:
    return model_versions.register(
        session,
        base_model=trained.config.base_model,
        config=trained.config.as_dict()
        | {
            "corpus_sources": dict(corpus.sources),
            "corpus_changes": list(corpus.changes),
            "train_fingerprint": texts_fingerprint(corpus.splits["train"]),
        },
        corpus=corpus.name,
        corpus_fingerprint=corpus.fingerprint,
        split_sizes=corpus.sizes,
        labels=trained.tagger.labels,
        libraries={name: library_version(name) for name in _LIBRARIES},
        device=trained.device,
        seconds=trained.seconds,
        scores={"untrained": trained.baseline, "epochs": trained.epochs, "best_epoch": trained.best_epoch},
        artifact_uri=folder.as_uri(),
        artifact_hash=manifest.hash,
    )


def _activated(session: Session, version_id: int) -> str | None:
    """Activate a version unless it is significantly worse; return how it compares."""
    try:
        return activate_guarded(session, version_id)
    except WorseModelError as error:
        return str(error)
