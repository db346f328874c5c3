"""Top up Redis from the ledger. Every worker does it every few seconds; an enqueue does it at its end.

Redis holds a few batch ids at most, whatever the backlog, and may be wiped at any time.
"""

from collections.abc import Callable

import redis

from db import clock, ledger
from db.session import Database
from worker.embedded_redis import client_url

FULL = 64  # messages in Redis that are enough to keep workers busy between two dispatches
REPUBLISH_AFTER = 60.0  # seconds after which a message that nobody claimed counts as lost
_ALIVE = "tweetspan:alive"  # a key that vanishes with everything else when Redis is wiped or restarted


def connect(broker_url: str) -> redis.Redis:
    """Make a client for the broker; nothing is opened yet."""
    return redis.Redis.from_url(client_url(broker_url), socket_timeout=10, socket_connect_timeout=3)


def dispatch(database: Database, client: redis.Redis, queue: str, publish: Callable[[int], None]) -> int:
    """Publish due batches until Redis holds FULL messages; return how many.

    Batches are marked published before they are, so that a crash in between delays them by REPUBLISH_AFTER and no
    batch is published over and over. Raises redis.RedisError if Redis does not answer.
    """
    if not client.exists(_ALIVE):
        _start_afresh(database, client)
    room = FULL - int(client.llen(queue))
    if room <= 0:
        return 0
    with database.write_session() as session:
        due = ledger.take_due(session, room, REPUBLISH_AFTER)
    for batch_id in due:
        publish(batch_id)
    return len(due)


def _start_afresh(database: Database, client: redis.Redis) -> None:
    """Redis was wiped: what was published before is lost, what another dispatcher publishes from now on is not."""
    with database.read_session() as session:
        wiped_before = clock.read(session)
    if client.set(_ALIVE, 1, nx=True):
        with database.write_session() as session:
            ledger.forget_published(session, wiped_before)
