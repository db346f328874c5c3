"""What people say about entities, by forms: merge, rename, hide, undo. Each leads back to the page it came from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse

from answers.wording import legible
from db import entity_edits, model_versions
from db.entity_lookup import EntityRef, look_up
from explorer.addresses import address
from explorer.parameters import Filters, FormWriter, TheService

router = APIRouter(include_in_schema=False)

_Name = Annotated[str, Form(max_length=2000)]
_Who = Annotated[str, Form(max_length=100)]
_Why = Annotated[str, Form(max_length=1000)]
_Back = Annotated[Literal["entity", "edits", "suggestions"], Form()]


@router.post("/entity/merge")
def merge(
    _: FormWriter,
    service: TheService,
    asked: Filters,
    name: _Name,
    into: _Name,
    who: _Who = "",
    why: _Why = "",
    back: _Back = "entity",
) -> RedirectResponse:
    """Count an entity for another one."""
    with service.writing() as session:
        one, other = _find(session, name), _find(session, into)
        edit = entity_edits.merge(session, one.id, other.id, _said(who), _reason(why)).id
    return _go(back, asked, _key(other), edit)


@router.post("/entity/rename")
def rename(
    _: FormWriter, service: TheService, asked: Filters, name: _Name, to: _Name, who: _Who = "", why: _Why = ""
) -> RedirectResponse:
    """Show an entity under another name."""
    with service.writing() as session:
        one = _find(session, name)
        edit = entity_edits.rename(session, one.id, legible(to) or "", _said(who), _reason(why)).id
    return _go("entity", asked, _key(one), edit)


@router.post("/entity/hide")
def hide(
    _: FormWriter, service: TheService, asked: Filters, name: _Name, who: _Who = "", why: _Why = ""
) -> RedirectResponse:
    """Leave an entity out of all answers that do not ask for hidden ones."""
    with service.writing() as session:
        one = _find(session, name)
        edit = entity_edits.hide(session, one.id, _said(who), _reason(why))
        number = edit.id if edit else None
    return _go("entity", asked, _key(one), number)


@router.post("/entity/undo")
def undo(
    _: FormWriter,
    service: TheService,
    asked: Filters,
    edit: Annotated[int, Form(ge=1, le=2**63 - 1)],
    name: _Name = "",
    who: _Who = "",
    back: _Back = "edits",
) -> RedirectResponse:
    """Let an edit count no longer."""
    with service.writing() as session:
        entity_edits.undo(session, edit, _said(who))
    return _go(back, asked, name, edit)


def _find(session: Any, name: str) -> EntityRef:
    return look_up(session, name, model_versions.active_id(session) or 0)


def _said(who: str) -> str:
    return (legible(who) or "").strip() or "explorer"


def _reason(why: str) -> str | None:
    return (legible(why) or "").strip() or None


def _key(one: EntityRef) -> str:
    return f"{one.label}:{one.name}"


def _go(back: str, asked: Any, name: str, edit: int | None) -> RedirectResponse:
    return RedirectResponse(address(f"/{back}", asked, name=name if back == "entity" else None, edit=edit), 303)
