"""Top up Redis from the ledger. Every worker does it every second or oftener; an enqueue does it at its end.

Redis holds a few batch ids at most, whatever the backlog, and may be wiped at any time.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import redis
from redis.exceptions import LockError

from db import clock, due_batches, events
from db.events import Event
from db.session import Database
from tagging.errors import MessageError
from worker.embedded_redis import client_url
from worker.messages import QUEUE, fresh_message, read_batch_id
from worker.naming import process_name

FULL = 8  # messages in Redis that keep workers busy between two dispatches
REPUBLISH_AFTER = 10.0  # seconds after which a message counts as lost that is not in Redis and that nobody claimed
_LOOKED_AT = 8 * FULL  # messages; there are more only where somebody else writes to the queue
_ALIVE = "tweetspan:alive"  # a key that vanishes with everything else when Redis is wiped or restarted
_LOCK = "tweetspan:dispatching"
_LOCK_EXPIRES = 5.0  # seconds; whoever holds it may die


def connect(broker_url: str) -> redis.Redis:
    """Make a client for the broker; nothing is opened yet."""
    return redis.Redis.from_url(client_url(broker_url), socket_timeout=10, socket_connect_timeout=3)


def dispatch(database: Database, client: redis.Redis) -> int:
    """Publish due batches; return how many. While another dispatches, none.

    New ones are added until Redis holds FULL messages. Recovered ones have waited long enough: they go to the head,
    also where Redis is full. Batches are marked published before they are, so that a crash in between delays them by
    REPUBLISH_AFTER and no batch is published over and over. Raises redis.RedisError if Redis does not answer.
    """
    if not client.exists(_ALIVE):
        _start_afresh(database, client)
    lock = client.lock(_LOCK, timeout=_LOCK_EXPIRES)  # only saves work: two at once would publish too many
    if not lock.acquire(blocking=False):
        return 0
    try:
        return _top_up(database, client)
    finally:
        with suppress(LockError):  # it took longer than the lock lasts, or Redis was wiped
            lock.release()


def _top_up(database: Database, client: redis.Redis) -> int:
    messages = client.lrange(QUEUE, 0, _LOOKED_AT - 1)
    queued = set(_batch_ids(messages))
    with database.write_session() as session:
        recovered = due_batches.take_recovered(session, FULL, REPUBLISH_AFTER, queued)
        new = due_batches.take_new(session, FULL - len(messages) - len(recovered), queued)
        events.count(session, process_name(), {Event.DISPATCHES: len(recovered) + len(new)})
    if recovered:
        client.rpush(QUEUE, *map(fresh_message, reversed(recovered)))  # workers take from the right
    if new:
        client.lpush(QUEUE, *map(fresh_message, new))
    return len(recovered) + len(new)


def _batch_ids(messages: Iterable[bytes | str]) -> Iterator[int]:
    for message in messages:
        with suppress(MessageError):  # the worker that gets it will drop it
            yield read_batch_id(message if isinstance(message, bytes) else message.encode())


def _start_afresh(database: Database, client: redis.Redis) -> None:
    """Redis was wiped: what was published before is lost, what another dispatcher publishes from now on is not."""
    with database.read_session() as session:
        wiped_before = clock.read(session)
    if client.set(_ALIVE, 1, nx=True):
        with database.write_session() as session:
            due_batches.forget_published(session, wiped_before)
