"""The ledger: who owns a batch, what an end counts for, and what is due."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from db import due_batches, jobs, ledger, model_versions
from db.ledger import Claim
from db.session import Database, open_database
from db.tables import Batch
from tagging.errors import ModelVersionError
from tests.ledger_tools import VERSION, FakeClock
from tests.ledger_tools import claim as claim_row
from tests.ledger_tools import take_due as take_due_rows

LEASE = 30.0
REPUBLISH_AFTER = 60.0


def do(database: Database, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of the ledger in a transaction of its own."""
    with database.write_session() as session:
        return function(session, *arguments)


def activate_new_version(database: Database) -> int:
    with database.write_session() as session:
        version_id = model_versions.register(session, **VERSION).id
        model_versions.activate(session, version_id)
        return version_id


def batch_ids(database: Database) -> list[int]:
    with database.read_session() as session:
        return list(session.scalars(select(Batch.id).order_by(Batch.id)))


def add_batches(database: Database, *batches: Sequence[int]) -> list[int]:
    with database.write_session() as session:
        job_id = jobs.open_job(session, "test")
        for tweet_ids in batches:
            ledger.add_batches(session, job_id, tweet_ids, len(tweet_ids))
    return batch_ids(database)[-len(batches) :]


def claim(database: Database, batch_id: int) -> Claim:
    claimed: Claim | None = do(database, claim_row, batch_id, LEASE)
    assert claimed is not None
    return claimed


def is_claimed_by_others(database: Database, batch_id: int) -> bool:
    return do(database, claim_row, batch_id, LEASE) is None


def row(database: Database, batch_id: int) -> Batch:
    with database.read_session() as session:
        return session.get_one(Batch, batch_id)


def take_due(database: Database, limit: int = 100) -> list[int]:
    due: list[int] = do(database, take_due_rows, limit, REPUBLISH_AFTER)
    return due


def test_of_two_claims_at_once_one_wins(database: Database) -> None:
    activate_new_version(database)
    start = Barrier(2)

    def race(batch_id: int) -> Claim | None:
        start.wait(timeout=10)
        claimed: Claim | None = do(database, claim_row, batch_id, LEASE)
        return claimed

    with ThreadPoolExecutor(2) as threads:
        for batch_id in add_batches(database, *[[1, 2]] * 15):
            claims = list(threads.map(race, [batch_id, batch_id]))
            assert claims.count(None) == 1
            assert row(database, batch_id).attempts == 1


def test_a_claim_tells_all_about_the_batch(database: Database, fake_clock: FakeClock) -> None:
    version_id = activate_new_version(database)
    ids = [2**63 - 1, 1, 7]  # the order stays
    (batch_id,) = add_batches(database, ids)
    claimed = claim(database, batch_id)
    stored = row(database, batch_id)
    assert claimed == Claim(batch_id, claimed.job_id, claimed.token, version_id, ids, attempt=1, is_child=False)
    assert (stored.status, stored.lease_token) == (ledger.LEASED, claimed.token)
    assert stored.lease_expires_at == fake_clock.time + LEASE


def test_a_claim_whose_answer_was_lost_may_be_repeated(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1, 2])
    first = do(database, ledger.claim, batch_id, "token", LEASE)
    assert do(database, ledger.claim, batch_id, "token", LEASE) == first
    assert first.attempt == row(database, batch_id).attempts == 1
    fake_clock.time += LEASE + 1
    assert claim(database, batch_id).attempt == 2
    assert do(database, ledger.claim, batch_id, "token", LEASE) is None, "somebody else has it now"


def test_the_error_of_an_earlier_end_is_not_blamed_for_an_unexplained_one(
    database: Database, fake_clock: FakeClock
) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1, 2])
    do(database, ledger.give_back, claim(database, batch_id), "the network is away")
    assert claim(database, batch_id).error == "the network is away"
    fake_clock.time += LEASE + 1
    assert claim(database, batch_id).error is None


def test_only_the_batch_of_a_dead_process_goes_back(database: Database) -> None:
    activate_new_version(database)
    first, second = add_batches(database, [1], [2])
    for batch_id, worker in ((first, "a:1"), (second, "b:2")):
        assert do(database, ledger.claim, batch_id, "token", LEASE, worker)
    assert not do(database, ledger.fail_orphan, first, "b:2", "killed")
    assert do(database, ledger.fail_orphan, first, "a:1", "killed")
    stored = row(database, first)
    assert (stored.status, stored.attempts, stored.error) == (ledger.WAITING, 1, "killed")
    assert row(database, second).status == ledger.LEASED
    assert not do(database, ledger.fail_orphan, first, "a:1", "killed"), "it is not leased any more"


def test_a_worker_is_told_what_its_processes_hold(database: Database) -> None:
    activate_new_version(database)
    first, second, others, waiting, done = add_batches(database, [1], [2], [3], [4], [5])
    for batch_id, process in ((first, "a:1/7"), (second, "a:1/8"), (others, "a:10/7"), (done, "a:1/7")):
        claimed = do(database, ledger.claim, batch_id, "token", LEASE, process)
    assert do(database, ledger.finish, claimed)
    assert do(database, ledger.held, "a:1") == {first: "a:1/7", second: "a:1/8"}
    assert row(database, waiting).status == ledger.WAITING


def test_a_death_before_the_claim_is_told_and_costs_no_attempt(database: Database) -> None:
    activate_new_version(database)
    waiting, held = add_batches(database, [1], [2])
    claim(database, held)
    for batch_id in (waiting, held):
        do(database, ledger.note_error, batch_id, "killed")
    assert (row(database, waiting).error, row(database, waiting).attempts) == ("killed", 0)
    assert row(database, held).error is None


def test_what_was_seen_in_redis_is_not_published_again(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    first, second = add_batches(database, [1], [2])
    assert do(database, take_due_rows, 64, 15.0) == [first, second]
    fake_clock.time += 16
    assert do(database, take_due_rows, 64, 15.0, {first}) == [second]


def test_tweets_are_withdrawn_from_open_batches_only(database: Database) -> None:
    activate_new_version(database)
    done, leased, waiting, other = add_batches(database, [1, 2], [2, 3], [3, 2, 4], [5])
    do(database, ledger.finish, claim(database, done))
    held = claim(database, leased)
    do(database, ledger.withdraw, [2, 99])
    assert [row(database, batch_id).tweet_ids for batch_id in (done, leased, waiting, other)] == [
        [1, 2], [3], [3, 4], [5],
    ]  # fmt: skip
    assert do(database, ledger.finish, held)


def test_a_batch_that_is_not_there_cannot_be_claimed(database: Database) -> None:
    assert is_claimed_by_others(database, 12345)


def test_a_running_lease_holds_and_an_expired_one_does_not(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1])
    first = claim(database, batch_id)
    fake_clock.time += LEASE
    assert is_claimed_by_others(database, batch_id)
    fake_clock.time += 0.001
    second = claim(database, batch_id)
    assert second.attempt == 2
    assert second.token != first.token


def test_a_renewed_lease_runs_from_now(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1])
    claimed = claim(database, batch_id)
    fake_clock.time += 20
    assert do(database, ledger.renew, claimed, LEASE)
    fake_clock.time += 29
    assert is_claimed_by_others(database, batch_id)
    fake_clock.time += 2
    assert claim(database, batch_id).attempt == 2


@pytest.mark.parametrize("end", [ledger.finish, ledger.bury, ledger.split])
def test_an_ended_batch_is_never_claimed_again(
    database: Database, fake_clock: FakeClock, end: Callable[..., bool]
) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1, 2])
    claimed = claim(database, batch_id)
    reason = [] if end is ledger.finish else ["why"]
    assert do(database, end, claimed, *reason)
    again = do(database, end, claimed, *reason)
    assert again is (end is ledger.finish), "only finish may be repeated, where its answer was lost"
    assert not do(database, end, replace(claimed, token="another"), *reason)
    fake_clock.time += 1000
    assert is_claimed_by_others(database, batch_id)
    assert batch_id not in take_due(database)
    assert row(database, batch_id).finished_at == fake_clock.time - 1000


def test_the_old_token_changes_nothing_after_a_takeover(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1, 2])
    old = claim(database, batch_id)
    fake_clock.time += LEASE + 1
    new = claim(database, batch_id)

    def state() -> tuple[Any, ...]:
        stored = row(database, batch_id)
        return stored.status, stored.lease_token, stored.attempts, stored.lease_expires_at, stored.error

    before = state()
    fake_clock.time += 1
    assert not do(database, ledger.finish, old)
    assert not do(database, ledger.renew, old, LEASE)
    for end in (ledger.fail, ledger.give_back, ledger.bury, ledger.split):
        assert not do(database, end, old, "why"), end.__name__
    assert state() == before
    assert batch_ids(database) == [batch_id], "it was split"
    assert do(database, ledger.finish, new)


def test_the_token_is_the_fence_and_not_the_deadline(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    late, later = add_batches(database, [1], [2])
    claims = claim(database, late), claim(database, later)
    fake_clock.time += 10 * LEASE
    assert do(database, ledger.finish, claims[0])
    assert do(database, ledger.renew, claims[1], LEASE)
    assert is_claimed_by_others(database, later)


def test_the_first_claim_fixes_the_version(database: Database) -> None:
    first = activate_new_version(database)
    old, new = add_batches(database, [1, 2], [3])
    claimed = claim(database, old)
    do(database, ledger.give_back, claimed)
    second = activate_new_version(database)
    assert second != first
    again = claim(database, old)
    assert again.model_version_id == first
    do(database, ledger.split, again, "why")
    children = batch_ids(database)[2:]
    assert [claim(database, child).model_version_id for child in children] == [first, first]
    assert claim(database, new).model_version_id == second


def test_without_an_active_version_the_batch_stays_as_it_was(database: Database) -> None:
    (batch_id,) = add_batches(database, [1])
    with pytest.raises(ModelVersionError, match="tweetspan train"):
        do(database, claim_row, batch_id, LEASE)
    stored = row(database, batch_id)
    assert (stored.status, stored.attempts, stored.lease_token) == (ledger.WAITING, 0, None)
    activate_new_version(database)
    assert claim(database, batch_id).attempt == 1


def test_a_failure_counts_and_a_return_does_not(database: Database) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1, 2])
    do(database, ledger.give_back, claim(database, batch_id), "no connection")
    assert (row(database, batch_id).attempts, row(database, batch_id).error) == (0, "no connection")
    do(database, ledger.fail, claim(database, batch_id), "a bug")
    assert (row(database, batch_id).attempts, row(database, batch_id).error) == (1, "a bug")
    assert claim(database, batch_id).attempt == 2


@pytest.mark.parametrize("end", [ledger.fail, ledger.give_back])
def test_a_delay_is_respected(database: Database, fake_clock: FakeClock, end: Callable[..., bool]) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1])
    assert do(database, end, claim(database, batch_id), "why", 5.0)
    fake_clock.time += 4.9
    assert take_due(database) == []
    assert is_claimed_by_others(database, batch_id)
    fake_clock.time += 0.2
    assert take_due(database) == [batch_id]
    assert claim(database, batch_id)


def test_a_split_keeps_every_tweet_once_and_in_order(database: Database) -> None:
    version_id = activate_new_version(database)
    for size, parts in {2: 2, 16: 16, 17: 9, 256: 16, 1000: 16}.items():
        ids = [3**index % (2**63 - 1) for index in range(size)]
        (batch_id,) = add_batches(database, ids)
        assert do(database, ledger.split, claim(database, batch_id), "why")
        with database.read_session() as session:
            query = select(Batch).where(Batch.parent_id == batch_id).order_by(Batch.id)
            children = session.scalars(query).all()
        assert list(chain.from_iterable(child.tweet_ids for child in children)) == ids
        assert len(children) == parts
        assert {(child.status, child.attempts, child.model_version_id) for child in children} == {
            (ledger.WAITING, 0, version_id)
        }
        assert row(database, batch_id).status == ledger.SPLIT
        assert {child.job_id for child in children} == {row(database, batch_id).job_id}


def attempts_before_suspicion(database: Database, batch_id: int) -> int:
    while not (claimed := claim(database, batch_id)).is_suspect:
        do(database, ledger.fail, claimed, "why")
    return claimed.attempt - 1


def test_how_many_ends_make_a_batch_suspect(database: Database) -> None:
    activate_new_version(database)
    batch, single = add_batches(database, list(range(1, 33)), [99])
    assert attempts_before_suspicion(database, batch) == 2
    assert attempts_before_suspicion(database, single) == 3


def test_a_child_is_suspect_after_one_end_and_a_single_child_after_three(database: Database) -> None:
    activate_new_version(database)
    batch, pair = add_batches(database, list(range(1, 33)), [98, 99])
    do(database, ledger.split, claim(database, batch), "why")
    do(database, ledger.split, claim(database, pair), "why")
    children = batch_ids(database)[2:]
    assert attempts_before_suspicion(database, children[0]) == 1
    assert attempts_before_suspicion(database, children[-1]) == 3


def test_due_are_expired_leases_then_lost_messages_then_new_batches(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    ids = add_batches(database, *[[1]] * 6)
    new, lost, expired = ids[:2], ids[2:4], ids[4:]
    assert take_due(database) == ids
    for batch_id in new:
        do(database, ledger.give_back, claim(database, batch_id))  # as if it had never been published
    for batch_id in expired:
        claim(database, batch_id)
    fake_clock.time += REPUBLISH_AFTER + 1
    assert take_due(database, limit=3) == [*expired, lost[0]]
    assert take_due(database, limit=2) == [lost[1], new[0]]
    assert take_due(database, limit=100) == [new[1]]
    assert take_due(database) == []


def test_what_runs_or_is_on_its_way_is_not_due(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    running, published, done = add_batches(database, [1], [2], [3])
    claim(database, running)
    do(database, ledger.finish, claim(database, done))
    assert take_due(database) == [published]
    fake_clock.time += LEASE  # not over yet, nor is REPUBLISH_AFTER
    assert take_due(database) == []


def test_an_expired_lease_is_published_once_in_a_while(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    (batch_id,) = add_batches(database, [1])
    take_due(database)
    fake_clock.time += 1
    claim(database, batch_id)
    fake_clock.time += LEASE + 1
    assert take_due(database) == [batch_id], "it was published before the lease began: that message is used up"
    assert take_due(database) == []
    fake_clock.time += REPUBLISH_AFTER + 1
    assert take_due(database) == [batch_id]


def test_two_dispatchers_at_once_pick_different_batches(postgresql_url: str) -> None:
    database = open_database(postgresql_url)
    ids = add_batches(database, *[[1]] * 8)
    with database.write_session() as one, database.write_session() as other:
        first = take_due_rows(one, 3, REPUBLISH_AFTER)
        second = take_due_rows(other, 100, REPUBLISH_AFTER)
    assert first + second == ids
    assert take_due(database) == []
    database.close()


def test_forgotten_messages_are_due_at_once(database: Database, fake_clock: FakeClock) -> None:
    activate_new_version(database)
    waiting, running, done = add_batches(database, [1], [2], [3])
    take_due(database)
    claim(database, running)
    do(database, ledger.finish, claim(database, done))
    do(database, due_batches.forget_published, fake_clock.time + 1)
    assert row(database, done).published_at is not None, "history was rewritten"
    assert take_due(database) == [waiting]
    fake_clock.time += LEASE + 1
    assert take_due(database) == [running]


def test_the_ledger_is_empty_once_nothing_waits_or_runs(database: Database) -> None:
    activate_new_version(database)
    assert do(database, ledger.is_empty)
    (batch_id,) = add_batches(database, [1, 2])
    assert not do(database, ledger.is_empty)
    claimed = claim(database, batch_id)
    assert not do(database, ledger.is_empty)
    do(database, ledger.split, claimed, "why")
    first, second = batch_ids(database)[1:]
    do(database, ledger.finish, claim(database, first))
    assert not do(database, ledger.is_empty)
    do(database, ledger.bury, claim(database, second), "why")
    assert do(database, ledger.is_empty)


def test_times_are_those_of_the_database(database: Database) -> None:
    import time

    (batch_id,) = add_batches(database, [1])
    assert abs(row(database, batch_id).created_at - time.time()) < 60
