"""`/api/entities`: what people say about entities, as `tweetspan entities merge|rename|hide|undo|edits`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from answers.row_types import EditRow
from answers.rows import edit_row
from answers.wording import legible
from db import entity_edits, model_versions
from db.entity_lookup import look_up
from explorer.api.questions import BIGGEST, READING
from explorer.parameters import TheService, bearer
from explorer.service import Service

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

router = APIRouter(prefix="/api/entities")
_READS: dict[str, Any] = {"tags": ["entities"], "dependencies": READING}
_WRITES: dict[str, Any] = {"tags": ["writing"], "dependencies": [Depends(bearer)], "response_model": list[EditRow]}

_Entity = Annotated[str, Field(max_length=500, description="Its name, or LABEL:name.", examples=["PER:@bbc"])]
_Other = Annotated[str, Field(max_length=500, description="The one that it counts for.", examples=["ORG:bbc"])]
_Who = Annotated[str, Field(max_length=100, description="Who says so.")]
_Find = Callable[[str], int]


class Edit(BaseModel):
    """Who says something about an entity, and why."""

    who: _Who = "api"
    why: Annotated[str | None, Field(max_length=1000, description="The reason.")] = None

    @property
    def said(self) -> tuple[str, str | None]:
        """Return both as they can be stored."""
        return (legible(self.who) or "").strip() or "api", legible(self.why) or None


class Merge(Edit):
    """Two entities that are one."""

    entity: _Entity
    into: _Other


class Rename(Edit):
    """An entity under another name."""

    entity: _Entity
    name: Annotated[str, Field(max_length=500, description="What it is shown as.", examples=["BBC News"])]


class Hide(Edit):
    """Entities that are noise."""

    entities: Annotated[list[_Entity], Field(min_length=1, max_length=1000, description="Their names, or LABEL:name.")]


class Undo(BaseModel):
    """An edit that is to count no longer."""

    edit: Annotated[int, Field(ge=1, le=BIGGEST, description="Its number; see /api/entities/edits.")]
    who: _Who = "api"


@router.get("/edits", response_model=list[EditRow], **_READS)
def all_edits(service: TheService) -> Any:
    """List every edit, newest first, also those that were undone."""
    with service.reading() as session:
        return [edit_row(one) for one in entity_edits.all_edits(session)]


@router.post("/merge", **_WRITES)
def merge_entities(service: TheService, said: Merge) -> Any:
    """Count the mentions of one entity for another from now on. Returns the edit."""
    with _edited(service) as (session, find):
        edit = entity_edits.merge(session, find(said.entity), find(said.into), *said.said)
        return _rows(session, edit.id)


@router.post("/rename", **_WRITES)
def rename_entity(service: TheService, said: Rename) -> Any:
    """Show an entity under another name; where one is asked for, both names mean it. Returns the edit."""
    with _edited(service) as (session, find):
        edit = entity_edits.rename(session, find(said.entity), legible(said.name) or "", *said.said)
        return _rows(session, edit.id)


@router.post("/hide", **_WRITES)
def hide_entities(service: TheService, said: Hide) -> Any:
    """Leave entities out of all answers that do not ask for hidden ones. Returns an edit for each not hidden before."""
    with _edited(service) as (session, find):
        made = entity_edits.hide_all(session, [find(one) for one in said.entities], *said.said)
        return _rows(session, *(edit.id for edit in made))


@router.post("/undo", **_WRITES)
def undo_edit(service: TheService, said: Undo) -> Any:
    """Let an edit count no longer; the others stay. Returns the edit."""
    with service.writing() as session:
        return _rows(session, entity_edits.undo(session, said.edit, (legible(said.who) or "").strip() or "api").id)


@contextmanager
def _edited(service: Service) -> Iterator[tuple[Session, _Find]]:
    with service.writing() as session:
        active = model_versions.active_id(session) or 0
        yield session, lambda text: look_up(session, text, active).id


def _rows(session: Session, *numbers: int) -> list[EditRow]:
    session.flush()
    return [edit_row(one) for one in entity_edits.all_edits(session) if one.id in numbers]
