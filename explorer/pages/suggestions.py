"""Entities that may be one and the same, for a person to judge."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from answers.asked import Asked, chosen_filter
from answers.row_types import SuggestionRow
from answers.rows import suggestion_row
from db.coverage import cover
from db.entity_edits import all_edits
from db.entity_lookup import look_up
from db.questions.suggest import suggest_merges
from explorer.forms import Answer, csv_file, page
from explorer.parameters import EditNumber, Filters, Limit, TheService, TheVisitor
from explorer.service import Service

router = APIRouter(tags=["pages"])
_ROWS = 20
_Name = Annotated[str | None, Query(max_length=2000, description="Only what this entity may be.")]


@router.get("/suggestions", include_in_schema=False)
def suggestions(
    request: Request,
    service: TheService,
    visitor: TheVisitor,
    asked: Filters,
    name: _Name = None,
    limit: Limit = _ROWS,
    edit: EditNumber = None,
) -> Response:
    """Show which entities may be one, those first that are mentioned most."""
    answer = _answer(service, asked, name, limit)
    with service.reading() as session:
        made = next((one for one in all_edits(session, _ROWS) if one.id == edit), None)
    return page(request, "suggestions", visitor, asked=asked, name=name, limit=limit, made=made, **answer)


@router.get("/suggestions.json", response_model=Answer[SuggestionRow])
def suggestions_json(
    service: TheService, _: TheVisitor, asked: Filters, name: _Name = None, limit: Limit = _ROWS
) -> Any:
    """Return which entities may be one."""
    answer = _answer(service, asked, name, limit)
    return {"covers": answer["coverage"], "rows": [suggestion_row(one) for one in answer["found"]]}


@router.get("/suggestions.csv", include_in_schema=False)
def suggestions_csv(
    service: TheService, _: TheVisitor, asked: Filters, name: _Name = None, limit: Limit = _ROWS
) -> Response:
    """Return the same for spreadsheets."""
    return csv_file([suggestion_row(one) for one in _answer(service, asked, name, limit)["found"]], "suggestions")


def _answer(service: Service, asked: Asked, name: str | None, limit: int) -> dict[str, Any]:
    with service.heavy() as session:
        chosen = chosen_filter(session, asked)
        one = look_up(session, name, chosen.model_version_id).id if name else None
        return {"found": suggest_merges(session, chosen, limit, one), "coverage": cover(session, chosen)}
