"""Evaluations of the versions: what `tweetspan evaluate` found, one for each version and set of texts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Evaluation


def record(session: Session, **values: Any) -> Evaluation:
    """Write an evaluation over the one of the same version and texts; `values` are the columns but for created_at."""
    return session.merge(Evaluation(created_at=datetime.now(UTC), **values))


def evaluations_of(session: Session, version_id: int) -> Sequence[Evaluation]:
    """Return the evaluations of a version, the newest first."""
    mine = select(Evaluation).where(Evaluation.model_version_id == version_id)
    return session.scalars(mine.order_by(Evaluation.created_at.desc(), Evaluation.texts_fingerprint)).all()


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
