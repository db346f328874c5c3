"""What `tweetspan train` shows while it works, and how a trained model becomes a registered version."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from commands import evaluating
from commands.guarding import activate_guarded
from commands.model_folders import keep, new_folder
from commands.rendering import marked, paused, print_table, progress_bar
from db import model_versions
from db.session import Database
from settings import Settings
from tagging.errors import WorseModelError
from tagging.tagger import Tagger
from trainer.config import TrainingConfig
from trainer.examples import Corpus
from trainer.finetune import Listener, TrainedModel, finetune
from trainer.scoring import score
from trainer.training_set import token_labels

_LIBRARIES = ("torch", "transformers", "tokenizers", "datasets", "evaluate", "tweetspan")


def show_corpus(corpus: Corpus) -> None:
    """Print the splits with their sizes and label counts."""
    click.echo(f"corpus {corpus.name}, fingerprint {corpus.fingerprint[:12]}")
    labels = corpus.entity_labels
    rows = []
    for name, split in corpus.splits.items():
        counts = Counter(span.label for example in split for span in example.spans)
        rows.append([name, len(split), *(counts[label] for label in labels)])
    print_table(["split", "texts", *labels], rows)


def train(config: TrainingConfig, corpus: Corpus, sentence: str) -> TrainedModel:
    """Fine-tune with a progress bar; print an example, the baseline, each epoch, and `sentence` before and after."""
    validation = corpus.splits["validation"]
    with progress_bar() as progress:
        bar = progress.add_task("training", total=None)

        def on_start(tagger: Tagger, baseline: dict[str, Any]) -> None:
            before = tagger.tag([sentence])[0]
            with paused(progress):
                _show_example(tagger, corpus)
                click.echo(f"untrained: {marked(sentence, before)}")
                click.echo(_scores_line("untrained", baseline))

        def on_epoch(epoch: int, scores: dict[str, Any]) -> None:
            with paused(progress):
                click.echo(_scores_line(f"epoch {epoch}", scores))

        listener = Listener(
            on_start=on_start,
            on_step=lambda done, total: progress.update(bar, completed=done, total=total),
            on_epoch=on_epoch,
        )
        trained = finetune(config, corpus, lambda tagger: score(tagger.tag, validation), listener)
    click.echo(
        f"kept epoch {trained.best_epoch}, learning rate {trained.config.learning_rate}, {trained.seconds:.0f} s"
    )
    _show_by_label(trained.scores)
    click.echo(f"trained: {marked(sentence, trained.tagger.tag([sentence])[0])}")
    return trained


def register(
    settings: Settings, database: Database, trained: TrainedModel, corpus: Corpus, activate: bool
) -> tuple[int, bool, Path, str | None]:
    """Save the model folder, write the version with its evaluation; return its number, if it is active, its report,
    and how it compares with the version that was active.

    The folder is written beside and renamed, and the rows are one transaction: an interruption leaves no half version.
    One that is significantly worse than the active version is registered and not activated.
    """
    report = evaluating.measure(trained.tagger, "the new model", evaluating.validation_of(corpus))
    with new_folder(settings.models_folder) as partial:
        manifest = trained.save(partial)
        folder = keep(partial, manifest.hash)
    with database.write_session() as session:
        version = model_versions.register(
            session,
            base_model=trained.config.base_model,
            config=trained.config.as_dict(),
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
        report = report.of_version(version)
        evaluating.record(session, version.id, report)
        compared = _activated(session, version.id) if activate or not model_versions.lock_active(session) else None
        version_id, active_id = version.id, model_versions.active_id(session)
    page = settings.reports_folder / f"version-{version_id}.html"
    evaluating.write_html(report, page)
    return version_id, version_id == active_id, page, compared


def _activated(session: Session, version_id: int) -> str | None:
    """Activate a version unless it is significantly worse; return how it compares."""
    try:
        return activate_guarded(session, version_id)
    except WorseModelError as error:
        return str(error)


def _show_example(tagger: Tagger, corpus: Corpus) -> None:
    """Print one training text as the network meets it: words, sub-words, labels."""
    example = max(corpus.splits["train"][:50], key=lambda one: len({span.label for span in one.spans}))
    encoded = tagger.encoder.encode([example.text])[0]
    window = encoded.windows[0]
    click.echo(f"an example: {marked(example.text, example.spans)}")
    labels = token_labels(window, example.word_labels(), "first")
    rows = [
        [
            example.text[slice(*encoded.words[word])],
            " ".join(tagger.encoder.tokens(window.ids[head:end])),
            labels[head],
        ]
        for head, word, end in zip(window.heads, window.words, window.ends, strict=True)
    ]
    print_table(["word", "sub-words", "label"], rows[:30])


def _scores_line(name: str, scores: dict[str, Any]) -> str:
    return (
        f"{name}: entity F1 {scores['overall_f1']:.4f} (precision {scores['overall_precision']:.4f}, "
        f"recall {scores['overall_recall']:.4f}), without handles {scores['plain_f1']:.4f}, "
        f"token F1 {scores['token_f1_weighted']:.4f} weighted"
    )


def _show_by_label(scores: dict[str, Any]) -> None:
    by_label = {label: value for label, value in scores.items() if isinstance(value, dict)}
    columns = ("precision", "recall", "f1", "number")
    rows = [[label, *(values[column] for column in columns)] for label, values in by_label.items()]
    print_table(["label", *columns], rows)
