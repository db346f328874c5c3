"""One tweet: what each version read in it, side by side, and tweets that share its entities."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from answers.row_types import SimilarTweetRow, SpanRow
from answers.rows import similar_tweet_row, span_row
from db import model_versions
from db.filters import Filter
from db.questions.reading import TweetReading, readings_of
from db.questions.similar import similar
from explorer.forms import page
from explorer.parameters import TheService, TheVisitor
from explorer.service import Service

router = APIRouter(tags=["pages"])
_SIMILAR = 8

TweetId = Annotated[
    int, Query(alias="id", ge=1, le=2**63 - 1, description="The tweet's id.", examples=[153928603371978755])
]


class Reading(BaseModel):
    """What a version found; `status` is done, dead, forgotten, or nothing if it has not read the tweet."""

    model_version: int
    status: str | None
    error: str | None
    spans: list[SpanRow]


class OneTweet(BaseModel):
    """A tweet with every version's reading; `similar` by the active version."""

    id: str
    text: str
    created_at: str | None
    author: str | None
    language: str | None
    retweet_of: str | None
    readings: list[Reading]
    similar: list[SimilarTweetRow]


@router.get("/tweet", include_in_schema=False)
def tweet(request: Request, service: TheService, visitor: TheVisitor, tweet_id: TweetId) -> Response:
    """Show one tweet."""
    return page(request, "tweet", visitor, **_answer(service, tweet_id))


@router.get("/tweet.json", response_model=OneTweet)
def tweet_json(service: TheService, _: TheVisitor, tweet_id: TweetId) -> Any:
    """Return one tweet with every version's reading."""
    answer = _answer(service, tweet_id)
    one = answer["tweet"]
    return {
        "id": str(one.id),
        "text": one.text,
        "created_at": one.created_at.isoformat() if one.created_at else None,
        "author": one.author,
        "language": one.language,
        "retweet_of": str(one.retweet_of) if one.retweet_of else None,
        "readings": [_reading(version, reading) for version, reading in answer["readings"].items()],
        "similar": [similar_tweet_row(other) for other in answer["similar"]],
    }


def _reading(version: int, reading: TweetReading) -> dict[str, Any]:
    spans = [span_row(one) for one in reading.mentions]
    return {"model_version": version, "status": reading.status, "error": reading.error, "spans": spans}


def _answer(service: Service, tweet_id: int) -> dict[str, Any]:
    with service.reading() as session:
        one, readings = readings_of(session, tweet_id)
        active = model_versions.active_id(session)
    is_read = active is not None and readings[active].status == "done"
    like = []
    if is_read and active is not None:
        with service.reading() as session:  # it looks at 5,000 tweets at most, and need not wait behind stories
            like = similar(session, tweet_id, Filter(model_version_id=active), _SIMILAR)
    return {"tweet": one, "readings": readings, "active": active, "similar": like}
