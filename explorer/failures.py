"""From an error to an answer: a page for people, {"error": ...} for programs."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from db.session import reason
from explorer.forms import page
from explorer.parameters import Visitor, service, visitor
from tagging.errors import (
    AccessError,
    BrokerError,
    BusyError,
    DatabaseError,
    JobError,
    ModelVersionError,
    TooSlowError,
    TweetspanError,
    UnknownError,
)

_STATUS: dict[type[TweetspanError], int] = {
    TooSlowError: 503,
    BusyError: 503,
    DatabaseError: 503,
    BrokerError: 503,
    UnknownError: 404,
    JobError: 404,
    ModelVersionError: 404,
}
_PROGRAMS = ("/api/", "/metrics", "/healthz", "/readyz")


def handle_failures(app: FastAPI) -> None:
    """Have every error answered in words; one that is nobody's fault but ours stays a bug, with its traceback."""
    app.exception_handler(TweetspanError)(_ours)
    app.exception_handler(DBAPIError)(_of_the_database)
    app.exception_handler(PoolTimeout)(_of_the_pool)
    app.exception_handler(RequestValidationError)(_of_a_parameter)
    app.exception_handler(HTTPException)(_of_http)


async def _ours(request: Request, error: TweetspanError) -> Response:
    if isinstance(error, AccessError):
        return _answer(request, 401 if service(request).access.token else 403, str(error))
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
    return _answer(request, status, str(error))


async def _of_the_database(request: Request, error: DBAPIError) -> Response:
    return _answer(request, 503, f"the database failed: {reason(error)}; ask again in a few seconds")


async def _of_the_pool(request: Request, error: PoolTimeout) -> Response:
    return _answer(request, 503, "every connection to the database is taken; ask again in a few seconds")


async def _of_a_parameter(request: Request, error: RequestValidationError) -> Response:
    first: dict[str, Any] = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return _answer(request, 422, f"{where!r} cannot be read: {first['msg']}; {_given(first)}")


async def _of_http(request: Request, error: HTTPException) -> Response:
    told = f"{error.detail}: there is nothing at {request.url.path}" if error.status_code == 404 else error.detail
    return _answer(request, error.status_code, str(told), dict(error.headers or {}))


def _given(error: dict[str, Any]) -> str:
    given = error.get("input")
    return f"it was {str(given)[:100]!r}" if isinstance(given, str | int | float) else "see /docs for what it takes"


def _visitor(request: Request) -> Visitor:
    try:
        return visitor(request)
    except AccessError:
        return Visitor(may_write=False, session=None)


def _answer(request: Request, status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    headers = headers or {}
    if status == 503:
        headers["Retry-After"] = "5"
    path = request.url.path
    if path.startswith(_PROGRAMS) or path.endswith((".json", ".csv")):
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"error": error}, status, headers)
    answer = page(request, "failure", _visitor(request), status, error=error)
    answer.headers.update(headers)
    return answer
