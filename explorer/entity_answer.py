"""What is known about one entity, from several questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from answers.asked import Asked, chosen_filter
from db.coverage import Coverage, cover
from db.entity_edits import Edit, edits_of
from db.entity_lookup import look_up, members
from db.filters import Filter
from db.questions.context import Context, context
from db.questions.lifetime import lifetime, suitable
from db.questions.network import Network, network
from db.questions.related import Related, related
from db.questions.show import EntityDetails, show
from db.questions.story import Story, story
from db.questions.timeline import By, Period
from explorer.service import Service

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_MINIMA = (3, 1)  # tweets together


@dataclass(frozen=True)
class Known:
    """What is found quickly.

    `by` are the periods that suit the time from the first mention to the last; `minimum` is in how many tweets others
    must be mentioned with it, three, unless that leaves none.
    """

    chosen: Filter
    coverage: Coverage
    details: EntityDetails
    by: By
    minimum: int
    related: list[Related]
    context: list[Context]
    edits: list[Edit]

    @property
    def key(self) -> str:
        """Return what the entity is addressed by."""
        return f"{self.details.label}:{self.details.name}"

    def lifetime(self, service: Service) -> list[Period]:
        """Return the timeline from the first mention to the last. Raises QueryError if there are too many periods."""
        one = self.details
        with service.reading() as session:
            return lifetime(session, self.chosen, one.entity_id, self.by, one.first_seen, one.last_seen)


@dataclass(frozen=True)
class Told:
    """What takes reading many tweets; there is no story without a mention."""

    story: Story | None
    around: Network


def know(service: Service, asked: Asked, name: str, limit: int) -> Known:
    """Look up an entity, by its name or that of one that counts for it. Raises UnknownError if there is none."""
    with service.reading() as session:
        chosen = chosen_filter(session, asked)
        one = look_up(session, name, chosen.model_version_id).id
        details = show(session, one, chosen, limit)
        minimum, company = _company(session, one, chosen)
        return Known(
            chosen,
            cover(session, chosen),
            details,
            suitable(details.first_seen, details.last_seen),
            minimum,
            company,
            context(session, one, chosen),
            edits_of(session, members(session, one)),
        )


def tell(service: Service, known: Known, patience: float) -> Told:
    """Tell the story of an entity and draw up its network, when it is their turn.

    Raises BusyError if it is not, after so many seconds, TooSlowError or QueryError.
    """
    one = known.details

    def answer(session: Session) -> Told:
        told = story(session, one.entity_id, known.chosen) if one.mentions else None
        return Told(told, network(session, one.entity_id, known.chosen, minimum=known.minimum))

    return service.told(("story", one.entity_id, known.chosen, known.minimum), known.coverage, answer, patience)


def _company(session: Session, entity_id: int, chosen: Filter) -> tuple[int, list[Related]]:
    for minimum in _MINIMA:
        found = related(session, entity_id, chosen, minimum=minimum)
        if found:
            break
    return minimum, found
