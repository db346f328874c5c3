"""Whether the explorer lives, and whether it can answer: for what starts it again, or sends it requests."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db import model_versions
from explorer.parameters import TheService
from tagging.errors import TooSlowError

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def lives() -> JSONResponse:
    """Say that the process lives; nothing else is looked at."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
def is_ready(service: TheService) -> JSONResponse:
    """Say whether the database answers and a version is active; nothing is told of the data."""
    try:
        with service.reading() as session:
            active = model_versions.active_id(session)
    except (DBAPIError, PoolTimeout, TooSlowError):
        return JSONResponse({"status": "not ready", "reason": "the database does not answer"}, 503)
    if active is None:
        return JSONResponse({"status": "not ready", "reason": "no model version is active"}, 503)
    return JSONResponse({"status": "ready"})
