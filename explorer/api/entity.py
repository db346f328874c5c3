"""`/api/entities`: what is known about one entity, as `tweetspan entities` answers with --json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from answers.asked import Asked, chosen_filter
from answers.network_rows import NetworkRow, network_row
from answers.row_types import ContextRow, DetailsRow, PeriodRow, RelatedRow
from answers.rows import context_row, details_row, period_row, related_row
from db.coverage import cover
from db.entity_lookup import look_up
from db.questions import related as meetings
from db.questions.context import context
from db.questions.network import network
from db.questions.show import show
from db.questions.timeline import By, timeline
from explorer.api.questions import READING, Name, NameOrNone, answer
from explorer.forms import Answer
from explorer.parameters import Filters, Limit, TheService

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.filters import Filter

router = APIRouter(prefix="/api/entities", tags=["one entity"], dependencies=READING)

_Words = Annotated[int, Query(ge=0, le=100, description="Words on either side.")]
_By = Annotated[By, Query(description="The length of the periods, in UTC.")]
_Order = Annotated[
    meetings.By, Query(description="log-likelihood: hardly chance; count: tweets together; pmi: seldom apart.")
]
_Minimum = Annotated[int, Query(ge=1, le=1_000_000_000, description="Tweets together, at least.")]


@router.get("/show", response_model=Answer[DetailsRow])
def show_entity(service: TheService, asked: Filters, name: Name, limit: Limit = 5) -> Any:
    """Show how often an entity is mentioned and since when, its labels, surface forms, aliases, authors and company."""
    with service.reading() as session:
        chosen, one = _found(session, asked, name)
        return answer(session, chosen, [details_row(show(session, one, chosen, limit))])


@router.get("/context", response_model=Answer[ContextRow])
def mentions_in_context(service: TheService, asked: Filters, name: Name, words: _Words = 5, limit: Limit = 20) -> Any:
    """Show an entity's mentions with the words around them, newest tweets first."""
    with service.reading() as session:
        chosen, one = _found(session, asked, name)
        return answer(session, chosen, [context_row(found) for found in context(session, one, chosen, words, limit)])


@router.get("/timeline", response_model=Answer[PeriodRow])
def mentions_over_time(service: TheService, asked: Filters, name: NameOrNone = None, by: _By = "day") -> Any:
    """Count the mentions of an entity, or all mentions, by hour, day or week."""
    with service.reading() as session:
        chosen, one = _found(session, asked, name) if name else (chosen_filter(session, asked), None)
        return answer(session, chosen, [period_row(period) for period in timeline(session, chosen, by, one)])


@router.get("/related", response_model=Answer[RelatedRow])
def related_entities(
    service: TheService,
    asked: Filters,
    name: Name,
    by: _Order = "log-likelihood",
    minimum: _Minimum = 3,
    limit: Limit = 10,
) -> Any:
    """Find the entities that are mentioned in the same tweets, the strongest first; `label` is that of the others."""
    with service.reading() as session:
        chosen, one = _found(session, asked, name)
        found = meetings.related(session, one, chosen, by, limit, minimum)
        return answer(session, chosen, [related_row(other) for other in found])


@router.get("/network", response_model=NetworkRow)
def network_around(
    service: TheService,
    asked: Filters,
    name: Name,
    by: _Order = "log-likelihood",
    minimum: _Minimum = 3,
    limit: Limit = 10,
) -> Any:
    """Return an entity, those related to it, and the links among all of them."""
    with service.reading() as session:
        chosen, one = _found(session, asked, name)
        coverage = cover(session, chosen)
    question = ("network", one, chosen, by, limit, minimum)
    found = service.told(question, coverage, lambda session: network(session, one, chosen, by, limit, minimum))
    return network_row(found)


def _found(session: Session, asked: Asked, name: str) -> tuple[Filter, int]:
    chosen = chosen_filter(session, asked)
    return chosen, look_up(session, name, chosen.model_version_id).id
