"""Evaluations of the versions: what `tweetspan evaluate` found, one for each version and set of texts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Evaluation, ModelVersion

_PREFERRED = ("validation", "test", "all")


def record(session: Session, **values: Any) -> Evaluation:
    """Write an evaluation over the one of the same version and texts; `values` are the columns but for created_at."""
    return session.merge(Evaluation(created_at=datetime.now(UTC), **values))


def evaluations_of(session: Session, version_id: int) -> Sequence[Evaluation]:
    """Return the evaluations of a version, the newest first."""
    mine = select(Evaluation).where(Evaluation.model_version_id == version_id)
    return session.scalars(mine.order_by(Evaluation.created_at.desc(), Evaluation.texts_fingerprint)).all()


def on_common_texts(session: Session, first_id: int, second_id: int) -> tuple[Evaluation, Evaluation] | None:
    """Find evaluations of two versions on the same texts, with the counts of each text; None if there are none.

    A validation split comes before a test split, and that before a file; then the most texts. Never
    a training split, nor a file that holds the very training split of one of the two.
    """
    trained_on = {_train_fingerprint(session, version_id) for version_id in (first_id, second_id)}
    first = {one.texts_fingerprint: one for one in evaluations_of(session, first_id)}
    pairs = [
        (first[one.texts_fingerprint], one)
        for one in evaluations_of(session, second_id)
        if one.texts_fingerprint in first and one.split != "train" and one.texts_fingerprint not in trained_on
    ]
    kept = [pair for pair in pairs if all("counts" in one.results for one in pair)]
    return min(kept, key=lambda pair: (_PREFERRED.index(pair[1].split), -pair[1].texts), default=None)


def _train_fingerprint(session: Session, version_id: int) -> str | None:
    """Return the fingerprint of a version's training texts; None for one registered before that was recorded."""
    found = session.get_one(ModelVersion, version_id).config.get("train_fingerprint")
    return None if found is None else str(found)


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """Return when, on which texts, and the micro-F1 of each figure with its 95 % interval; as JSON can hold it."""
    figures: dict[str, Any] = evaluation.results["figures"]
    return {
        "corpus": evaluation.corpus,
        "split": evaluation.split,
        "texts": evaluation.texts,
        "texts_fingerprint": evaluation.texts_fingerprint,
        "created_at": evaluation.created_at.isoformat(),
        "f1": {name: figure["micro"]["f1"] for name, figure in figures.items()},
    }
