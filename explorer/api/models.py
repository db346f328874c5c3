"""`/api/models`: the registry, as `tweetspan models list` and `show` answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from answers.model_rows import ModelDetailsRow, ModelRow, model_details_row, model_rows
from explorer.api.questions import READING
from explorer.parameters import TheService

router = APIRouter(prefix="/api/models", tags=["models"], dependencies=READING)

_Version = Annotated[str, Path(max_length=20, description='Its number, or "active".', examples=["active"])]


@router.get("", response_model=list[ModelRow])
def model_versions(service: TheService) -> Any:
    """List the versions with their scores on validation, oldest first."""
    with service.reading() as session:
        return model_rows(session)


@router.get("/{version}", response_model=ModelDetailsRow)
def one_model_version(service: TheService, version: _Version) -> Any:
    """Show all that is recorded of a version: hyperparameters, corpus, scores, evaluations, fast forms, search."""
    with service.reading() as session:
        return model_details_row(session, version)
