"""Hand fresh batches to Redis at the end of an enqueue, if Redis is there; the ledger keeps them if it is not."""

import redis
from kombu.exceptions import OperationalError

from db.session import Database, reason
from settings import Settings
from tagging.errors import BrokerError
from worker.dispatch import connect, dispatch
from worker.embedded_redis import running_url
from worker.messages import QUEUE


def hand_out(settings: Settings, database: Database) -> str:
    """Dispatch due batches and say in a sentence where they are now. Never fails for want of Redis."""
    try:
        broker_url = settings.broker_url or running_url(settings.home)
    except BrokerError as error:
        return f"they wait in the database; {error}"
    if broker_url is None:
        return "they wait for a worker; start one: tweetspan worker"
    from worker.tasks import annotate  # noqa: PLC0415 (reads the settings and loads Celery)

    try:
        with connect(broker_url) as client:
            published = dispatch(
                database, client, QUEUE, lambda batch_id: annotate.apply_async((batch_id,), retry=False)
            )
    except (redis.RedisError, OperationalError) as error:
        why = reason(error)
        return f"Redis does not answer; they wait in the database, and a worker hands them out once it does ({why})"
    return f"{published} batches handed to Redis; workers top it up from the database"
