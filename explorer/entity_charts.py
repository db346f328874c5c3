"""The charts of an entity's page, with where they lead."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup

from answers.asked import Asked
from answers.wording import clean
from db.questions.network import Network
from explorer.addresses import address
from explorer.charts import timeline_svg
from explorer.entity_answer import Known
from explorer.network_chart import network_svg
from explorer.service import Service


def timeline_of(service: Service, known: Known, asked: Asked) -> Markup | None:
    """Draw when an entity is mentioned; None where it is not, or nobody knows when. Raises QueryError if it is too long
    to be drawn."""
    periods = known.lifetime(service)
    if not periods:
        return None

    def tweets_of(start: datetime, end: datetime) -> str:
        since = max(start, known.chosen.since or start)
        until = min(end, known.chosen.until or end)
        return address("/tweets", asked, mentions=known.key, label=None, since=_written(since), until=_written(until))

    return timeline_svg(periods, known.by, f"Mentions of {clean(known.details.shown)} over time", tweets_of)


def network_of(around: Network, known: Known, asked: Asked) -> Markup | None:
    """Draw what an entity is mentioned with; None where that is nothing."""
    if not around.links:
        return None
    title = f"Entities that are mentioned with {clean(known.details.shown)}"
    return network_svg(
        around,
        known.details.entity_id,
        title,
        lambda one: address("/entity", asked, name=f"{one.label}:{one.name}", label=None),
    )


def _written(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()
