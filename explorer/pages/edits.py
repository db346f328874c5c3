"""The history: what was merged, renamed and hidden, by whom and why, and whether it was undone."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from answers.row_types import EditRow
from answers.rows import edit_row
from db.entity_edits import Edit, all_edits
from explorer.forms import csv_file, page
from explorer.parameters import EditNumber, Limit, TheService, TheVisitor
from explorer.service import Service

router = APIRouter(tags=["pages"])
_ROWS = 100


class Edits(BaseModel):
    """Edits, newest first."""

    rows: list[EditRow]


@router.get("/edits", include_in_schema=False)
def edits(
    request: Request, service: TheService, visitor: TheVisitor, limit: Limit = _ROWS, edit: EditNumber = None
) -> Response:
    """Show the newest edits."""
    found = _found(service, limit)
    made = next((one for one in found if one.id == edit), None)
    return page(request, "edits", visitor, edits=found, made=made, limit=limit)


@router.get("/edits.json", response_model=Edits)
def edits_json(service: TheService, _: TheVisitor, limit: Limit = _ROWS) -> Any:
    """Return the newest edits."""
    return {"rows": [edit_row(one) for one in _found(service, limit)]}


@router.get("/edits.csv", include_in_schema=False)
def edits_csv(service: TheService, _: TheVisitor, limit: Limit = _ROWS) -> Response:
    """Return the same for spreadsheets."""
    return csv_file([edit_row(one) for one in _found(service, limit)], "edits")


def _found(service: Service, limit: int) -> list[Edit]:
    with service.reading() as session:
        return all_edits(session, limit)
