"""Hand fresh batches to Redis at the end of an enqueue, if Redis is there; the ledger keeps them if it is not."""

import redis

from db.session import Database, reason
from settings import Settings
from tagging.errors import BrokerError
from worker.dispatch import connect, dispatch
from worker.embedded_redis import running_url


def hand_out(settings: Settings, database: Database) -> str:
    """Dispatch due batches and say in a sentence where they are now. Never fails for want of Redis."""
    try:
        broker_url = settings.broker_url or running_url(settings.home)
    except BrokerError as error:
        return f"they wait in the database; {error}"
    if broker_url is None:
        return "they wait for a worker; start one: tweetspan worker"
    try:
        with connect(broker_url) as client:
            published = dispatch(database, client)
    except redis.RedisError as error:
        why = reason(error)
        return f"Redis does not answer; they wait in the database, and a worker hands them out once it does ({why})"
    return f"{published} batches handed to Redis; workers top it up from the database"
