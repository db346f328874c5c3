"""An entity: how often and when it is mentioned, with what, what the tweets say, and what people said about it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from answers.asked import Asked, chosen_filter
from answers.digest_types import StoryRow
from answers.digests import for_programs
from answers.row_types import ContextRow, DetailsRow, EditRow, PeriodRow, RelatedRow
from answers.rows import context_row, details_row, edit_row, period_row, related_row
from db.coverage import Coverage, cover
from db.entity_lookup import look_up
from db.questions.timeline import By, timeline
from explorer.entity_answer import know, tell
from explorer.entity_charts import network_of, timeline_of
from explorer.forms import Answer, csv_file, page
from explorer.parameters import EditNumber, EntityName, Filters, TheService, TheVisitor
from explorer.service import Service
from tagging.errors import BusyError, QueryError, TooSlowError

router = APIRouter(tags=["pages"])
_PATIENCE, _LONG_PATIENCE = 1.0, 30.0  # seconds that a page waits to tell a story, and that a program does
Periods = Annotated[By, Query(description="How long a period is.")]
_Limit = Annotated[int, Query(ge=1, le=100, description="Of surface forms, authors, ...")]


class EntityAnswer(BaseModel):
    """What is known about one entity; the story is null where the filters leave no mention.

    Those that are related are mentioned in the same tweets, in `minimum` at least.
    """

    covers: Coverage
    rows: list[DetailsRow]
    by: By
    timeline: list[PeriodRow]
    minimum: int
    related: list[RelatedRow]
    context: list[ContextRow]
    story: StoryRow | None
    edits: list[EditRow]


@router.get("/entity", include_in_schema=False)
def entity(
    request: Request,
    service: TheService,
    visitor: TheVisitor,
    asked: Filters,
    name: EntityName,
    edit: EditNumber = None,
    limit: _Limit = 5,
) -> Response:
    """Show what is known about an entity; what takes too long now is left out, and the page says so."""
    known = know(service, asked, name, limit)
    shown: dict[str, Any] = {"chart": None, "around": None, "story": None, "no_chart": None, "no_story": None}
    try:
        shown["chart"] = timeline_of(service, known, asked)
    except QueryError as error:
        shown["no_chart"] = str(error)
    try:
        told = tell(service, known, _PATIENCE)
        shown |= {"story": told.story, "around": network_of(told.around, known, asked)}
    except (BusyError, TooSlowError, QueryError) as error:
        shown["no_story"] = str(error)
    made = next((one for one in known.edits if one.id == edit), None)
    return page(request, "entity", visitor, asked=asked, known=known, made=made, **shown)


@router.get("/entity.json", response_model=EntityAnswer)
def entity_json(service: TheService, _: TheVisitor, asked: Filters, name: EntityName, limit: _Limit = 5) -> Any:
    """Return what is known about an entity: counts, forms, timeline, company, story, contexts, edits."""
    known = know(service, asked, name, limit)
    return {
        "covers": known.coverage,
        "rows": [details_row(known.details)],
        "by": known.by,
        "timeline": [period_row(one) for one in known.lifetime(service)],
        "minimum": known.minimum,
        "related": [related_row(one) for one in known.related],
        "context": [context_row(one) for one in known.context],
        "story": for_programs(tell(service, known, _LONG_PATIENCE).story),
        "edits": [edit_row(one) for one in known.edits],
    }


@router.get("/entity/timeline.json", response_model=Answer[PeriodRow])
def timeline_json(service: TheService, _: TheVisitor, asked: Filters, name: EntityName, by: Periods = "day") -> Any:
    """Return the mentions of an entity by hour, day or week, from the first to the last tweet that was read."""
    covers, rows = _timeline(service, asked, name, by)
    return {"covers": covers, "rows": rows}


@router.get("/entity/timeline.csv", include_in_schema=False)
def timeline_csv(service: TheService, _: TheVisitor, asked: Filters, name: EntityName, by: Periods = "day") -> Response:
    """Return the same for spreadsheets."""
    return csv_file(_timeline(service, asked, name, by)[1], "timeline")


def _timeline(service: Service, asked: Asked, name: str, by: By) -> tuple[Coverage, list[PeriodRow]]:
    with service.reading() as session:
        chosen = chosen_filter(session, asked)
        one = look_up(session, name, chosen.model_version_id)
        return cover(session, chosen), [period_row(period) for period in timeline(session, chosen, by, one.id)]
