"""What the database holds, read in a form that the model's content can be compared with; and what must hold at last."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.ledger import CANCELLED, DEAD, DONE, LEASED, SPLIT, WAITING
from db.tables import Annotation, Batch, Span, Tombstone, Tweet
from tests.ledger_machine.answers import answer, is_poison, text
from tests.ledger_machine.model import ENDS_ALONE, Model

Key = tuple[int, int]  # tweet id, model version
Found = tuple[int, int, int, str, str]  # tweet id, model version, start, label, surface


@dataclass
class Stored:
    """Tweets, tombstones, marks, spans and batches, each with as much as matters."""

    tweets: set[int]
    deleted: set[int]
    marks: dict[Key, str]
    spans: Counter[Found]
    batches: dict[int, tuple[Any, ...]]

    @classmethod
    def of(cls, model: Model) -> "Stored":
        """Return what must be stored, and nothing else: of each mark the spans that its version finds."""
        spans = Counter(
            (tweet_id, version_id, span.start, span.label, span.surface(text(tweet_id)))
            for (tweet_id, version_id), status in model.marks.items()
            if status == DONE
            for span in answer(tweet_id, version_id)
        )
        batches = {batch_id: batch.row() for batch_id, batch in model.batches.items()}
        return cls(model.tweets, model.deleted, model.marks, spans, batches)


def read(session: Session) -> Stored:
    """Read all that is stored."""
    spans = select(Span.tweet_id, Span.model_version_id, Span.start_char, Span.label, Span.surface)
    marks = select(Annotation.tweet_id, Annotation.model_version_id, Annotation.status)
    return Stored(
        set(session.scalars(select(Tweet.id))),
        set(session.scalars(select(Tombstone.tweet_id))),
        {(tweet_id, version_id): status for tweet_id, version_id, status in session.execute(marks)},
        Counter(tuple(row) for row in session.execute(spans)),
        {batch.id: _row(batch) for batch in session.scalars(select(Batch))},
    )


def new_batches(session: Session, last: int) -> list[tuple[int, int]]:
    """Return the ids and jobs of the batches written after one, in the order in which they were."""
    rows = session.execute(select(Batch.id, Batch.job_id).where(Batch.id > last).order_by(Batch.id))
    return [(batch_id, job_id) for batch_id, job_id in rows]


def check_drained(stored: Stored, model: Model, finished: Mapping[int, Collection[str]]) -> None:
    """Check a drained ledger: nothing is lost, nothing doubled, and nothing dead that need not be."""
    assert not stored.tweets & stored.deleted
    for batch_id, (job, ids, version, _, status) in stored.batches.items():
        assert status in (DONE, DEAD, SPLIT, CANCELLED)
        times = len(finished.get(batch_id, ()))
        assert times == (status == DONE) or (times, status, ids) == (0, DONE, [])  # all deleted: the claim ended it
        assert status != CANCELLED or job in model.cancelled
        if status in (DONE, DEAD) or (status == SPLIT and job not in model.cancelled):
            assert all((tweet_id, version) in stored.marks for tweet_id in stored.tweets.intersection(ids))
    given_up = {
        (tweet_id, batch.version)
        for batch in model.batches.values()
        if batch.status == DEAD and batch.ends_alone == ENDS_ALONE
        for tweet_id in batch.tweets
    }
    dead = {key for key, status in stored.marks.items() if status == DEAD}
    assert all(is_poison(key[0]) or key in given_up for key in dead)


def _row(batch: Batch) -> tuple[Any, ...]:
    is_part = batch.parent_id is not None
    common = (batch.job_id, batch.tweet_ids, batch.model_version_id, is_part, batch.status)
    if batch.status == WAITING:
        return (*common, batch.attempts, batch.next_attempt_at or 0.0)
    if batch.status == LEASED:
        return (*common, batch.attempts, batch.lease_token, batch.leased_by, batch.lease_expires_at)
    return common
