"""Spans and marks: how the answers of a tagger are stored.

The mark (a row of `annotations`) is the gate: spans are written only for marks that this transaction inserted, so an
overlap of two batches, or a second reading that came out slightly otherwise, adds nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from db import clock, counts, fulltext
from db.bulk import copy_rows, dialect, insert_new, is_one_of
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
    missing = [key for key in wanted if key not in found]
    insert_new(session, Entity, [{"name": name, "label": label} for name, label in missing], Entity.id)
    return found | _find_entities(session, missing)


def store(
    session: Session,
    version_id: int,
    answers: Mapping[int, tuple[str, Sequence[Span]]],
    entities: Mapping[EntityKey, int],
) -> int:
    """Write marks, spans and words of tagged tweets, given as id -> (text, spans); return how many tweets were new.

    Tweets that were deleted meanwhile, or are already marked with this version, are passed over.
    """
    marked = _mark(session, version_id, answers, "done", None)
    new = (
        (tweet_id, text, span) for tweet_id, (text, found) in answers.items() if tweet_id in marked for span in found
    )
    rows = (
        (tweet_id, version_id, span.start, span.end, span.label, surface, span.score, entities[entity_key(text, span)])
        for tweet_id, text, span in new
        for surface in [span.surface(text)]
    )
    copy_rows(session, SpanRow, _COLUMNS, rows)
    fulltext.add(session, {tweet_id: answers[tweet_id][0] for tweet_id in marked})
    counts.add(session, version_id, marked)
    return len(marked)


def mark_dead(session: Session, version_id: int, tweet_ids: Iterable[int], error: str) -> int:
    """Mark tweets that this version cannot tag, with the error; return how many were there and had no mark yet."""
    return len(_mark(session, version_id, tweet_ids, "dead", error))


def marked(session: Session, version_id: int, tweet_ids: Sequence[int]) -> set[int]:
    """Return which of these tweets already carry the version's mark."""
    mine = select(Annotation.tweet_id).where(
        Annotation.model_version_id == version_id, Annotation.tweet_id.in_(tweet_ids)
    )
    return set(session.scalars(mine))


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


def _mark(session: Session, version_id: int, tweet_ids: Iterable[int], status: str, error: str | None) -> set[int]:
    existing = select(Tweet.id).where(Tweet.id.in_(list(tweet_ids))).order_by(Tweet.id)
    if dialect(session) == "postgresql":
        existing = existing.with_for_update(read=True, key_share=True)  # no delete slips in between
    now = clock.read(session)
    rows: list[dict[str, Any]] = [
        {"tweet_id": id_, "model_version_id": version_id, "status": status, "annotated_at": now, "error": error}
        for id_ in session.scalars(existing)
    ]
    return insert_new(session, Annotation, rows, Annotation.tweet_id)


def _find_entities(session: Session, keys: Sequence[EntityKey]) -> dict[EntityKey, int]:
    found: dict[EntityKey, int] = {}
    for some in _chunks(keys, 500):  # a row-value IN list has its limits
        rows = session.execute(
            select(Entity.name, Entity.label, Entity.id).where(tuple_(Entity.name, Entity.label).in_(some))
        )
        found.update({(row.name, row.label): row.id for row in rows})
    return found


def _chunks(items: Sequence[EntityKey], size: int) -> Iterator[Sequence[EntityKey]]:
    return (items[start : start + size] for start in range(0, len(items), size))
