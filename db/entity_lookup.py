"""From what a user calls an entity to its row, and from its row to what it is called."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, literal, or_, select
from sqlalchemy.orm import Session

from db.bulk import by_bytes, is_one_of
from db.counts import EVER
from db.entity_edits import roots
from db.entity_names import normalised_name
from db.filters import Filter
from db.model_versions import find
from db.spans import EntityKey
from db.tables import Entity, EntityCount, EntityView, ModelVersion, Span
from tagging.errors import QueryError, UnknownError

_LOOKED_AT = 1000  # mentions of an entity, the newest ids, among which the surface form that is shown is counted


@dataclass(frozen=True)
class EntityRef:
    """An entity as it is asked about: `id` of the one that its aliases count for, its label, its normalised name."""

    id: int
    label: str
    name: str


def look_up(session: Session, text: str, model_version_id: int) -> EntityRef:
    """Find the entity that a text names: "london", "@BBC", or with its label "LOC:london".

    A name that is borne under several labels means the one with most mentions by this version. An alias, and the name
    that somebody gave an entity, mean that entity. Raises QueryError, with like names, if there is none.
    """
    label, called = _label_and_name(_labels(session), text)
    name = normalised_name(called)
    if not name:
        raise QueryError(f"{text!r} is empty once normalised; give a name, such as 'london'")
    # A name that was cut to fit may end in a sign, which falls away when it is normalised once more.
    found = _with_name(session, name, label) or _with_name(session, called, label)
    if not found:
        like = ", ".join(repr(one) for one in _like(session, name))
        advice = f"; there is {like}" if like else "; see `tweetspan entities top`"
        raise UnknownError(f"no entity is called {text[:100]!r}{advice}")
    return max(found, key=lambda one: (_mentions(session, one, model_version_id), -one.id))


def keys_for(session: Session, lines: Iterable[str]) -> set[EntityKey]:
    """Return the keys that the lines of a stop list mean: with every label, or with the one before the name."""
    labels = _labels(session)
    return {
        (name, one)
        for line in lines
        for label, called in [_label_and_name(labels, line)]
        for name in [normalised_name(called)]
        for one in ([label] if label else labels.values())
        if name
    }


def members(session: Session, *entity_ids: int) -> list[int]:
    """Return the entities that count for these, themselves among them."""
    aliases = session.scalars(select(EntityView.entity_id).where(is_one_of(session, EntityView.root_id, entity_ids)))
    return sorted({*entity_ids, *aliases})


def known_label(session: Session, text: str) -> str:
    """Return a label as the versions write it, whatever its case. Raises QueryError if no version has it."""
    labels = _labels(session)
    if text.upper() not in labels:
        has = ", ".join(sorted(labels.values())) or "none yet"
        raise QueryError(f"no model version has the label {text[:100]!r}; there is: {has}")
    return labels[text.upper()]


def labels_of(session: Session, model_version_id: int) -> list[str]:
    """Return the labels that a version knows, without IOB2's prefixes."""
    return sorted(_without_prefixes(find(session, str(model_version_id)).labels))


def shown_names(session: Session, chosen: Filter, entity_ids: Collection[int]) -> dict[int, str]:
    """Return what each entity is shown as: the name that somebody gave it, or its most frequent surface form.

    Surface forms are counted in the thousand mentions with the highest tweet ids, of it and of each alias; of two as
    frequent the one that sorts first is taken. An entity without mentions by this version is shown as its normalised
    name.
    """
    rows = select(Entity.id, Entity.name, EntityView.name.label("given"))
    rows = rows.outerjoin(EntityView, EntityView.entity_id == Entity.id).where(
        is_one_of(session, Entity.id, entity_ids)
    )
    return {
        row.id: row.given or _surface(session, chosen.model_version_id, members(session, row.id)) or row.name
        for row in session.execute(rows).all()
    }


def _surface(session: Session, model_version_id: int, entity_ids: Sequence[int]) -> str | None:
    counts: Counter[str] = Counter()
    for entity_id in entity_ids:
        mine = (Span.entity_id == entity_id, Span.model_version_id == model_version_id)
        newest = select(Span.surface).where(*mine).order_by(Span.tweet_id.desc(), Span.start_char).limit(_LOOKED_AT)
        surface = newest.subquery().c.surface
        counts.update({row[0]: row[1] for row in session.execute(select(surface, func.count()).group_by(surface))})
    return min(counts, key=lambda surface: (-counts[surface], surface), default=None)


def _label_and_name(labels: Mapping[str, str], text: str) -> tuple[str | None, str]:
    text = text.encode("utf-8", "replace").decode().replace("\0", " ")
    before, colon, after = text.partition(":")
    label = labels.get(before.strip().upper()) if colon else None
    return label, after if label else text


def _labels(session: Session) -> dict[str, str]:
    """Return the labels of all versions by their upper-case form."""
    found = {label for labels in session.scalars(select(ModelVersion.labels)) for label in _without_prefixes(labels)}
    return {label.upper(): label for label in sorted(found)}


def _without_prefixes(labels: Sequence[str]) -> set[str]:
    return {label[2:] for label in labels if label[:2] in ("B-", "I-")}


def _with_name(session: Session, name: str, label: str | None) -> list[EntityRef]:
    """Return the entities that have this name or were given it, each as the one it counts for.

    A label is the entity's own; where none with that label has the name, that of the one it counts for.
    """
    given = select(EntityView.root_id, EntityView.label, EntityView.name).where(EntityView.name.is_not(None)).distinct()
    borne = select(Entity.id, Entity.label, EntityView.label.label("root_label")).where(Entity.name == name)
    borne = borne.outerjoin(EntityView, EntityView.entity_id == Entity.id)
    ids = {
        row.root_id
        for row in session.execute(given)
        if row.label == (label or row.label) and normalised_name(row.name) == name
    }
    bearers = session.execute(borne).all()
    ids |= {row.id for row in bearers if label in (None, row.label)}
    ids = ids or {row.id for row in bearers if row.root_label == label}
    own = is_one_of(session, Entity.id, set(roots(session, sorted(ids))))
    rows = session.execute(select(Entity.id, Entity.label, Entity.name).where(own))
    return [EntityRef(row.id, row.label, row.name) for row in rows]


def _mentions(session: Session, entity: EntityRef, model_version_id: int) -> int:
    mine = (EntityCount.model_version_id == model_version_id, EntityCount.day == EVER)
    ever = select(func.coalesce(func.sum(EntityCount.mentions), literal(0))).where(*mine)
    return session.scalars(ever.where(is_one_of(session, EntityCount.entity_id, members(session, entity.id)))).one()


def _like(session: Session, name: str) -> list[str]:
    """Return up to three entities whose names hold this one, or are part of it, those of about its length first."""
    is_part = func.replace(literal(name), Entity.name, "") != name
    near = or_(Entity.name.contains(name, autoescape=True), is_part)
    nearest = (func.abs(func.length(Entity.name) - len(name)), by_bytes(session, Entity.name), Entity.id)
    rows = select(Entity.label, Entity.name).where(near, func.length(Entity.name) > 2).order_by(*nearest).limit(3)
    return [f"{row.label}:{row.name}" for row in session.execute(rows)]
