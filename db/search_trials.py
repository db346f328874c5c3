"""Trials of the searches that versions came of, copied from the file in which Optuna keeps them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from db.tables import SearchTrial


def record(session: Session, version_id: int, study: str, trials: Sequence[Mapping[str, Any]]) -> None:
    """Write the trials of a version's search; each has the other columns of SearchTrial."""
    rows = [{"model_version_id": version_id, "study": study, **trial} for trial in trials]
    session.execute(insert(SearchTrial), rows)


def trials_of(session: Session, version_id: int) -> Sequence[SearchTrial]:
    """Return the trials of a version's search in their order; none if there was no search."""
    mine = select(SearchTrial).where(SearchTrial.model_version_id == version_id)
    return session.scalars(mine.order_by(SearchTrial.number)).all()


def version_of(session: Session, study: str, trials: int) -> int | None:
    """Return the version that came of a search when it had so many trials; None if it came to none yet."""
    versions = select(SearchTrial.model_version_id).where(SearchTrial.study == study)
    grown = versions.group_by(SearchTrial.model_version_id).having(func.count() == trials)
    return session.scalars(grown.order_by(SearchTrial.model_version_id.desc()).limit(1)).one_or_none()


def details(trial: SearchTrial) -> dict[str, Any]:
    """Return every column but the version's number, as JSON can hold it."""
    names = [column.key for column in SearchTrial.__table__.columns if column.key != "model_version_id"]
    times = {"started_at": trial.started_at.isoformat(), "ended_at": trial.ended_at.isoformat()}
    return {name: getattr(trial, name) for name in names} | times
