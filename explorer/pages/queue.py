"""Queue: how the work stands, in words and in numbers; failures, and what may be done about them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel

from answers.wording import counted
from answers.work_rows import JobRow, ReasonRow, StatusRow, job_row, reason_row, status_row
from db import failures, jobs, workers
from db.failures import Choice
from db.leases import Lease, leases
from db.status import read_status
from explorer.condition import condition
from explorer.forms import csv_file, done, page
from explorer.parameters import FormWriter, TheService, TheVisitor
from explorer.service import Service
from worker.handout import hand_out
from worker.reannotate import requeue

router = APIRouter(tags=["pages"])
_JOBS, _EXAMPLES = 20, 3
_LATELY = 24 * 3600.0  # seconds within which a worker that fell silent is told of


class Queue(BaseModel):
    """How the work stands; `condition` says it in sentences."""

    condition: list[str]
    status: StatusRow
    jobs: list[JobRow]
    leases: list[Lease]
    failures: list[ReasonRow]


@router.get("/queue", include_in_schema=False)
def queue(
    request: Request,
    service: TheService,
    visitor: TheVisitor,
    watch: Annotated[bool, Query()] = False,
) -> Response:
    """Show how the work stands."""
    return page(request, "queue", visitor, watch=watch, **_answer(service))


@router.get("/queue.json", response_model=Queue)
def queue_json(service: TheService, _: TheVisitor) -> Any:
    """Return how the work stands."""
    answer = _answer(service)
    return {
        "condition": answer["condition"],
        "status": status_row(answer["status"]),
        "jobs": [job_row(one) for one in answer["jobs"]],
        "leases": [asdict(one) for one in answer["leases"]],
        "failures": [reason_row(one) for one, _ in answer["dead"]],
    }


@router.get("/queue.csv", include_in_schema=False)
def queue_csv(service: TheService, _: TheVisitor) -> Response:
    """Return the jobs for spreadsheets."""
    return csv_file([job_row(one) for one in _answer(service)["jobs"]], "jobs")


@router.post("/queue/requeue", include_in_schema=False)
def requeue_failures(
    request: Request,
    service: TheService,
    _: FormWriter,
    reason: Annotated[str, Form(max_length=2000)],
    version: Annotated[int, Form(ge=1, le=2**31)],
) -> Response:
    """Queue again the tweets that a version could not tag for a reason."""
    summary = requeue(service.database, Choice(reason=reason, model_version_id=version), "requeue in the explorer")
    note = hand_out(service.settings, service.database) if summary.added else "they were queued or forgotten meanwhile"
    return done(request, "/queue", f"{counted(summary.added, 'tweet')} queued again; {note}")


@router.post("/queue/cancel", include_in_schema=False)
def cancel_job(
    request: Request, service: TheService, _: FormWriter, job: Annotated[int, Form(ge=1, le=2**63 - 1)]
) -> Response:
    """Take the waiting batches of a job out of the queue."""
    with service.writing() as session:
        batches = jobs.cancel(session, jobs.find(session, str(job)))
    return done(request, "/queue", f"job {job}: {counted(batches, 'batch', 'batches')} taken out of the queue")


def _answer(service: Service) -> dict[str, Any]:
    with service.reading() as session:
        status = read_status(session)
        dead = failures.reasons(session, Choice())
        held = leases(session)
        heartbeats = workers.heartbeats(session, _LATELY)
        return {
            "status": status,
            "condition": condition(status, heartbeats, held, dead),
            "heartbeats": heartbeats,
            "leases": held,
            "jobs": jobs.newest(session, _JOBS),
            "dead": [(one, failures.listed(session, _like(one), _EXAMPLES)) for one in dead],
        }


def _like(one: failures.Reason) -> Choice:
    return Choice(reason=one.error, model_version_id=one.model_version_id)
