"""`/api/digest`: what the tweets say of an entity, or of a period, as `tweetspan digest --format json` tells it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from answers.asked import chosen_filter
from answers.digests import for_programs
from answers.period_types import EntityDigestRow, PeriodDigestRow
from db.entity_lookup import look_up
from db.questions.digest import digest_entity, digest_period
from explorer.api.questions import READING, NameOrNone
from explorer.parameters import Filters, TheService

router = APIRouter(prefix="/api", tags=["digests"], dependencies=READING)

_Tweets = Annotated[int | None, Query(ge=1, le=100, description="Of each story; 8 of an entity's, 3 of a period's.")]


@router.get("/digest", response_model=EntityDigestRow | PeriodDigestRow)
def digest(service: TheService, asked: Filters, name: NameOrNone = None, tweets: _Tweets = None) -> Any:
    """Tell the story of an entity: counts, company, phases with their peaks, and the few tweets that say most.

    Without a name, report on a period, by default the day of the newest tweet: what is trending, what is mentioned
    most, and the stories of these.
    """
    with service.heavy() as session:
        chosen = chosen_filter(session, asked)
        if not name:
            return for_programs(digest_period(session, chosen, tweets or 3))
        one = look_up(session, name, chosen.model_version_id)
        return for_programs(digest_entity(session, one.id, chosen, tweets or 8))
