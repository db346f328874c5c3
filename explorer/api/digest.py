"""`/api/digest`: what the tweets say of an entity, or of a period, as `tweetspan digest --format json` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from answers.asked import chosen_filter
from answers.digests import for_programs
from answers.period_types import EntityDigestRow, PeriodDigestRow
from db.coverage import cover
from db.entity_lookup import look_up
from db.questions.digest import EntityDigest, PeriodDigest, digest_entity, digest_period
from explorer.api.questions import READING, NameOrNone
from explorer.parameters import Filters, TheService

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

router = APIRouter(prefix="/api", tags=["digests"], dependencies=READING)

_Tweets = Annotated[int | None, Query(ge=1, le=100, description="Of each story; 8 of an entity's, 3 of a period's.")]


@router.get("/digest", response_model=EntityDigestRow | PeriodDigestRow)
def digest(service: TheService, asked: Filters, name: NameOrNone = None, tweets: _Tweets = None) -> Any:
    """Tell the story of an entity: counts, company, phases with their peaks, and the few tweets that say most.

    Without a name, report on a period, by default the day of the newest tweet: what is trending, what is mentioned
    most, and the stories of these.
    """
    with service.reading() as session:
        chosen = chosen_filter(session, asked)
        one = look_up(session, name, chosen.model_version_id).id if name else None
        coverage = cover(session, chosen)

    def tell(session: Session) -> EntityDigest | PeriodDigest:
        if one is None:
            return digest_period(session, chosen, tweets or 3)
        return digest_entity(session, one, chosen, tweets or 8)

    return for_programs(service.told(("digest", one, chosen, tweets), coverage, tell))
