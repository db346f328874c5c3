"""The forms of an answer: a page for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel

from answers.rows import flat
from answers.wording import clean, counted, covered, plain
from db.coverage import Coverage
from explorer.addresses import address, limits
from explorer.marking import marked
from explorer.parameters import Visitor, service

Row = TypeVar("Row")

_TEMPLATES = Path(__file__).parent / "templates"
LONGEST_WAY_BACK = 5000  # characters of an address
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would take such a text for a formula


class Answer(BaseModel, Generic[Row]):
    """Rows, and what they are made from."""

    covers: Coverage
    rows: list[Row]


class Problem(BaseModel):
    """Why there is no answer: the message names the value and what to do next."""

    error: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "What is asked cannot be answered.",
        401: "The token is missing or wrong.",
        403: "Nobody may do this here.",
        404: "There is no such thing.",
        413: "The request is too large.",
        422: "A parameter cannot be read.",
        503: "Too busy, or it would take too long: ask again, or for less.",
    }.items()
}


def _environment() -> Environment:
    loader = FileSystemLoader(_TEMPLATES)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals.update(address=address, limits=limits, counted=counted, covered=covered, marked=marked)
    made.filters.update(clean=clean, plain=plain)
    return made


_templates = Jinja2Templates(env=_environment())


def page(request: Request, template: str, visitor: Visitor, status_code: int = 200, **shown: Any) -> Response:
    """Write a page from its template."""
    access = service(request).access
    key = access.form_key(visitor.session) if visitor.session else None
    said = access.unseal(request.query_params.get("said"))
    known = {
        "said": said,
        "visitor": visitor,
        "form_key": key,
        "has_token": access.token is not None,
        "path": request.url.path,
        "sign_in": address("/sign-in", back=here(request)),
    }
    return _templates.TemplateResponse(request, f"{template}.html.jinja", {**known, **shown}, status_code=status_code)


def here(request: Request) -> str | None:
    """Return the address of the page that is shown, for the way back to it; None for what a form was sent to."""
    there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return there if request.method == "GET" and len(there) <= LONGEST_WAY_BACK else None


def done(request: Request, path: str, said: str, **parameters: Any) -> Response:
    """Lead the browser to a page after a change, which says what was done."""
    sealed = service(request).access.seal(said)
    return RedirectResponse(address(path, **parameters, said=sealed), 303)


def csv_file(rows: Sequence[Mapping[str, Any]], name: str) -> Response:
    """Write rows as a CSV file, as the commands do, but for texts that a spreadsheet would take for formulas."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({column: _harmless(value) for column, value in flat(row).items()} for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_DANGEROUS) else value
