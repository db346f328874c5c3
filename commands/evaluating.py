"""How `tweetspan evaluate` finds a model and measures it, and what is kept and written of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from commands.annotated_texts import AnnotatedTexts
from commands.rendering import progress_bar, transfer_bar
from db import evaluations, model_versions
from db.session import Database
from db.tables import ModelVersion
from settings import Settings
from tagging.errors import ExportError
from tagging.spans import Span
from tagging.tagger import Tagger
from trainer.evaluation import Evaluation, evaluate
from trainer.examples import Corpus
from trainer.slices import seen_entities
from trainer.stock_model import load_model
from worker.active_model import tagger_for


@dataclass(frozen=True)
class Report:
    """An evaluation and what it is of; base model and training corpus are known of registered versions alone."""

    model: str
    corpus: str
    split: str
    texts_fingerprint: str
    made_at: datetime
    evaluation: Evaluation
    base_model: str | None = None
    trained_on: str | None = None

    def of_version(self, version: ModelVersion) -> Report:
        """Say of which registered version this is."""
        name = f"model version {version.id}"
        return replace(self, model=name, base_model=version.base_model, trained_on=version.corpus)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, without the counts of each text."""
        told = asdict(self) | {"made_at": self.made_at.isoformat(timespec="seconds")}
        del told["evaluation"]["counts"]
        return told


def find_model(settings: Settings, database: Database, name: str) -> tuple[Tagger, ModelVersion | None]:
    """Find a version by its number or as "active"; else load a folder or a model of the hub, which is no version.

    Raises ModelVersionError, CheckpointError, EncoderError, HubUnreachableError.
    """
    if not (name == model_versions.ACTIVE or name.isdecimal()):
        return load_model(name, settings.device), None
    with database.read_session() as session:
        version = model_versions.find(session, name)
    with transfer_bar() as on_block:
        tagger = tagger_for(database, version.id, replace(settings, runtime="torch"), on_block)
    return tagger, version


def validation_of(corpus: Corpus) -> AnnotatedTexts:
    """Take the validation split of a corpus that was trained on."""
    validation, train = corpus.splits["validation"], corpus.splits["train"]
    return AnnotatedTexts(corpus.name, "validation", validation, seen_entities(train))


def measure(tagger: Tagger, name: str, texts: AnnotatedTexts) -> Report:
    """Tag the texts and measure what was found, with a progress bar; `name` is the model's."""
    with progress_bar() as progress:
        bar = progress.add_task(f"tagging {len(texts.examples):,} texts", total=None)

        def tag(raw: Sequence[str]) -> list[list[Span]]:
            spans = tagger.tag(raw, lambda: progress.update(bar))
            progress.update(bar, description="measuring")
            return spans

        evaluation = evaluate(tag, texts.examples, texts.seen)
    return Report(name, texts.corpus, texts.split, texts.fingerprint, datetime.now(UTC), evaluation)


def record(session: Session, version_id: int, report: Report) -> None:
    """Keep the figures of a registered version, in place of those on the same texts."""
    evaluations.record(
        session,
        model_version_id=version_id,
        texts_fingerprint=report.texts_fingerprint,
        corpus=report.corpus,
        split=report.split,
        texts=report.evaluation.texts,
        results=report.evaluation.as_dict(),
    )


def write_html(report: Report, path: Path) -> None:
    """Write the report as one HTML file. Raises ExportError if it cannot be written."""
    from commands.evaluation_html import html

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html(report), encoding="utf-8")
    except OSError as error:
        raise ExportError(f"cannot write {str(path)!r}: {error.strerror}; name another file") from error
