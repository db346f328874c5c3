"""The registry, as programs get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from db import evaluations, model_versions, optimized_forms, search_trials

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.tables import ModelVersion


class ModelRow(TypedDict):
    """A version in a line; the scores are the validation scores of the epoch that was kept."""

    version: int
    active: bool
    base_model: str
    corpus: str
    created_at: str
    entity_f1: float | None
    token_f1_weighted: float | None
    fast_forms: list[str]


class ModelDetailsRow(TypedDict):
    """All that is recorded of a version."""

    id: int
    created_at: str
    base_model: str
    config: dict[str, Any]
    corpus: str
    corpus_fingerprint: str
    split_sizes: dict[str, Any]
    labels: list[str]
    libraries: dict[str, Any]
    device: str
    seconds: float
    scores: dict[str, Any]
    artifact_uri: str
    artifact_hash: str
    evaluations: list[dict[str, Any]]
    fast_forms: list[dict[str, Any]]
    search: list[dict[str, Any]]


def model_rows(session: Session) -> list[ModelRow]:
    """Write every version, oldest first."""
    active = model_versions.active_id(session)
    return [_row(session, version, active) for version in model_versions.all_versions(session)]


def model_details_row(session: Session, version: str) -> ModelDetailsRow:
    """Write all that is recorded of a version, by its number or as "active". Raises ModelVersionError."""
    found = model_versions.find(session, version)
    more: Any = {
        "evaluations": [evaluations.summary(one) for one in evaluations.evaluations_of(session, found.id)],
        "fast_forms": [optimized_forms.details(form) for form in optimized_forms.forms_of(session, found.id)],
        "search": [search_trials.details(trial) for trial in search_trials.trials_of(session, found.id)],
    }
    row: ModelDetailsRow = model_versions.details(found) | more
    return row


def _row(session: Session, version: ModelVersion, active: int | None) -> ModelRow:
    forms = [form.precision for form in optimized_forms.forms_of(session, version.id)]
    row: Any = model_versions.summary(version, active) | {"fast_forms": forms}
    found: ModelRow = row
    return found
