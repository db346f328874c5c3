"""Fast forms of the versions: what `tweetspan models optimize` made, one for each version and precision."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.tables import OptimizedForm


def record(session: Session, **values: Any) -> OptimizedForm:
    """Write a form over the one of the same version and precision; `values` are the columns but for created_at."""
    return session.merge(OptimizedForm(created_at=datetime.now(UTC), **values))


def relocate(session: Session, artifact_hash: str, artifact_uri: str) -> bool:
    """Let the form with a hash lie elsewhere from now on; tell whether it is there: it may have been replaced."""
    form = update(OptimizedForm).where(OptimizedForm.artifact_hash == artifact_hash)
    moved = session.scalars(form.values(artifact_uri=artifact_uri).returning(OptimizedForm.precision)).all()
    return bool(moved)


def forms_of(session: Session, version_id: int) -> Sequence[OptimizedForm]:
    """Return the forms of a version, the fastest first."""
    mine = select(OptimizedForm).where(OptimizedForm.model_version_id == version_id)
    return session.scalars(mine.order_by(OptimizedForm.speed.desc(), OptimizedForm.precision.desc())).all()


def details(form: OptimizedForm) -> dict[str, Any]:
    """Return every column but the version's number, as JSON can hold it."""
    names = [column.key for column in OptimizedForm.__table__.columns if column.key != "model_version_id"]
    return {name: getattr(form, name) for name in names} | {"created_at": form.created_at.isoformat()}
