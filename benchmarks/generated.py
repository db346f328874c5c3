"""A stream that never was: tweets, readings and entities as a database would hold them, for benchmarks of questions.

Entities follow Zipf's law, times a daily rhythm over sixty days, whatever the number of tweets: a bigger stream is a
denser one. The rows go in by COPY, unchecked, and are counted in one go afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, func, insert, literal, select, text
from sqlalchemy.orm import Session

from db import model_versions
from db.bulk import copy_rows, dialect
from db.counts import EVER
from db.periods import DAY, HOUR, number_in_sql
from db.session import Database
from db.tables import Annotation, Entity, EntityCount, HourCount, Span, Tweet

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 60
LABELS = ("PER", "LOC", "ORG")
RHYTHM = np.array([2, 1, 1, 1, 1, 2, 4, 6, 8, 8, 8, 9, 10, 9, 8, 8, 9, 10, 11, 12, 12, 10, 7, 4], dtype=float)

_FIRST_ID, _CHUNK = 1_900_000_000_000_000_000, 200_000
_AUTHORS, _WORDS = 50_000, 5_000
_SPAN_COLUMNS = (
    "tweet_id", "model_version_id", "start_char", "end_char", "label", "surface", "score", "entity_id",
)  # fmt: skip


@dataclass(frozen=True)
class Stream:
    """What was stored: the version, an entity with about twenty mentions, and a common one."""

    version_id: int
    rare: int
    common: int  # with about a thousandth of all mentions


def surface_of(entity_id: int) -> str:
    """The only surface form of an entity: a name of two words, every fifth a handle."""
    number = f"{entity_id:06d}"
    return f"@name{number}" if entity_id % 5 == 0 else f"Name {number}"


def fill(database: Database, spans: int, entities: int, seed: int = 1) -> Stream:
    """Store half as many tweets as spans, all read by one version, in an empty database."""
    random = np.random.default_rng(seed)
    tweets = spans // 2
    with database.write_session() as session:
        labels = ["O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI")]
        nothing = dict.fromkeys(("base_model", "corpus", "corpus_fingerprint", "device", "artifact_uri"), "none")
        others: dict[str, Any] = {"config": {}, "split_sizes": {}, "libraries": {}, "scores": {}, "seconds": 0.0}
        version_id = model_versions.register(session, **nothing, **others, labels=labels, artifact_hash="").id
        model_versions.activate(session, version_id)
    with database.write_session() as session:
        _unchecked(session)
        names = ((number, LABELS[number % 3], f"name {number:06d}") for number in range(1, entities + 1))
        rows = ((i, label, f"name{i:06d}" if i % 5 == 0 else name) for i, label, name in names)
        copy_rows(session, Entity, ("id", "label", "name"), rows)
    chances = 1 / np.arange(1, entities + 1)
    limits = np.cumsum(chances / chances.sum())
    times = np.sort(_times(random, tweets))
    for first in range(0, tweets, _CHUNK):
        _store(database, random, version_id, times[first : first + _CHUNK], first, limits)
    count(database, version_id)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"))
    return Stream(version_id, *_examples(database, spans))


def count(database: Database, version_id: int) -> None:
    """Write the maintained counts of a version anew from its spans."""
    with database.write_session() as session:
        day, hour = (number_in_sql(session, Tweet.created_at, seconds) for seconds in (DAY, HOUR))
        session.execute(delete(EntityCount).where(EntityCount.model_version_id == version_id))
        for period in (day, literal(EVER)):
            counted = (
                select(literal(version_id), Span.entity_id, period, Span.label, func.count(),
                       func.count(Span.tweet_id.distinct()))
                .join(Tweet, Tweet.id == Span.tweet_id)
                .where(Span.model_version_id == version_id)
                .group_by(Span.entity_id, Span.label, period)
            )  # fmt: skip
            columns = ["model_version_id", "entity_id", "day", "label", "mentions", "tweets"]
            session.execute(insert(EntityCount).from_select(columns, counted))
        spans = select(Span.tweet_id, func.count().label("n")).group_by(Span.tweet_id).subquery()
        read = (
            select(literal(version_id), hour, func.count(), func.coalesce(func.sum(spans.c.n), 0))
            .select_from(Tweet)
            .outerjoin(spans, spans.c.tweet_id == Tweet.id)
            .group_by(hour)
        )
        session.execute(insert(HourCount).from_select(["model_version_id", "hour", "tweets", "mentions"], read))


def _store(
    database: Database, random: np.random.Generator, version_id: int, times: np.ndarray, first: int, limits: np.ndarray
) -> None:
    tweets = len(times)
    found = np.searchsorted(limits, random.random(2 * tweets)).astype(int) + 1
    scores = np.round(random.beta(8, 1.5, 2 * tweets), 4)
    ids = [_FIRST_ID + first + number for number in range(tweets)]
    names = [[surface_of(int(found[2 * i + j])) for j in (0, 1)] for i in range(tweets)]
    starts = [(0, len(one) + 6) for one, _ in names]  # "one meets other ..."

    def tweet_rows() -> Iterator[tuple[Any, ...]]:
        authors = np.floor(_AUTHORS * random.random(tweets) ** 3).astype(int)
        words, retweeted = random.integers(0, _WORDS, (tweets, 4)), random.random(tweets) < 0.2
        for i, (one, other) in enumerate(names):
            tail = " ".join(f"word{word}" for word in words[i])
            moment = START + timedelta(seconds=float(times[i]))
            original = ids[i // 2] if retweeted[i] else None
            yield (
                ids[i],
                f"{one} meet {other} {tail}",
                moment,
                f"author{authors[i]}",
                ("en", "pt")[i % 7 == 0],
                original,
            )

    def span_rows() -> Iterator[tuple[Any, ...]]:
        for i in range(tweets):
            for j in (0, 1):
                entity, surface, start = int(found[2 * i + j]), names[i][j], starts[i][j]
                label, score = LABELS[entity % 3], float(scores[2 * i + j])
                yield (ids[i], version_id, start, start + len(surface), label, surface, score, entity)

    with database.write_session() as session:
        _unchecked(session)
        copy_rows(session, Tweet, ("id", "text", "created_at", "author", "language", "retweet_of"), tweet_rows())
        marks = ((one, version_id, "done", 0.0) for one in ids)
        copy_rows(session, Annotation, ("tweet_id", "model_version_id", "status", "annotated_at"), marks)
        copy_rows(session, Span, _SPAN_COLUMNS, span_rows())


def _times(random: np.random.Generator, tweets: int) -> np.ndarray:
    """Seconds since START."""
    hours = random.choice(24, tweets, p=RHYTHM / RHYTHM.sum())
    return random.integers(0, DAYS, tweets) * DAY + hours * HOUR + random.random(tweets) * HOUR


def _unchecked(session: Session) -> None:
    """Leave foreign keys unchecked: they hold."""
    if dialect(session) == "postgresql":
        session.execute(text("SET LOCAL session_replication_role = replica"))


def _examples(database: Database, spans: int) -> tuple[int, int]:
    """Find an entity with about twenty mentions, and one with about a thousandth of all."""
    with database.read_session() as session:
        ever = select(EntityCount.entity_id).where(EntityCount.day == EVER)
        wanted = [func.abs(EntityCount.mentions - number) for number in (20, spans // 1000)]
        rare, common = (session.scalars(ever.order_by(one, EntityCount.entity_id).limit(1)).one() for one in wanted)
    return rare, common
