"""The API, for a person to read: written from its OpenAPI description."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from answers.asked import Asked
from explorer.described import filter_fields, forms, operations
from explorer.forms import page
from explorer.parameters import TheVisitor

router = APIRouter(include_in_schema=False)
_FILTERS = tuple("text" if name == "text_query" else name for name in Asked.__annotations__)


@router.get("/docs")
def docs(request: Request, visitor: TheVisitor) -> Response:
    """Show what the API takes and answers."""
    described = request.app.openapi()
    sections = [(tag, list(operations(described, tag["name"], _FILTERS))) for tag in described["tags"]]
    filters = filter_fields(described, "/api/entities/top", _FILTERS)
    return page(request, "docs", visitor, sections=sections, filters=filters, forms=forms(described))
