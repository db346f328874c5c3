"""Tweets: words, entities and facets in one search."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from answers.asked import Asked, chosen_filter
from answers.row_types import FoundTweetRow
from answers.rows import found_tweet_row
from db.coverage import cover
from db.questions.browse import browse, parse_place
from db.questions.facets import facets
from explorer.forms import Answer, csv_file, page
from explorer.parameters import Filters, Limit, TheService, TheVisitor
from explorer.service import Service

router = APIRouter(tags=["pages"])
_ROWS = 20
_LONG = 1000  # characters of a text, after which it is cut in a list

Mentions = Annotated[
    list[str],
    Query(max_length=10, description='London, PER:"jane doe", or LOC:* for any; may come again, all must be there.'),
]
After = Annotated[str | None, Query(max_length=100, description="A tweet's time and id: those that come after it.")]


@router.get("/tweets", include_in_schema=False)
def tweets(
    request: Request,
    service: TheService,
    visitor: TheVisitor,
    asked: Filters,
    mentions: Mentions = [],  # noqa: B006 (FastAPI copies it)
    after: After = None,
    limit: Limit = _ROWS,
) -> Response:
    """Show the tweets that are found, newest first, and by what they may be narrowed down."""
    answer = _answer(service, asked, mentions, after, limit)
    with service.reading() as session:
        narrower = facets(session, None, _wanted(asked, mentions), answer["chosen"])
    kept = [one for one in mentions if one]
    shown: dict[str, Any] = {
        "asked": asked,
        "mentions": kept,
        "limit": limit,
        "after": after,
        "facets": narrower,
        "most": _LONG,
    }
    return page(request, "tweets", visitor, **shown, **answer)


@router.get("/tweets.json", response_model=Answer[FoundTweetRow])
def tweets_json(
    service: TheService,
    _: TheVisitor,
    asked: Filters,
    mentions: Mentions = [],  # noqa: B006
    after: After = None,
    limit: Limit = _ROWS,
) -> Any:
    """Return the tweets that are found, newest first, with their mentions."""
    answer = _answer(service, asked, mentions, after, limit)
    return {"covers": answer["coverage"], "rows": [found_tweet_row(one) for one in answer["found"]]}


@router.get("/tweets.csv", include_in_schema=False)
def tweets_csv(
    service: TheService,
    _: TheVisitor,
    asked: Filters,
    mentions: Mentions = [],  # noqa: B006
    after: After = None,
    limit: Limit = _ROWS,
) -> Response:
    """Return the same for spreadsheets."""
    found = _answer(service, asked, mentions, after, limit)["found"]
    return csv_file([found_tweet_row(one) for one in found], "tweets")


def _answer(service: Service, asked: Asked, mentions: list[str], after: str | None, limit: int) -> dict[str, Any]:
    wanted = _wanted(asked, mentions)
    with service.reading() as session:
        chosen = chosen_filter(session, asked)
        place = parse_place(after) if after else None
        found = browse(session, None, wanted, chosen, limit, place)
        return {"found": found, "coverage": cover(session, chosen), "chosen": chosen}


def _wanted(asked: Asked, mentions: list[str]) -> list[str]:
    """Return what a tweet must mention: what is named, and something of the label that is asked for."""
    label = asked["label"]
    return [one for one in mentions if one] + ([f"{label}:*"] if label else [])
