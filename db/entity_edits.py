"""What people say about entities: that two are one, that one has another name, that one is noise. Each can be undone.

An edit is about entities, which all versions share, so it outlives a re-annotation. Spans are never changed: the view
of each entity that an edit touches is written anew with every edit, by going through those that count, oldest first.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from db.bulk import dialect
from db.tables import Entity, EntityEdit, EntityView
from tagging.errors import QueryError

MERGE, RENAME, HIDE = "merge", "rename", "hide"


def merge(session: Session, entity_id: int, into_id: int, who: str, why: str | None = None) -> EntityEdit:
    """Count the mentions of one entity for another, under whose name and label they are shown from now on.

    Raises QueryError if the two are one already.
    """
    _lock(session)
    root, into = roots(session, [entity_id, into_id])
    if root == into:
        raise QueryError("the two are one entity already; see `tweetspan entities edits`")
    return _write(session, EntityEdit(kind=MERGE, entity_id=root, into_id=into, who=who, why=why))


def rename(session: Session, entity_id: int, name: str, who: str, why: str | None = None) -> EntityEdit:
    """Show an entity under a name of our choice. Raises QueryError for an empty one."""
    if not name.strip():
        raise QueryError(f"the name {name!r} is empty; give the one to be shown")
    _lock(session)
    [root] = roots(session, [entity_id])
    return _write(session, EntityEdit(kind=RENAME, entity_id=root, name=name.strip(), who=who, why=why))


def hide(session: Session, entity_id: int, who: str, why: str | None = None) -> EntityEdit | None:
    """Leave an entity out of all answers that do not ask for hidden ones; None if it is hidden already."""
    _lock(session)
    [root] = roots(session, [entity_id])
    view = session.get(EntityView, root, populate_existing=True)
    if view is not None and view.is_hidden:
        return None
    return _write(session, EntityEdit(kind=HIDE, entity_id=root, who=who, why=why))


def undo(session: Session, edit_id: int, who: str) -> EntityEdit:
    """Let an edit count no longer; those after it stay. Raises QueryError if it does not count."""
    _lock(session)
    edit = session.get(EntityEdit, edit_id)
    if edit is None:
        raise QueryError(f"there is no edit {edit_id}; see `tweetspan entities edits`")
    if edit.undone_at is not None:
        raise QueryError(f"edit {edit_id} was undone before, by {edit.undone_by}")
    edit.undone_at, edit.undone_by = datetime.now(UTC), who
    session.flush()
    _write_views(session)
    return edit


def all_edits(session: Session) -> Sequence[EntityEdit]:
    """Return every edit, newest first, also those that were undone."""
    return session.scalars(select(EntityEdit).order_by(EntityEdit.id.desc())).all()


def roots(session: Session, entity_ids: Sequence[int]) -> list[int]:
    """Return the entity for which each of these counts: itself, where nothing was merged."""
    views = select(EntityView.entity_id, EntityView.root_id).where(EntityView.entity_id.in_(entity_ids))
    found = {row.entity_id: row.root_id for row in session.execute(views)}
    return [found.get(entity_id, entity_id) for entity_id in entity_ids]


def _lock(session: Session) -> None:
    if dialect(session) == "postgresql":  # SQLite has one writer anyway
        session.execute(text("LOCK TABLE entity_edits IN EXCLUSIVE MODE"))


def _write(session: Session, edit: EntityEdit) -> EntityEdit:
    edit.made_at = datetime.now(UTC)
    session.add(edit)
    session.flush()
    _write_views(session)
    return edit


def _write_views(session: Session) -> None:
    edits = session.scalars(select(EntityEdit).where(EntityEdit.undone_at.is_(None)).order_by(EntityEdit.id)).all()
    into = _merged(edits)
    names = {edit.entity_id: edit.name for edit in edits if edit.kind == RENAME}
    hidden = {edit.entity_id for edit in edits if edit.kind == HIDE}
    touched = {edit.entity_id for edit in edits} | {edit.into_id for edit in edits if edit.into_id is not None}
    root_of = {entity_id: _root(into, entity_id) for entity_id in sorted(touched)}
    labels = select(Entity.id, Entity.label).where(Entity.id.in_(set(root_of.values())))
    label_of = {row.id: row.label for row in session.execute(labels)}
    session.execute(delete(EntityView))
    rows = [
        {
            "entity_id": entity_id,
            "root_id": root,
            "label": label_of[root],
            "name": names.get(root),
            "is_hidden": root in hidden,
        }
        for entity_id, root in root_of.items()
    ]
    if rows:
        session.execute(insert(EntityView), rows)


def _merged(edits: Iterable[EntityEdit]) -> dict[int, int]:
    """Return into which entity each was merged. An undone edit may leave two merges that would close a circle."""
    into: dict[int, int] = {}
    for edit in edits:
        if edit.kind == MERGE and edit.into_id is not None:
            root, target = _root(into, edit.entity_id), _root(into, edit.into_id)
            if root != target:
                into[root] = target
    return into


def _root(into: dict[int, int], entity_id: int) -> int:
    while entity_id in into:
        entity_id = into[entity_id]
    return entity_id
