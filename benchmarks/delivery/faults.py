"""The faults. Each looks for a target that holds a lease, hits it, and returns the leases that were held.

None means that there was no such target just now, and that nothing was done.
"""

from collections.abc import Callable

from benchmarks.delivery.fleet import Member
from benchmarks.delivery.proxy import Link
from benchmarks.delivery.scene import Scene
from benchmarks.delivery.stream import MARKERS
from benchmarks.delivery.watch import Lease, has_moved_on, waiting_tweets, writing_transactions
from db import model_versions, tweets

Fault = Callable[[Scene], list[Lease] | None]

_LOOKS_FOR_A_WRITER = 200  # before a restart of PostgreSQL
_TAKE_OVER = 60.0  # seconds after the end of a lease within which somebody should have taken the batch
_STOPPED_AT_MOST = 0.5  # of the workers


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
    scene.last(member, lambda: member.log is not worker, lambda: None, 120)


def _stop_past_lease(scene: Scene) -> list[Lease] | None:
    """Freeze a worker until another has taken its batch; then it comes back as a zombie."""
    caught = catch(scene)
    if caught is None:
        return None
    member, held = caught

    def is_taken_over() -> bool:
        with scene.database.read_session() as session:
            return has_moved_on(session, held) == set(held)

    scene.last(member, is_taken_over, member.thaw, scene.lease + _TAKE_OVER)
    return held


def _empty_redis(empty: Callable[[Scene], None]) -> Fault:
    """Make a fault that loses what Redis holds, at a moment when it holds something."""

    def hit(scene: Scene) -> None:
        scene.lost_messages += scene.redis.messages()
        empty(scene)

    fault = _on_all(hit)
    return lambda scene: fault(scene) if scene.redis.messages() else None


def _restart_postgresql(scene: Scene) -> None:
    """Restart it while somebody has written and not committed, if that can be caught."""
    with scene.database.read_session() as session:
        for _ in range(_LOOKS_FOR_A_WRITER):
            if writing_transactions(session):
                break
            session.rollback()
    scene.postgresql.restart(scene.rng.choice(("fast", "immediate")))


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
    """Hold a worker's connections, one time in three for longer than a lease and than every client's patience."""
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
    "kill -9 parent and child": _on_worker(lambda scene, member, held: member.kill()),
    "SIGTERM and respawn": _on_worker(_terminate),
    "SIGSTOP past the lease": _lasting(_stop_past_lease),
    "kill -9 Redis": _empty_redis(lambda scene: scene.redis.restart_empty()),
    "FLUSHALL": _empty_redis(lambda scene: scene.redis.flush()),
    "restart PostgreSQL": _on_all(_restart_postgresql),
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
