"""`/api/status`, `/api/jobs`, `/api/failures`: how the work stands, as the commands of these names say with --json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query

from answers.wording import legible
from answers.work_rows import (
    FailureRow,
    JobRow,
    ReasonRow,
    StatusRow,
    failure_row,
    job_row,
    reason_row,
    status_row,
)
from db import failures, jobs, model_versions
from db.status import read_status
from explorer.api.questions import BIGGEST, READING
from explorer.parameters import Limit, TheService

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

router = APIRouter(prefix="/api", tags=["work"], dependencies=READING)

_Job = Annotated[str, Path(max_length=500, description="Its number, or a name: of several the newest.", examples=["1"])]
_Model = Annotated[str | None, Query(max_length=20, description="Only those of this version.")]
_Reason = Annotated[str | None, Query(max_length=500, description="Those whose error begins so.")]
_Ids = Annotated[
    list[Annotated[int, Query(ge=1, le=BIGGEST)]], Query(max_length=1000, description="A tweet's; may come again.")
]


@router.get("/status", response_model=StatusRow)
def status_of_the_work(service: TheService) -> Any:
    """Count tweets and batches by state; name the workers seen lately and the latest failures."""
    with service.reading() as session:
        return status_row(read_status(session))


@router.get("/jobs", response_model=list[JobRow])
def newest_jobs(service: TheService, limit: Limit = 20) -> Any:
    """List the newest jobs with their tweets by state."""
    with service.reading() as session:
        return [job_row(one) for one in jobs.newest(session, limit)]


@router.get("/jobs/{job}", response_model=JobRow)
def one_job(service: TheService, job: _Job) -> Any:
    """Show how far one job is."""
    with service.reading() as session:
        return job_row(jobs.progress(session, jobs.find(session, legible(job) or "")))


@router.get("/failures", response_model=list[ReasonRow])
def reasons_of_failures(service: TheService, model: _Model = None) -> Any:
    """Count the dead tweets by version and reason, the most frequent first."""
    with service.reading() as session:
        choice = failures.Choice(model_version_id=_version(session, model))
        return [reason_row(one) for one in failures.reasons(session, choice)]


@router.get("/failures/tweets", response_model=list[FailureRow])
def dead_tweets(
    service: TheService,
    id: _Ids = [],  # noqa: B006 (FastAPI copies it)
    reason: _Reason = None,
    model: _Model = None,
    limit: Limit = 20,
) -> Any:
    """Show dead tweets with their reasons and texts, the latest first: those named, with a reason, or all."""
    with service.reading() as session:
        choice = failures.Choice(tuple(id) or None, legible(reason) or None, _version(session, model))
        return [failure_row(one) for one in failures.listed(session, choice, limit)]


def _version(session: Session, model: str | None) -> int | None:
    return model_versions.find(session, model).id if model else None
