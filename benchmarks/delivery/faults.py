"""The faults. Each looks for a target that holds a lease, hits it, and returns the leases that were held.

None means that there was no such target just now, and that nothing was done. No lease means that the fault does not
count, or is counted elsewhere.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.delivery.fleet import Member
from benchmarks.delivery.proxy import Link
from benchmarks.delivery.report import WHOLE_WORKER
from benchmarks.delivery.scene import Scene
from benchmarks.delivery.stream import MARKERS
from benchmarks.delivery.watch import Lease, has_moved_on, unclaimed, waiting_tweets, writers
from db import model_versions, tweets

Fault = Callable[[Scene], list[Lease] | None]

_LOOKS_FOR_A_WRITER = 200
_TAKE_OVER = 60.0  # seconds after the end of a lease within which somebody should have taken the batch
_STOPPED_AT_MOST = 0.5  # of the workers
_SHUTDOWN = 120.0  # seconds after a SIGTERM within which a worker must have ended


def catch(scene: Scene) -> tuple[Member, list[Lease]] | None:
    """Freeze a worker that holds a lease at this very moment; the caller lets it go on."""
    for member in scene.rng.sample(scene.free, len(scene.free)):
        if not _held(scene, member):
            continue
        member.freeze()
        held = _held(scene, member)  # again, now that it cannot finish
        if held and all(map(scene.is_safe, held)):
            return member, held
        member.thaw()
    return None


def _held(scene: Scene, member: Member) -> list[Lease]:
    return [lease for one, lease in scene.holdings() if one is member]


def _on_worker(hit: Callable[[Scene, Member, list[Lease]], None]) -> Fault:
    """Make a fault that hits one worker while it is frozen and holds a lease, and then lets it go on."""

    def fault(scene: Scene) -> list[Lease] | None:
        caught = catch(scene)
        if caught is None:
            return None
        member, held = caught
        hit(scene, member, held)
        if not member.has_ended:
            member.thaw()
        return held

    return fault


def _on_all(hit: Callable[[Scene], None]) -> Fault:
    """Make a fault that hits all workers at a moment when some hold leases."""

    def fault(scene: Scene) -> list[Lease] | None:
        held = [lease for _, lease in scene.holdings()]
        if not held or not all(map(scene.is_safe, held)):
            return None
        hit(scene)
        return held

    return fault


def _lasting(fault: Fault) -> Fault:
    """Let a fault that keeps a worker from working wait until enough others work."""

    def bounded(scene: Scene) -> list[Lease] | None:
        stopped = len(scene.members) - len(scene.free)
        return fault(scene) if stopped < _STOPPED_AT_MOST * len(scene.members) else None

    return bounded


def _terminate(scene: Scene, member: Member, held: list[Lease]) -> None:
    member.terminate(with_child=scene.rng.random() < 0.5)
    worker = member.log

    def end() -> None:
        if member.log is worker:
            scene.overdue.append(f"the end of {member.name} after a SIGTERM")

    scene.last(member, lambda: member.log is not worker, end, _SHUTDOWN)


def _stop_past_lease(scene: Scene) -> list[Lease] | None:
    """Freeze a worker until another has taken its batch; then it comes back as a zombie."""
    caught = catch(scene)
    if caught is None:
        return None
    member, held = caught

    def is_taken_over() -> bool:
        with scene.database.read_session() as session:
            return has_moved_on(session, held) == set(held)

    def end() -> None:
        if not is_taken_over():
            scene.overdue.append(f"another worker that takes over from {member.name}")
        member.thaw()

    scene.last(member, is_taken_over, end, scene.lease + _TAKE_OVER)
    return held


def _empty_redis(empty: Callable[[Scene], None]) -> Fault:
    """Make a fault that loses the messages of batches that wait, while workers hold others; returns those that wait."""

    def fault(scene: Scene) -> list[Lease] | None:
        held = [lease for _, lease in scene.holdings()]
        messages = scene.redis.batch_ids()
        if not held or not messages:
            return None
        empty(scene)
        with scene.database.read_session() as session:
            lost = unclaimed(session, messages)
        scene.lost_messages += len(lost)
        return lost

    return fault


@contextmanager
def _frozen(scene: Scene) -> Iterator[None]:
    """Let everybody stand still where no other fault is going on."""
    stopped = [*scene.free, *scene.enqueuers]
    for one in stopped:
        one.freeze()
    try:
        yield
    finally:
        for one in stopped:
            one.thaw()


@contextmanager
def _amid_writing(scene: Scene) -> Iterator[list[str]]:
    """Freeze everybody while some have written and not committed, and name those; none if that cannot be caught."""
    with scene.database.read_session() as session:
        for _ in range(_LOOKS_FOR_A_WRITER):
            session.rollback()  # statistics stand still within a transaction
            if writers(session):
                with _frozen(scene):
                    session.rollback()
                    if caught := writers(session):
                        session.rollback()
                        yield caught
                        return
    with _frozen(scene):
        yield []


def _restart_postgresql(scene: Scene) -> list[Lease] | None:
    """Restart it under workers that hold leases, in the middle of somebody's transaction where one is caught."""
    with _amid_writing(scene) as caught:
        held = [lease for _, lease in scene.holdings()]
        if not held or not all(map(scene.is_safe, held)):
            return None
        scene.restarts_amid_writing += bool(caught)
        scene.postgresql.restart(scene.rng.choice(("fast", "immediate")))
    return held


def _kill_enqueuer(scene: Scene) -> list[Lease] | None:
    """Kill an enqueuer that has written and not committed."""
    if not any(one.runs for one in scene.enqueuers):
        return None
    began = time.monotonic()
    with _amid_writing(scene) as caught:
        targets = [one for one in scene.enqueuers if one.name in caught]
        for one in targets:
            one.kill()
            scene.watch.note("kill -9 enqueuer", [], began)
    return [] if targets else None


def _cut(scene: Scene, member: Member, link: Link) -> None:
    """Cut one worker's connections; one time in four, every worker's to that server."""
    everybody = scene.rng.random() < 0.25
    for one in scene.members if everybody else [member]:
        (one.database if link is member.database else one.broker).cut()


def _delay(scene: Scene, member: Member, held: list[Lease]) -> None:
    for link in (member.database, member.broker):
        link.delay(scene.rng.uniform(0.05, 0.4))

    def end() -> None:
        for link in (member.database, member.broker):
            link.delay(0)

    scene.last(member, lambda: False, end, scene.lease * scene.rng.uniform(0.2, 0.4))


def _black_hole(scene: Scene, link: Link, member: Member) -> None:
    """Hold a worker's connections, one time in three for longer than a lease."""
    link.hold()
    is_cut = scene.rng.random() < 0.5
    factor = scene.rng.choice((0.15, 0.3, 1.2))

    def end() -> None:
        if is_cut:
            link.cut()
        link.release()

    scene.last(member, lambda: False, end, factor * scene.lease)


def _activate_another(scene: Scene) -> None:
    with scene.database.write_session() as session:
        active = model_versions.active_id(session)
        model_versions.activate(session, scene.rng.choice([one for one in scene.versions if one != active]))


def _delete_tweets(scene: Scene) -> list[Lease] | None:
    """Delete some tweets of a batch that is being tagged, and some that wait."""
    held = [lease for _, lease in scene.holdings()]
    if not held:
        return None
    lease = scene.rng.choice(held)
    with scene.database.write_session() as session:
        batches = [sorted(lease.tweet_ids), *waiting_tweets(session, 2)]
        ids = {one for batch in batches for one in scene.rng.sample(batch, min(2, len(batch)))} - scene.deleted
        if ids:
            tweets.delete(session, ids)
    scene.deleted |= ids
    return [lease]


def _plant(marker: str) -> Fault:
    """Send a marked tweet; it counts once a worker has met it."""

    def fault(scene: Scene) -> list[Lease] | None:
        scene.to_plant.append(marker)
        return []

    return fault


FAULTS: dict[str, Fault] = {
    "kill -9 child": _on_worker(lambda scene, member, held: member.kill_child()),
    WHOLE_WORKER: _on_worker(lambda scene, member, held: member.kill()),
    "SIGTERM and respawn": _on_worker(_terminate),
    "SIGSTOP past the lease": _lasting(_stop_past_lease),
    "kill -9 Redis": _empty_redis(lambda scene: scene.redis.restart_empty()),
    "FLUSHALL": _empty_redis(lambda scene: scene.redis.flush()),
    "restart PostgreSQL": _restart_postgresql,
    "kill -9 enqueuer": _kill_enqueuer,
    "cut database": _on_worker(lambda scene, member, held: _cut(scene, member, member.database)),
    "cut Redis": _on_worker(lambda scene, member, held: _cut(scene, member, member.broker)),
    "delay": _on_worker(_delay),
    "black-hole database": _lasting(
        _on_worker(lambda scene, member, held: _black_hole(scene, member.database, member))
    ),
    "black-hole Redis": _lasting(_on_worker(lambda scene, member, held: _black_hole(scene, member.broker, member))),
    "activate another version": _on_all(_activate_another),
    "delete tweets": _delete_tweets,
    **{kind: _plant(marker) for kind, marker in MARKERS.items()},
}
