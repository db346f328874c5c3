"""Compare what is stored with what one undisturbed process stores for the same tweets and versions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import ledger
from db.tables import Annotation, Batch, Entity, Span, Tombstone, Tweet

_SCORES_AGREE = 1e-4

Mark = tuple[int, int]  # tweet, version
Mention = tuple[int, int, int, int, str, str, str, str]  # tweet, version, start, end, label, surface, entity, its label


@dataclass(frozen=True)
class Stored:
    """What a database holds: tweets and tombstones, the status of each mark, the score of each span."""

    tweets: set[int]
    tombstones: set[int]
    marks: dict[Mark, str]
    spans: dict[Mention, float]


@dataclass(frozen=True)
class Findings:
    """Ids of tweets of which something is missing or wrong, is there twice, or came (or could come) back after its
    deletion."""

    lost: set[int]
    doubled: set[int]
    resurrected: set[int]


def read_stored(session: Session) -> Stored:
    """Read everything that the comparison looks at."""
    columns = (
        Span.tweet_id, Span.model_version_id, Span.start_char, Span.end_char, Span.label, Span.surface,
        Entity.name, Entity.label, Span.score,
    )  # fmt: skip
    marks = session.execute(select(Annotation.tweet_id, Annotation.model_version_id, Annotation.status))
    spans = session.execute(select(*columns).join(Entity, Entity.id == Span.entity_id))
    return Stored(
        set(session.scalars(select(Tweet.id))),
        set(session.scalars(select(Tombstone.tweet_id))),
        {(row[0], row[1]): row[2] for row in marks},
        {tuple(row[:-1]): row[-1] for row in spans},  # type: ignore[misc]
    )


def recorded_versions(session: Session) -> dict[int, int]:
    """Return the version that the ledger recorded for each tweet: that of the batch that ended with it."""
    ended = select(Batch.tweet_ids, Batch.model_version_id).where(Batch.status.in_((ledger.DONE, ledger.DEAD)))
    return {one: row.model_version_id for row in session.execute(ended) for one in row.tweet_ids}


def compare(found: Stored, expected: Stored, deleted: set[int]) -> Findings:
    """Compare a database with the undisturbed one, which holds every tweet that was enqueued and not deleted.

    A mark of another status, or a span of another score, counts as lost: what was expected is not there.
    """
    back = deleted & (found.tweets | _tweets(found.marks) | _tweets(found.spans)) | (deleted - found.tombstones)
    lost = (
        (expected.tweets - found.tweets)
        | _tweets(mark for mark, status in expected.marks.items() if found.marks.get(mark) != status)
        | _tweets(key for key, score in expected.spans.items() if not _agree(found.spans.get(key), score))
    )
    beyond = (
        (found.tweets - expected.tweets)
        | _tweets(found.marks.keys() - expected.marks.keys())
        | _tweets(found.spans.keys() - expected.spans.keys())
    )
    return Findings(lost, beyond - back, back)


def lost_and_doubled(findings: Findings, tweet_ids: set[int]) -> tuple[int, int]:
    """Count the findings among some tweets."""
    return len(findings.lost & tweet_ids), len(findings.doubled & tweet_ids)


def _tweets(keys: Iterable[tuple[int, ...]] | Mapping[tuple[int, ...], object]) -> set[int]:
    return {key[0] for key in keys}


def _agree(found: float | None, expected: float) -> bool:
    return found is not None and abs(found - expected) <= _SCORES_AGREE
