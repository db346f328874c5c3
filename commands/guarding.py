"""How a version becomes the active one, unless it is significantly worse."""

from __future__ import annotations

from sqlalchemy.orm import Session

from answers.wording import counted
from db import evaluations, model_versions
from tagging.errors import WorseModelError
from trainer.guard import Verdict, judge
from trainer.kept_counts import unpack


def activate_guarded(session: Session, version_id: int, force: bool = False) -> str | None:
    """Activate a version and return how it compares with the active one; None where there is no other.

    Raises WorseModelError if it is significantly worse and not forced, ModelVersionError.
    """
    active = model_versions.lock_active(session)
    if active in (None, version_id):
        model_versions.activate(session, version_id)
        return None
    verdict = _verdict(session, active, version_id)
    if verdict is None:
        told = (
            f"not compared with version {active}: the two were not evaluated on the same texts; `tweetspan evaluate "
            "VERSION --file FILE` does so with each"
        )
    elif verdict.is_worse and not force:
        raise WorseModelError(
            f"model version {version_id} is significantly worse than version {active} and is not activated "
            f"({verdict.told}); see `tweetspan models compare {active} {version_id}`, or activate it all the same with "
            f"`tweetspan models activate {version_id} --force`"
        )
    else:
        told = f"forced: {verdict.told}" if verdict.is_worse else verdict.told
    model_versions.activate(session, version_id, told)
    return told


def _verdict(session: Session, active: int, candidate: int) -> Verdict | None:
    """Judge by the evaluations that are kept: nothing is tagged, and no corpus is needed."""
    pair = evaluations.on_common_texts(session, active, candidate)
    verdict = pair and judge(*(unpack(one.results["counts"]) for one in pair))
    if not (pair and verdict):
        return None
    place = f"{counted(pair[0].texts, 'text')} ({pair[0].split})"
    return verdict._replace(told=f"compared with version {active} on {place}: {verdict.told}")
