"""The registry: register, activate, roll back and find model versions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from db.tables import ModelActivation, ModelAlias, ModelVersion
from tagging.errors import ModelVersionError

ACTIVE = "active"


def register(session: Session, **values: Any) -> ModelVersion:
    """Write a version; `values` are the columns of ModelVersion but for id and created_at."""
    version = insert(ModelVersion).values(created_at=datetime.now(UTC), **values).returning(ModelVersion)
    return session.scalars(version).one()


def lock_active(session: Session) -> int | None:
    """Return the id of the active version, None if there is none; it stays so until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite writes one transaction at a time anyway
        session.execute(text("LOCK TABLE model_activations IN SHARE ROW EXCLUSIVE MODE"))
    return active_id(session)


def activate(session: Session, version_id: int, compared: str | None = None) -> None:
    """Point "active" at a version: batches claimed from now on are tagged with it. Raises ModelVersionError.

    `compared` is kept with it: how it stood against the one that was active before.
    """
    find(session, str(version_id))
    if lock_active(session) != version_id:
        now = datetime.now(UTC)
        session.add(ModelActivation(model_version_id=version_id, activated_at=now, compared=compared))
        _point(session, version_id, now)


def rollback(session: Session) -> int:
    """Point "active" back at the version that was active before, and return its id. Again, it goes one further back.

    Raises ModelVersionError if there was none.
    """
    lock_active(session)
    standing = select(ModelActivation).where(ModelActivation.rolled_back_at.is_(None))
    last_two = session.scalars(standing.order_by(ModelActivation.id.desc()).limit(2)).all()
    if len(last_two) < 2:
        raise ModelVersionError("no other version was active before; see `tweetspan models history`")
    last, before = last_two
    last.rolled_back_at = datetime.now(UTC)
    _point(session, before.model_version_id, last.rolled_back_at)
    return before.model_version_id


def history(session: Session) -> list[dict[str, Any]]:
    """Return every activation, the newest first, as JSON can hold it."""
    return [
        {
            "version": one.model_version_id,
            "activated_at": one.activated_at.isoformat(timespec="seconds"),
            "rolled_back_at": one.rolled_back_at and one.rolled_back_at.isoformat(timespec="seconds"),
            "compared": one.compared,
        }
        for one in session.scalars(select(ModelActivation).order_by(ModelActivation.id.desc()))
    ]


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


def validation_counts(session: Session, version_id: int) -> dict[str, Any] | None:
    """Return the counts by text that were kept with a version (see `trainer.kept_counts`), None if there are none."""
    kept = select(ModelVersion.validation_counts).where(ModelVersion.id == version_id)
    return session.scalars(kept).one_or_none()


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
    """Return every column of a version but its counts by text, as JSON can hold it."""
    columns = (column.key for column in ModelVersion.__table__.columns if column.key != "validation_counts")
    row = {name: getattr(version, name) for name in columns}
    return {**row, "created_at": version.created_at.isoformat()}


def kept_scores(version: ModelVersion) -> dict[str, Any]:
    """Return the validation scores of the epoch whose weights were kept."""
    epochs: list[dict[str, Any]] = version.scores.get("epochs", [])
    return epochs[version.scores["best_epoch"] - 1] if epochs else {}


def _point(session: Session, version_id: int, now: datetime) -> None:
    session.merge(ModelAlias(name=ACTIVE, model_version_id=version_id, changed_at=now))
