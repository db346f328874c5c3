"""kombu's Redis transport behind a gate: each message is read and written afresh before kombu and Celery see it.

kombu itself reconnects over a message that is no JSON, and ends the worker over one without properties.
"""

import logging
from typing import Any

from kombu.transport import redis

from tagging.errors import MessageError
from worker.messages import fresh_message, read_batch_id

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Looks at what BRPOP answers, the one command that fetches messages."""

    def _create_client(self, asynchronous: bool = False) -> Any:
        client = super()._create_client(asynchronous)
        client.set_response_callback("BRPOP", _admitted)
        return client


class Transport(redis.Transport):
    """Takes the place of kombu's own for redis:// and rediss://."""

    Channel = Channel


def _admitted(answer: tuple[bytes, bytes] | None) -> tuple[bytes, bytes] | None:
    """Let a batch id in; for anything else answer as if the queue had been empty."""
    if answer is None:
        return None
    queue, message = answer
    try:
        return queue, fresh_message(read_batch_id(message))
    except MessageError as error:
        log.error("a message on the queue was dropped: %s", error)
        return None
