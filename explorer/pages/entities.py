"""Entities: those that are mentioned most, under the filters."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from answers.asked import Asked, chosen_filter
from answers.row_types import TopRow
from answers.rows import top_row
from db.coverage import cover
from db.questions.top import top
from explorer.forms import Answer, csv_file, page
from explorer.parameters import MOST_ROWS, Filters, Limit, TheService, TheVisitor
from explorer.service import Service

router = APIRouter(tags=["pages"])
_ROWS = 50


@router.get("/entities", include_in_schema=False)
def entities(
    request: Request, service: TheService, visitor: TheVisitor, asked: Filters, limit: Limit = _ROWS
) -> Response:
    """Show the entities with most mentions."""
    answer = _answer(service, asked, limit)
    return page(request, "entities", visitor, asked=asked, limit=limit, most=MOST_ROWS, **answer)


@router.get("/entities.json", response_model=Answer[TopRow])
def entities_json(service: TheService, _: TheVisitor, asked: Filters, limit: Limit = _ROWS) -> Any:
    """Return the entities with most mentions."""
    answer = _answer(service, asked, limit)
    return {"covers": answer["coverage"], "rows": [top_row(one) for one in answer["found"]]}


@router.get("/entities.csv", include_in_schema=False)
def entities_csv(service: TheService, _: TheVisitor, asked: Filters, limit: Limit = _ROWS) -> Response:
    """Return the same for spreadsheets."""
    return csv_file([top_row(one) for one in _answer(service, asked, limit)["found"]], "entities")


def _answer(service: Service, asked: Asked, limit: int) -> dict[str, Any]:
    with service.reading() as session:
        chosen = chosen_filter(session, asked)
        return {"found": top(session, chosen, limit), "coverage": cover(session, chosen)}
