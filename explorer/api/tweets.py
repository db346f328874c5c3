"""`/api/tweets`: tweets by their words and entities, as `tweetspan tweets` and `entities tweet` answer with --json."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from answers.asked import chosen_filter
from answers.row_types import FoundTweetRow, ReadTweetRow, SimilarTweetRow
from answers.rows import found_tweet_row, read_tweet_row, similar_tweet_row
from db import model_versions
from db.questions.find import find
from db.questions.reading import read_tweet
from db.questions.similar import similar
from explorer.api.questions import READING, TweetId, TweetIdInPath, Version, answer
from explorer.forms import Answer
from explorer.parameters import Filters, Limit, TheService

router = APIRouter(prefix="/api/tweets", tags=["tweets"], dependencies=READING)

_Query = Annotated[
    str | None,
    Query(max_length=500, description='Words that must be there: rain "in london" lond* -paris.', examples=["rain"]),
]
_Mentions = Annotated[
    list[str],
    Query(
        max_length=10,
        description='London, PER:"jane doe", or LOC:* for any; may come again, all must be there.',
        examples=[["LOC:*"]],
    ),
]


@router.get("/find", response_model=Answer[FoundTweetRow])
def find_tweets(
    service: TheService,
    asked: Filters,
    query: _Query = None,
    mentions: _Mentions = [],  # noqa: B006 (FastAPI copies it)
    limit: Limit = 20,
) -> Any:
    """Find the tweets that hold words and mention entities, newest first; give either or both."""
    with service.reading() as session:
        chosen = chosen_filter(session, asked)
        return answer(session, chosen, [found_tweet_row(one) for one in find(session, query, mentions, chosen, limit)])


@router.get("/similar", response_model=Answer[SimilarTweetRow])
def similar_tweets(service: TheService, asked: Filters, id: TweetId, limit: Limit = 10) -> Any:
    """Find the tweets that share entities with one, the best first. Rare entities weigh more."""
    with service.heavy() as session:
        chosen = chosen_filter(session, asked)
        return answer(session, chosen, [similar_tweet_row(one) for one in similar(session, id, chosen, limit)])


@router.get("/{tweet_id}", response_model=ReadTweetRow)
def one_tweet(service: TheService, tweet_id: TweetIdInPath, model: Version = "active") -> Any:
    """Show one tweet with the spans that a version found."""
    with service.reading() as session:
        version_id = model_versions.find(session, model).id
        return read_tweet_row(read_tweet(session, tweet_id, version_id), version_id)
