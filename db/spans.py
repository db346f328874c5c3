"""Spans and marks: how the answers of a tagger are stored.

The mark (a row of `annotations`) is the gate: spans are written only for marks that this transaction inserted, so an
overlap of two batches, or a second reading that came out slightly otherwise, adds nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, literal, select, tuple_
from sqlalchemy.orm import Session

from db import clock, counts, fulltext
from db.bulk import copy_rows, dialect, dialect_insert, given, insert_new, is_one_of, read_rows
from db.entity_names import normalised_name
from db.tables import Annotation, Entity, Tweet
from db.tables import Span as SpanRow
from tagging.spans import Span

EntityKey = tuple[str, str]  # name, label

_COLUMNS = (
    "tweet_id", "model_version_id", "start_char", "end_char", "label", "surface", "score", "entity_id",
)  # fmt: skip


def entity_key(text: str, span: Span) -> EntityKey:
    """Return the key of the entity that a span of this text mentions."""
    return normalised_name(span.surface(text)), span.label


def look_up_entities(session: Session, keys: Iterable[EntityKey]) -> dict[EntityKey, int]:
    """Return the ids of entities, inserting those that are new.

    To be called in a short transaction of its own, before the one that stores spans: keys are taken in sorted order,
    since two workers that insert two names in opposite order would deadlock.
    """
    wanted = sorted(set(keys))
    found = _find_entities(session, wanted)
    rows = [{"name": name, "label": label} for name, label in wanted if (name, label) not in found]
    for row in insert_new(session, Entity, rows, Entity.name, Entity.label, Entity.id):
        found[row.name, row.label] = row.id
    return found | _find_entities(session, [key for key in wanted if key not in found])  # another was faster


def store(
    session: Session,
    version_id: int,
    answers: Mapping[int, tuple[str, Sequence[Span]]],
    entities: Mapping[EntityKey, int],
) -> tuple[int, int]:
    """Write marks, spans and words of tagged tweets, given as id -> (text, spans); return how many of both were new.

    Tweets that were deleted meanwhile, or are already marked with this version, are passed over.
    """
    marked = _mark(session, version_id, answers, "done", None)
    rows = [
        (tweet_id, version_id, span.start, span.end, span.label, span.surface(text), span.score, entity_id)
        for tweet_id, (text, found) in answers.items()
        if tweet_id in marked
        for span in found
        for entity_id in [entities[entity_key(text, span)]]
    ]
    copy_rows(session, SpanRow, _COLUMNS, rows)
    fulltext.add(session, {tweet_id: answers[tweet_id][0] for tweet_id in marked})
    counts.add(session, version_id, marked, ((row[0], row[7], row[4]) for row in rows))
    return len(marked), len(rows)


def mark_dead(session: Session, version_id: int, tweet_ids: Collection[int], error: str) -> int:
    """Mark tweets that this version cannot tag, with the error; return how many were there and had no mark yet."""
    return len(_mark(session, version_id, tweet_ids, "dead", error))


def marked(session: Session, version_id: int, tweet_ids: Sequence[int]) -> set[int]:
    """Return which of these tweets already carry the version's mark."""
    of_these = is_one_of(session, Annotation.tweet_id, tweet_ids)
    return set(session.scalars(select(Annotation.tweet_id).where(Annotation.model_version_id == version_id, of_these)))


def prune(session: Session, version_id: int, after: int, limit: int) -> tuple[int, int] | None:
    """Remove up to `limit` of a version's marks above the tweet id `after`, with their spans.

    Return how many were removed and the last tweet's id, None if there were none. Entities stay: other versions, and
    workers that looked them up just now, may point at them.
    """
    mine = select(Annotation.tweet_id).where(Annotation.model_version_id == version_id, Annotation.tweet_id > after)
    ids = session.scalars(mine.order_by(Annotation.tweet_id).limit(limit).with_for_update()).all()
    if not ids:
        return None
    counts.subtract(session, version_id, ids)
    of_these = is_one_of(session, Annotation.tweet_id, ids)  # and no mark that came since: it was not counted out
    session.execute(delete(Annotation).where(Annotation.model_version_id == version_id, of_these))
    return len(ids), ids[-1]


def _mark(session: Session, version_id: int, tweet_ids: Collection[int], status: str, error: str | None) -> set[int]:
    """Mark the tweets that exist and have no mark; return those."""
    mark = {"model_version_id": version_id, "status": status, "annotated_at": clock.read(session), "error": error}
    constants = [literal(value, Annotation.__table__.c[name].type) for name, value in mark.items()]
    rows = select(Tweet.id, *constants).where(is_one_of(session, Tweet.id, tweet_ids)).order_by(Tweet.id)
    if dialect(session) == "postgresql":
        rows = rows.with_for_update(read=True, key_share=True)  # no delete slips in between
    marks = dialect_insert(session, Annotation).from_select(["tweet_id", *mark], rows)
    return set(session.scalars(marks.on_conflict_do_nothing().returning(Annotation.tweet_id)))


def _find_entities(session: Session, keys: Sequence[EntityKey]) -> dict[EntityKey, int]:
    statements = _by_arrays(keys) if dialect(session) == "postgresql" else _by_lists(keys)
    rows = (row for statement in statements for row in read_rows(session, statement))
    return {(name, label): entity_id for name, label, entity_id in rows if entity_id is not None}


def _by_arrays(keys: Sequence[EntityKey]) -> Iterator[Select[*tuple[Any, ...]]]:
    """Look each up by the index; a join the planner would at times rather make by reading the whole table."""
    if keys:
        wanted = given(Entity, [{"name": name, "label": label} for name, label in keys])
        found = select(Entity.id).where(Entity.name == wanted.c.name, Entity.label == wanted.c.label)
        yield select(wanted.c.name, wanted.c.label, found.scalar_subquery().label("id"))


def _by_lists(keys: Sequence[EntityKey]) -> Iterator[Select[*tuple[Any, ...]]]:
    for start in range(0, len(keys), 500):  # a row-value IN list has its limits
        is_wanted = tuple_(Entity.name, Entity.label).in_(keys[start : start + 500])
        yield select(Entity.name, Entity.label, Entity.id).where(is_wanted)
