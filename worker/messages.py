"""What a message on the queue may say: "annotate this batch", and nothing else.

Whoever reaches Redis can write to the queue. So a message is read once, down to its batch id, and written afresh: its
callbacks, chains, times and headers go no further.
"""

import json
from base64 import b64decode, b64encode
from uuid import uuid4

from tagging.errors import MessageError
from worker.tweet_json import shown

QUEUE = "tweetspan"
TASK = "tweetspan.annotate"

_JSON = "application/json"
_LONGEST = 8192  # bytes; ours have about 700
_BIGGEST_ID = 2**63 - 1  # what a database's BIGINT holds


def read_batch_id(message: bytes) -> int:
    """Return the batch id of a Celery message as it lies in Redis.

    Raises MessageError, with a reason of one short line, for anything but JSON of our task with one id in 1..2**63-1.
    """
    if len(message) > _LONGEST:
        raise MessageError(f"it has {len(message)} bytes")
    match _parsed(message):
        case {"headers": {"task": str(task)}} if task != TASK:
            raise MessageError(f"the task {shown(task)} is not ours")
        case {"headers": {"task": str()}, "content-type": str(kind)} if kind != _JSON:
            raise MessageError(f"its content type is {shown(kind)}")
        case {"headers": {"task": str()}, "body": str(body), "properties": {"body_encoding": "base64"}}:
            return _only_argument(body)
    raise MessageError("it is no task message")


def fresh_message(batch_id: int) -> bytes:
    """Write the message that asks for a batch, in Celery's protocol and nothing but what that demands."""
    tag = str(uuid4())
    return json.dumps(
        {
            "headers": {"task": TASK, "id": tag, "lang": "py"},
            "properties": {
                "delivery_tag": tag,
                "delivery_info": {"exchange": "", "routing_key": QUEUE},
                "body_encoding": "base64",
            },
            "content-type": _JSON,
            "content-encoding": "utf-8",
            "body": b64encode(json.dumps([[batch_id], {}, {}]).encode()).decode(),
        }
    ).encode()


def _only_argument(body: str) -> int:
    try:
        arguments = _parsed(b64decode(body, validate=True))
    except ValueError:
        raise MessageError("its body is not base64") from None
    match arguments:
        case [[int(batch_id)], {**named}, _] if not named and 1 <= batch_id <= _BIGGEST_ID and batch_id is not True:
            return batch_id
    raise MessageError("its arguments are not one batch id")


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise MessageError("it is not JSON") from None
