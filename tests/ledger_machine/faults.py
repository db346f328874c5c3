"""Faults that the machine must find: each takes one promise away from the product's code."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Double, Update, literal, select, update
from sqlalchemy.orm import Session

from db import clock, due_batches, jobs, ledger, spans, tweets
from db.columns import Base
from db.ledger import Claim
from db.tables import Batch, Job, Tombstone, Tweet

Patch = pytest.MonkeyPatch


def a_finish_ignores_the_token(patch: Patch) -> None:
    def owned(claimed: Claim) -> Update:
        return update(Batch).where(Batch.id == claimed.batch_id, Batch.status == ledger.LEASED)

    patch.setattr(ledger, "_owned", owned)


def a_claim_ignores_the_lease(patch: Patch) -> None:
    _before(patch, ledger, "claim", lambda session, batch_id: _set(session, batch_id, lease_expires_at=0.0))


def a_repeated_claim_counts_twice(patch: Patch) -> None:
    claim = ledger.claim

    def fresh(session: Session, batch_id: int, token: str, *more: Any) -> Claim | None:
        claimed = session.scalars(select(Batch.lease_token).where(Batch.id == batch_id)).one() == token
        _set(session, batch_id, attempts=Batch.attempts + claimed)
        return claim(session, batch_id, token, *more)

    patch.setattr(ledger, "claim", fresh)


def a_claim_ignores_that_its_job_is_cancelled(patch: Patch) -> None:
    def revive(session: Session, batch_id: int) -> None:
        mine = select(Batch.job_id).where(Batch.id == batch_id).scalar_subquery()
        session.execute(update(Job).where(Job.id == mine).values(cancelled_at=None))

    _before(patch, ledger, "claim", revive)


def a_claim_forgets_which_version_was_fixed(patch: Patch) -> None:
    _before(patch, ledger, "claim", lambda session, batch_id: _set(session, batch_id, model_version_id=None))


def a_repeated_finish_is_refused(patch: Patch) -> None:
    def finish(session: Session, claimed: Claim) -> bool:
        return ledger._change(session, ledger._ended(claimed, ledger.DONE))

    patch.setattr(ledger, "finish", finish)


def a_deletion_leaves_no_tombstone(patch: Patch) -> None:
    insert_new = tweets.insert_new

    def insert(session: Session, table: type[Base], rows: list[dict[str, Any]], *returning: Any) -> Sequence[Any]:
        return [] if table is Tombstone else insert_new(session, table, rows, *returning)

    patch.setattr(tweets, "insert_new", insert)


def a_deletion_leaves_open_batches_as_they_are(patch: Patch) -> None:
    patch.setattr(ledger, "withdraw", lambda session, ids: None)


def a_store_ignores_the_marks(patch: Patch) -> None:
    mark = spans._mark

    def marked(session: Session, version_id: int, ids: Any, *more: Any) -> set[int]:
        mark(session, version_id, ids, *more)
        return set(session.scalars(select(Tweet.id).where(Tweet.id.in_(ids))))

    patch.setattr(spans, "_mark", marked)


def a_split_forgets_its_last_part(patch: Patch) -> None:
    parts = ledger._parts
    patch.setattr(ledger, "_parts", lambda ids: parts(ids)[:-1])


def a_failure_is_not_counted(patch: Patch) -> None:
    patch.setattr(ledger, "fail", ledger.give_back)


def a_dispatch_forgets_expired_leases(patch: Patch) -> None:
    _without_condition(patch, 0)


def a_dispatch_forgets_lost_messages(patch: Patch) -> None:
    _without_condition(patch, 1)


def a_dispatch_ignores_what_is_due(patch: Patch) -> None:
    patch.setattr(
        due_batches, "take_new", lambda session, room, *more: [*session.scalars(select(Batch.id).limit(room))]
    )


def a_cancelled_job_keeps_its_waiting_batches(patch: Patch) -> None:
    def cancel(session: Session, job_id: int) -> int:
        session.execute(update(Job).where(Job.id == job_id).values(cancelled_at=clock.now()))
        return 0

    patch.setattr(jobs, "cancel", cancel)


def the_time_is_the_workers(patch: Patch) -> None:
    def now() -> ColumnElement[float]:
        return literal(time.time(), Double)

    patch.setattr(clock, "now", now)


FAULTS: list[Callable[[Patch], None]] = [
    one for name, one in list(globals().items()) if name.startswith(("a_", "the_"))
]


def _set(session: Session, batch_id: int, **values: Any) -> None:
    session.execute(update(Batch).where(Batch.id == batch_id, Batch.status.in_(ledger.OPEN)).values(**values))


def _before(patch: Patch, module: Any, name: str, first: Callable[[Session, int], None]) -> None:
    function = getattr(module, name)

    def after_that(session: Session, batch_id: int, *more: Any) -> Any:
        first(session, batch_id)
        return function(session, batch_id, *more)

    patch.setattr(module, name, after_that)


def _without_condition(patch: Patch, index: int) -> None:
    conditions = due_batches._recovered_conditions

    def others(now: float, republish_after: float) -> Iterator[ColumnElement[bool]]:
        for position, condition in enumerate(conditions(now, republish_after)):
            if position != index:
                yield condition

    patch.setattr(due_batches, "_recovered_conditions", others)
