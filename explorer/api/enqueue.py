"""`POST /api/tweets`: store tweets and queue them for tagging, as `tweetspan enqueue --json`."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from answers.wording import legible
from db.ledger import BATCH_SIZE
from explorer.parameters import TheService, bearer
from tagging.errors import TweetFileError
from worker.enqueue import enqueue
from worker.handout import hand_out
from worker.tweet_files import BadRow, read_tweets

router = APIRouter(prefix="/api", tags=["writing"], dependencies=[Depends(bearer)])

_LISTED = 1000  # bad rows; the others are only counted
_TWEET = {"id": "153928603371978755", "text": "Rain in London", "created_at": "2024-03-05T14:00:00Z", "author": "ann"}
_TEXT: dict[str, Any] = {"schema": {}}  # whatever it is, a text can be made of it
_BODY = {
    "required": True,
    "description": "Tweets: a JSON array, an object a line, a page of API v2, or CSV with a header.",
    "content": {
        "application/json": {"schema": {"type": ["array", "object"]}, "examples": {"two": {"value": [_TWEET]}}},
        "application/x-ndjson": _TEXT,
        "text/csv": _TEXT,
    },
}

_Format = Annotated[Literal["auto", "v1", "v2", "plain", "csv"], Query(description="auto looks at each tweet.")]
_Name = Annotated[str, Query(max_length=500, description="Of the job.")]
_Size = Annotated[int, Query(ge=1, le=8192, description="Tweets a batch.")]


class Bad(BaseModel):
    """A tweet that cannot be used: the line of the body where it begins, from 1 on, and what is wrong with it."""

    line: int
    reason: str


class Enqueued(BaseModel):
    """What was done. `known` tweets were stored before or came twice, `deleted` ones are kept out, `bad` ones skipped.

    `bad_rows` are the first thousand; in an array, the reason begins with the place, from 0 on. `note` says where the
    batches are now.
    """

    added: int
    known: int
    deleted: int
    bad: int
    batches: int
    job_id: int | None
    bad_rows: list[Bad]
    note: str


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/tweets", response_model=Enqueued, openapi_extra={"requestBody": _BODY})
def enqueue_tweets(
    service: TheService,
    body: Annotated[bytes, Depends(_body)],
    format: _Format = "auto",
    name: _Name = "POST /api/tweets",
    batch_size: _Size = BATCH_SIZE,
) -> Any:
    """Store tweets and queue them for tagging. Those around a bad one are stored; none that is stored comes again."""
    if not body.strip():
        raise TweetFileError("the request is empty; send a JSON array of tweets, or one a line")
    bad: list[BadRow] = []

    def listed(row: BadRow) -> None:
        if len(bad) < _LISTED:
            bad.append(row)

    rows = read_tweets(io.BytesIO(body), "the request", format)
    summary = enqueue(service.database, rows, legible(name) or "", batch_size, listed)
    if summary.bad and not (summary.added or summary.known or summary.deleted):
        raise TweetFileError(f"no tweet of {summary.bad:,} can be used; the first, line {bad[0].line}: {bad[0].reason}")
    note = hand_out(service.settings, service.database) if summary.added else ""
    return {**asdict(summary), "bad_rows": [{"line": one.line, "reason": one.reason} for one in bad], "note": note}
