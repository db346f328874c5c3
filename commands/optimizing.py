"""How `tweetspan models optimize` makes a form, compares it, and stores or refuses it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from answers.wording import counted
from commands.model_folders import keep, new_folder
from commands.rendering import print_table, progress_bar, transfer_bar
from db import optimized_forms
from db.session import Database
from db.tables import ModelVersion
from settings import Settings
from tagging.checkpoint import Manifest
from tagging.errors import OptimizeError
from tagging.onnx_form import write_onnx_form
from tagging.tagger import Tagger
from trainer.comparison import Comparison, compare
from trainer.examples import Corpus
from worker.artifacts import load_artifact
from worker.cores import usable_cores

_CALIBRATION = 1000  # training texts, at most
_TOLERANCE = 1e-9  # points: a cost of exactly the limit is within it, however its last digit came out


def optimize(
    settings: Settings,
    database: Database,
    version: ModelVersion,
    corpus: Corpus,
    precision: str,
    max_cost: float,
    on_compared: Callable[[Comparison], None],
) -> dict[str, Any]:
    """Make a form, compare it, store it in place of the one made before; return what is recorded of it.

    Raises OptimizeError, and stores nothing, if it costs more than `max_cost` points of F1.
    """
    with new_folder(settings.models_folder) as partial:
        manifest, comparison = _made(settings, version, corpus, precision, partial)
        on_compared(comparison)
        _refuse_beyond(max_cost, comparison, precision, version)
        folder = keep(partial, manifest.hash)
    with database.write_session() as session:
        form = optimized_forms.record(
            session,
            model_version_id=version.id,
            precision=precision,
            artifact_uri=folder.as_uri(),
            artifact_hash=manifest.hash,
            corpus_fingerprint=corpus.fingerprint,
            texts_checked=comparison.texts,
            f1=comparison.f1,
            f1_cost=comparison.f1_cost,
            differing_share=comparison.differing_share,
            speed=comparison.speed,
        )
        return {"model_version": version.id, **optimized_forms.details(form)}


def show(precision: str, comparison: Comparison) -> None:
    """Print what a form costs and gains."""
    columns = ("form", "texts checked", "F1 of the checkpoint", "F1 of the form", "cost in points", "differ", "speed")
    row = (
        precision,
        comparison.texts,
        comparison.original_f1,
        comparison.f1,
        f"{comparison.f1_cost:.2f}",
        f"{counted(comparison.differing, 'text')} ({comparison.differing_share:.1%})",
        f"{comparison.speed:.2f} times",
    )
    print_table(columns, [row])


def _made(
    settings: Settings, version: ModelVersion, corpus: Corpus, precision: str, into: Path
) -> tuple[Manifest, Comparison]:
    """Write a form of a version into a folder, and compare the two on the CPU."""
    threads = settings.threads or usable_cores()

    def load(folder: Path) -> tuple[Path, Tagger]:
        return folder, Tagger.load(folder, "cpu", version.artifact_hash, threads)

    with transfer_bar() as on_block:
        folder, original = load_artifact(version.artifact_uri, version.artifact_hash, settings, load, on_block)
    with progress_bar() as progress:
        stage = progress.add_task(f"making the {precision} form", total=None)
        manifest = write_onnx_form(folder, into, precision, _calibration(corpus), version.artifact_hash)
        progress.update(stage, description="comparing it with the checkpoint")
        form = Tagger.load(into, "cpu", manifest.hash, threads)
        return manifest, compare(original.tag, form.tag, corpus.splits["validation"])


def _calibration(corpus: Corpus) -> list[str]:
    """Draw the training texts from which the scales of the integers are taken, the same ones each time."""
    training = corpus.splits["train"]
    drawn = random.Random(1).sample(training, min(_CALIBRATION, len(training)))  # noqa: S311 (no secret)
    return [example.text for example in drawn]


def _refuse_beyond(max_cost: float, comparison: Comparison, precision: str, version: ModelVersion) -> None:
    cost = comparison.f1_cost
    if cost > max_cost + _TOLERANCE:
        instead = "take --precision fp32, or " if precision != "fp32" else ""
        raise OptimizeError(
            f"the {precision} form of model version {version.id} costs {cost:.2f} points of F1, above {max_cost:g}, "
            f"and is not stored; {instead}allow it with --max-cost {math.ceil(100 * cost) / 100:g}"
        )
