"""How `tweetspan evaluate` finds a model and annotated texts, and what is kept and written of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from commands.optimizing import corpus_for
from commands.rendering import progress_bar, transfer_bar
from db import evaluations, model_versions
from db.session import Database
from db.tables import ModelVersion
from settings import Settings
from tagging.errors import CorpusError, ExportError, HubUnreachableError
from tagging.tagger import Tagger
from trainer.corpus import load_files, load_named, with_validation
from trainer.corpus_files import read_examples
from trainer.evaluation import Evaluation, evaluate
from trainer.examples import Corpus, Example
from trainer.slices import Seen, seen_entities
from trainer.stock_model import load_model
from worker.active_model import tagger_for

ALL = "all"  # the "split" of a file that holds nothing else


@dataclass(frozen=True)
class Model:
    """What is evaluated: a tagger, its name for people, and the version that it is, if it is registered."""

    tagger: Tagger
    name: str
    version: ModelVersion | None = None


@dataclass(frozen=True)
class AnnotatedTexts:
    """The texts to be evaluated on, where they come from, and the training split's entities, where known."""

    corpus: str
    split: str
    examples: Sequence[Example]
    seen: Seen | None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the texts and their gold alone, whatever the corpus and split are called."""
        return Corpus("", {"texts": tuple(self.examples)}).fingerprint


@dataclass(frozen=True)
class Report:
    """An evaluation and what it is of."""

    model: str
    base_model: str | None
    trained_on: str | None
    corpus: str
    split: str
    texts_fingerprint: str
    made_at: datetime
    evaluation: Evaluation

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self) | {"made_at": self.made_at.isoformat(timespec="seconds")}


def find_model(settings: Settings, database: Database, name: str) -> Model:
    """Find a version by its number or as "active"; else load a folder or a model of the hub.

    Raises ModelVersionError, CheckpointError, EncoderError, HubUnreachableError.
    """
    if not (name == model_versions.ACTIVE or name.isdecimal()):
        return Model(load_model(name, settings.device), name)
    with database.read_session() as session:
        version = model_versions.find(session, name)
    with transfer_bar() as on_block:
        tagger = tagger_for(database, version.id, replace(settings, runtime="torch"), on_block)
    return Model(tagger, f"model version {version.id}", version)


def find_texts(version: ModelVersion | None, dataset: str | None, file: Path | None, split: str) -> AnnotatedTexts:
    """Load the annotated texts: a file, a split of a dataset, or one of the corpus that a version was trained on.

    Raises CorpusError, HubUnreachableError.
    """
    if file:
        return AnnotatedTexts(str(file), ALL, list(read_examples(file)), version and _seen(version))
    corpus = load_named(dataset) if dataset or version is None else corpus_for(version, None, None, None)
    if version and split == "validation":
        corpus = with_validation(corpus, int(version.config.get("seed", 1)))
    if not corpus.splits.get(split):
        raise CorpusError(f"corpus {corpus.name} has no {split} split, but {', '.join(corpus.splits)}; give --split")
    is_own = version is None or corpus.fingerprint == version.corpus_fingerprint
    seen = seen_entities(corpus.splits["train"]) if is_own and "train" in corpus.splits else None
    return AnnotatedTexts(corpus.name, split, corpus.splits[split], seen or (version and _seen(version)))


def measure(model: Model, texts: AnnotatedTexts) -> Report:
    """Tag the texts and measure what was found, with a progress bar."""
    with progress_bar() as progress:
        bar = progress.add_task(f"tagging {len(texts.examples):,} texts", total=None)

        def tag(raw: Sequence[str]) -> Any:
            spans = model.tagger.tag(raw, lambda: progress.update(bar))
            progress.update(bar, description="measuring")
            return spans

        evaluation = evaluate(tag, texts.examples, texts.seen)
    version = model.version
    return Report(
        model=model.name,
        base_model=version and version.base_model,
        trained_on=version and version.corpus,
        corpus=texts.corpus,
        split=texts.split,
        texts_fingerprint=texts.fingerprint,
        made_at=datetime.now(UTC),
        evaluation=evaluation,
    )


def record(database: Database, version_id: int, report: Report) -> None:
    """Keep the figures of a registered version in the database, in place of those on the same texts."""
    with database.write_session() as session:
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


def _seen(version: ModelVersion) -> Seen | None:
    """Collect the entities of a version's training split, if its corpus is still there and of the recorded size."""
    try:
        file = Path(version.corpus)
        corpus = load_files(file) if file.is_file() else load_named(version.corpus)
        if len(corpus.splits.get("train", ())) != version.split_sizes.get("train"):
            corpus = with_validation(corpus, int(version.config.get("seed", 1)))
    except (CorpusError, HubUnreachableError):
        return None
    train = corpus.splits["train"]
    return seen_entities(train) if len(train) == version.split_sizes.get("train") else None
