"""The registry: register, activate and find model versions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.tables import ModelAlias, ModelVersion
from tagging.errors import ModelVersionError

ACTIVE = "active"


def register(session: Session, **values: Any) -> ModelVersion:
    """Write a version; `values` are the columns of ModelVersion but for id and created_at."""
    version = insert(ModelVersion).values(created_at=datetime.now(UTC), **values).returning(ModelVersion)
    return session.scalars(version).one()


def activate(session: Session, version_id: int) -> None:
    """Point "active" at a version: batches claimed from now on are tagged with it. Raises ModelVersionError."""
    find(session, str(version_id))
    session.merge(ModelAlias(name=ACTIVE, model_version_id=version_id, changed_at=datetime.now(UTC)))


def relocate(session: Session, version_id: int, artifact_uri: str) -> None:
    """Let a version's model lie elsewhere from now on; the hash stays. Raises ModelVersionError."""
    find(session, str(version_id)).artifact_uri = artifact_uri


def all_versions(session: Session) -> Sequence[ModelVersion]:
    """Return every version, oldest first."""
    return session.scalars(select(ModelVersion).order_by(ModelVersion.id)).all()


def active_id(session: Session) -> int | None:
    """Return the id of the active version, None if there is none."""
    return session.scalars(select(ModelAlias.model_version_id).where(ModelAlias.name == ACTIVE)).one_or_none()


def find(session: Session, name: str = ACTIVE) -> ModelVersion:
    """Find a version by its number or as "active". Raises ModelVersionError that says what there is."""
    if name == ACTIVE:
        number = active_id(session)
        if number is None:
            raise ModelVersionError(
                "no model version is active; run `tweetspan train`, or `tweetspan models activate N`"
            )
    elif name.isdecimal() and len(name) < 10:
        number = int(name)
    else:
        raise ModelVersionError(f"model version {name!r} is not a number; see `tweetspan models list`")
    version = session.get(ModelVersion, number)
    if version is None:
        raise ModelVersionError(f"there is no model version {name}; see `tweetspan models list`")
    return version


def with_artifact(session: Session, artifact_hash: str) -> ModelVersion | None:
    """Return the last version whose model has this hash, None if there is none."""
    same = select(ModelVersion).where(ModelVersion.artifact_hash == artifact_hash)
    return session.scalars(same.order_by(ModelVersion.id.desc()).limit(1)).one_or_none()


def summary(version: ModelVersion, active: int | None) -> dict[str, Any]:
    """Return a version in one line: number, whether it is active, encoder, corpus, time and kept scores."""
    kept = kept_scores(version)
    return {
        "version": version.id,
        "active": version.id == active,
        "base_model": version.base_model,
        "corpus": version.corpus,
        "created_at": version.created_at.isoformat(timespec="minutes"),
        "entity_f1": kept.get("overall_f1"),
        "token_f1_weighted": kept.get("token_f1_weighted"),
    }


def details(version: ModelVersion) -> dict[str, Any]:
    """Return every column of a version, as JSON can hold it."""
    columns = (column.key for column in ModelVersion.__table__.columns)
    row = {name: getattr(version, name) for name in columns}
    return {**row, "created_at": version.created_at.isoformat()}


def kept_scores(version: ModelVersion) -> dict[str, Any]:
    """Return the validation scores of the epoch whose weights were kept."""
    epochs: list[dict[str, Any]] = version.scores.get("epochs", [])
    return epochs[version.scores["best_epoch"] - 1] if epochs else {}
