"""What the questions of the API have in common: who may ask, their parameters, and the form of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Path, Query

from db.coverage import cover
from explorer.parameters import may_read

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.filters import Filter

READING = [Depends(may_read)]  # of a router whose questions everybody may ask who may read
BIGGEST = 9 * 10**18  # whole number that a database takes; as the limit of a schema, a floating-point number

_NAME = "An entity, with its label where several have that name; an alias and a given name mean it, too."

Name = Annotated[str, Query(max_length=500, description=_NAME, examples=["LOC:london"])]
NameOrNone = Annotated[str | None, Query(max_length=500, description=_NAME, examples=["LOC:london"])]
Version = Annotated[str, Query(max_length=20, description="A version's number.", examples=["active"])]
TweetId = Annotated[int, Query(ge=1, le=BIGGEST, description="A tweet's.", examples=[153928603371978755])]
TweetIdInPath = Annotated[int, Path(ge=1, le=BIGGEST, description="A tweet's.", examples=[153928603371978755])]


def answer(session: Session, chosen: Filter, rows: Sequence[Any]) -> dict[str, Any]:
    """Return rows with what they are made from."""
    return {"covers": cover(session, chosen), "rows": rows}
