"""How a version becomes the active one, unless it is significantly worse."""

from __future__ import annotations

from sqlalchemy.orm import Session

from db import model_versions
from tagging.errors import WorseModelError
from trainer.guard import Evidence, judge
from trainer.kept_counts import unpack


def activate_guarded(session: Session, version_id: int, force: bool = False) -> str | None:
    """Activate a version and return how it stands against the active one; None where there is no other.

    Raises WorseModelError if it is significantly worse and not forced, ModelVersionError.
    """
    active = model_versions.lock_active(session)
    if active in (None, version_id):
        model_versions.activate(session, version_id)
        return None
    verdict = judge(_evidence(session, active), _evidence(session, version_id))
    if verdict.is_worse and not force:
        raise WorseModelError(
            f"model version {version_id} is significantly worse than the active one and is not activated (compared "
            f"{verdict.told}); look with `tweetspan models compare {active} {version_id}`, or activate it all the same "
            f"with `tweetspan models activate {version_id} --force`"
        )
    told = f"forced, {verdict.told}" if verdict.is_worse else verdict.told
    model_versions.activate(session, version_id, told)
    return told


def _evidence(session: Session, version_id: int) -> Evidence:
    version = model_versions.find(session, str(version_id))
    kept = model_versions.validation_counts(session, version_id)
    return Evidence(version_id, version.corpus_fingerprint, kept and unpack(kept))
