"""What people say about entities: that two are one, that one has another name, that one is noise. Each can be undone.

An edit is about entities, which all versions share, so it outlives a re-annotation. Spans are never changed: the view
of each entity that an edit touches follows from the edits that count, in their order, and is brought up with each.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, text
from sqlalchemy.orm import Session, aliased

from db.bulk import dialect, is_one_of
from db.tables import Entity, EntityEdit, EntityView
from tagging.errors import QueryError

MERGE, RENAME, HIDE = "merge", "rename", "hide"

_VIEW = ("entity_id", "root_id", "label", "name", "is_hidden")


@dataclass(frozen=True)
class Edit:
    """A line of the history. Entities are written "LABEL:name"; `to` is a merge's, or a new name; times are UTC."""

    id: int
    kind: str
    entity: str
    to: str | None
    who: str
    why: str | None
    made_at: datetime
    undone_at: datetime | None
    undone_by: str | None


def merge(session: Session, entity_id: int, into_id: int, who: str, why: str | None = None) -> EntityEdit:
    """Count the mentions of one entity for another, under whose name and label they are shown from now on.

    Raises QueryError if the two are one already.
    """
    _lock(session)
    root, into = roots(session, [entity_id, into_id])
    if root == into:
        raise QueryError("the two are one entity already; see `tweetspan entities edits`")
    [edit] = _write(session, [EntityEdit(kind=MERGE, entity_id=root, into_id=into, who=who, why=why)])
    return edit


def rename(session: Session, entity_id: int, name: str, who: str, why: str | None = None) -> EntityEdit:
    """Show an entity under a name of our choice. Raises QueryError for an empty one."""
    if not name.strip():
        raise QueryError(f"the name {name!r} is empty; give the one to be shown")
    _lock(session)
    [root] = roots(session, [entity_id])
    [edit] = _write(session, [EntityEdit(kind=RENAME, entity_id=root, name=name.strip(), who=who, why=why)])
    return edit


def hide(session: Session, entity_id: int, who: str, why: str | None = None) -> EntityEdit | None:
    """Leave an entity out of all answers that do not ask for hidden ones; None if it is hidden already."""
    return next(iter(hide_all(session, [entity_id], who, why)), None)


def hide_all(session: Session, entity_ids: Sequence[int], who: str, why: str | None = None) -> list[EntityEdit]:
    """Hide many entities at once; return an edit for each that was not hidden already."""
    _lock(session)
    wanted = dict.fromkeys(roots(session, entity_ids))
    hidden = set(session.scalars(select(EntityView.root_id).where(EntityView.is_hidden)))
    return _write(
        session, [EntityEdit(kind=HIDE, entity_id=root, who=who, why=why) for root in wanted if root not in hidden]
    )


def undo(session: Session, edit_id: int, who: str) -> EntityEdit:
    """Let an edit count no longer; those after it stay. Raises QueryError if it does not count."""
    _lock(session)
    edit = session.get(EntityEdit, edit_id, populate_existing=True)  # somebody may have undone it while we waited
    if edit is None:
        raise QueryError(f"there is no edit {edit_id}; see `tweetspan entities edits`")
    if edit.undone_at is not None:
        raise QueryError(f"edit {edit_id} was undone before, by {edit.undone_by}")
    edit.undone_at, edit.undone_by = datetime.now(UTC), who
    session.flush()
    _write_views(session)
    return edit


def all_edits(session: Session, limit: int | None = None) -> list[Edit]:
    """Return the history, newest first, also what was undone."""
    return _history(session, limit=limit)


def made_and_undone(session: Session) -> tuple[int, int]:
    """Count the edits, and those that were undone; as long as both stay, no entity is shown in another way."""
    made, undone = session.execute(select(func.count(), func.count(EntityEdit.undone_at)).select_from(EntityEdit)).one()
    return made, undone


def edits_of(session: Session, entity_ids: Collection[int]) -> list[Edit]:
    """Return what of the history is about some entities, or about what was merged into them."""
    of_one = (is_one_of(session, column, entity_ids) for column in (EntityEdit.entity_id, EntityEdit.into_id))
    return _history(session, or_(*of_one))


def roots(session: Session, entity_ids: Collection[int]) -> list[int]:
    """Return the entity for which each of these counts: itself, where nothing was merged."""
    views = select(EntityView.entity_id, EntityView.root_id).where(is_one_of(session, EntityView.entity_id, entity_ids))
    found = {row.entity_id: row.root_id for row in session.execute(views)}
    return [found.get(entity_id, entity_id) for entity_id in entity_ids]


def _history(session: Session, *conditions: ColumnElement[bool], limit: int | None = None) -> list[Edit]:
    one, other, edit = aliased(Entity), aliased(Entity), EntityEdit
    entity, to = one.label + ":" + one.name, func.coalesce(other.label + ":" + other.name, edit.name)
    said = (edit.who, edit.why, edit.made_at, edit.undone_at, edit.undone_by)
    rows = (
        select(edit.id, edit.kind, entity, to, *said)
        .join(one, one.id == edit.entity_id)
        .outerjoin(other, other.id == edit.into_id)
        .where(*conditions)
        .order_by(edit.id.desc())
        .limit(limit)
    )
    return [Edit(*row) for row in session.execute(rows)]


def _lock(session: Session) -> None:
    if dialect(session) == "postgresql":  # SQLite has one writer anyway
        session.execute(text("LOCK TABLE entity_edits IN EXCLUSIVE MODE"))


def _write(session: Session, edits: list[EntityEdit]) -> list[EntityEdit]:
    now = datetime.now(UTC)
    for edit in edits:
        edit.made_at = now
        session.add(edit)
    session.flush()
    _write_views(session)
    return edits


def _write_views(session: Session) -> None:
    wanted = _views(session)
    columns = [EntityView.__table__.c[name] for name in _VIEW]
    stored = {row.entity_id: tuple(row) for row in session.execute(select(*columns))}
    gone = [entity_id for entity_id, row in stored.items() if row != wanted.get(entity_id)]
    session.execute(delete(EntityView).where(is_one_of(session, EntityView.entity_id, gone)))
    new = [row for entity_id, row in wanted.items() if row != stored.get(entity_id)]
    if new:
        session.execute(insert(EntityView), [dict(zip(_VIEW, row, strict=True)) for row in new])


def _views(session: Session) -> dict[int, tuple[int, int, str, str | None, bool]]:
    columns = (EntityEdit.kind, EntityEdit.entity_id, EntityEdit.into_id, EntityEdit.name)
    edits = session.execute(select(*columns).where(EntityEdit.undone_at.is_(None)).order_by(EntityEdit.id)).all()
    # Each merge was of two entities that counted for themselves then. So they form trees, and whichever of them are
    # undone, no circle can close.
    into = {edit.entity_id: edit.into_id for edit in edits if edit.kind == MERGE}
    names = {edit.entity_id: edit.name for edit in edits if edit.kind == RENAME}
    hidden = {edit.entity_id for edit in edits if edit.kind == HIDE}
    root_of = {
        entity_id: _root(into, entity_id)
        for edit in edits
        for entity_id in (edit.entity_id, edit.into_id or edit.entity_id)
    }
    labels = select(Entity.id, Entity.label).where(is_one_of(session, Entity.id, set(root_of.values())))
    label_of = {row.id: row.label for row in session.execute(labels)}
    return {
        entity_id: (entity_id, root, label_of[root], names.get(root), root in hidden)
        for entity_id, root in root_of.items()
    }


def _root(into: Mapping[int, int], entity_id: int) -> int:
    while entity_id in into:
        entity_id = into[entity_id]
    return entity_id
