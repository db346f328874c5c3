"""Compare what is stored with what one undisturbed process stores for the same tweets and versions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import ledger
from db.counts import EVER
from db.periods import DAY, HOUR, UNDATED, number_of
from db.tables import Annotation, Batch, Entity, EntityCount, HourCount, Span, Tombstone, Tweet

_SCORES_AGREE = 1e-4

Key = tuple[int, ...]  # of a row of maintained counts
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


def miscounted(session: Session) -> int:
    """Count the maintained counts that differ from what the spans and marks give."""
    day_tweets: dict[Key, list[int]] = defaultdict(list)
    hours: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    spans = select(Span.model_version_id, Span.entity_id, Span.tweet_id, Tweet.created_at)
    for version, entity, tweet_id, at in session.execute(spans.join(Tweet, Tweet.id == Span.tweet_id)):
        for day in (_number(at, DAY), EVER):
            day_tweets[version, entity, day].append(tweet_id)
        hours[version, _number(at, HOUR)][1] += 1
    marks = select(Annotation.model_version_id, Tweet.created_at).join(Tweet, Tweet.id == Annotation.tweet_id)
    for version, at in session.execute(marks.where(Annotation.status == "done")):
        hours[version, _number(at, HOUR)][0] += 1
    expected = {key: (len(ids), len(set(ids))) for key, ids in day_tweets.items()}
    expected |= {key: (tweets, mentions) for key, (tweets, mentions) in hours.items()}
    by_day = (EntityCount.model_version_id, EntityCount.entity_id, EntityCount.day, EntityCount.mentions)
    by_hour = (HourCount.model_version_id, HourCount.hour, HourCount.tweets, HourCount.mentions)
    counts = (*session.execute(select(*by_day, EntityCount.tweets)), *session.execute(select(*by_hour)))
    stored: dict[Key, tuple[int, int]] = {tuple(row[:-2]): (row[-2], row[-1]) for row in counts}
    return sum(expected.get(key) != stored.get(key) for key in expected.keys() | stored.keys())


def lost_and_doubled(findings: Findings, tweet_ids: set[int]) -> tuple[int, int]:
    """Count the findings among some tweets."""
    return len(findings.lost & tweet_ids), len(findings.doubled & tweet_ids)


def _tweets(keys: Iterable[tuple[int, ...]] | Mapping[tuple[int, ...], object]) -> set[int]:
    return {key[0] for key in keys}


def _number(at: datetime | None, seconds: int) -> int:
    return UNDATED if at is None else number_of(at, seconds)


def _agree(found: float | None, expected: float) -> bool:
    return found is not None and abs(found - expected) <= _SCORES_AGREE
