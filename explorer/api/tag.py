"""`POST /api/tag`: tag texts at once, as `tweetspan tag --json`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from answers.min_scores import parse_min_scores
from answers.row_types import TaggedTextRow
from answers.tagged import tagged_text_row
from explorer.parameters import TheService, bearer
from explorer.tagging_turns import tag
from tagging.errors import QueryError

router = APIRouter(prefix="/api", tags=["writing"], dependencies=[Depends(bearer)])

_MOST_TEXTS, _MOST_CHARACTERS = 500, 200_000  # some seconds on two cores

_Text = Annotated[str, Field(examples=["Zachary Raicik works for Corvus and lives in San Diego"])]
_Score = Annotated[str, Field(max_length=100, examples=["0.5", "ORG=0.7"])]


class Texts(BaseModel):
    """Texts, which are not stored; together they may have 200,000 characters."""

    texts: Annotated[list[_Text], Field(min_length=1, max_length=_MOST_TEXTS, description="What is to be tagged.")]
    model: Annotated[str, Field(max_length=20, description="A version's number.")] = "active"
    min_score: Annotated[list[_Score], Field(max_length=20, description="Spans with a lower one are left out.")] = []


@router.post("/tag", response_model=list[TaggedTextRow])
def tag_texts(service: TheService, asked: Texts) -> Any:
    """Tag texts at once; one request at a time. The model is loaded at the first one, which takes some seconds."""
    characters = sum(map(len, asked.texts))
    if characters > _MOST_CHARACTERS:
        raise QueryError(
            f"the texts have {characters:,} characters; send {_MOST_CHARACTERS:,} at most, or enqueue them"
        )
    version_id, found = tag(service, asked.texts, asked.model or "active", parse_min_scores(asked.min_score))
    return [tagged_text_row(text, version_id, spans) for text, spans in zip(asked.texts, found, strict=True)]
