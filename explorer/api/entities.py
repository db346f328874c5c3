"""`/api/entities`: what is mentioned, as `tweetspan entities` answers with --json."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from answers.asked import chosen_filter, two_sides
from answers.row_types import ContrastRow, MentionRow, SuggestionRow, TopRow, TrendRow
from answers.rows import contrast_row, mention_row, suggestion_row, top_row, trend_row
from db.questions.compare import compare
from db.questions.search import How, search
from db.questions.suggest import suggest_merges
from db.questions.top import top
from db.questions.trending import Against, trending, windows
from explorer.api.questions import READING, answer
from explorer.forms import Answer
from explorer.parameters import Filters, Limit, TheService

router = APIRouter(prefix="/api/entities", tags=["entities"], dependencies=READING)

_Text = Annotated[str, Query(max_length=500, description="What the name contains.", examples=["london"])]
_How = Annotated[How, Query(description="How name and entity match; fuzzy: up to two letters differ.")]
_Before = Annotated[Against, Query(description="The window just before, or the same one a week earlier.")]
_Differences = Annotated[
    list[str],
    Query(
        min_length=1,
        max_length=10,
        description="KEY=VALUE: how the other side differs. The keys are author, language, since, until and model.",
        examples=[["language=pt"]],
    ),
]


@router.get("/top", response_model=Answer[TopRow])
def top_entities(service: TheService, asked: Filters, limit: Limit = 10) -> Any:
    """Count the entities with most mentions."""
    with service.reading() as session:
        chosen = chosen_filter(session, asked)
        return answer(session, chosen, [top_row(one) for one in top(session, chosen, limit)])


@router.get("/search", response_model=Answer[MentionRow])
def search_mentions(
    service: TheService, asked: Filters, name: _Text, how: _How = "substring", limit: Limit = 20
) -> Any:
    """Find the mentions of entities by a part of their name, newest tweets first."""
    with service.reading() as session:
        chosen = chosen_filter(session, asked)
        return answer(session, chosen, [mention_row(one) for one in search(session, name, chosen, limit, how)])


@router.get("/trending", response_model=Answer[TrendRow])
def trending_entities(service: TheService, asked: Filters, against: _Before = "previous", limit: Limit = 10) -> Any:
    """Find the entities that a larger share of tweets mentions than before."""
    with service.heavy() as session:
        chosen = chosen_filter(session, asked)
        compared = windows(session, chosen, against)
        found = trending(session, chosen, against, limit)
        return answer(session, compared[0], [trend_row(one, *compared) for one in found])


@router.get("/compare", response_model=Answer[ContrastRow])
def compare_sides(service: TheService, asked: Filters, against: _Differences, limit: Limit = 20) -> Any:
    """Find the entities that one side mentions more, or less, than the other: windows, authors, languages, versions."""
    with service.heavy() as session:
        one, other = two_sides(session, asked, against)
        return answer(session, one, [contrast_row(found) for found in compare(session, one, other, limit)])


@router.get("/suggest-merges", response_model=Answer[SuggestionRow])
def suggest_entity_merges(service: TheService, asked: Filters, limit: Limit = 20) -> Any:
    """Propose pairs of entities that may be one, with what speaks for it."""
    with service.heavy() as session:
        chosen = chosen_filter(session, asked)
        return answer(session, chosen, [suggestion_row(one) for one in suggest_merges(session, chosen, limit)])
