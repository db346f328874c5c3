"""Models: the versions, one of them, and two compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel

from answers.asked import chosen_filter
from answers.model_rows import ModelDetailsRow, ModelRow, model_details_row, model_rows
from answers.row_types import ContrastRow
from answers.rows import contrast_row
from db import evaluations, model_versions
from db.coverage import Coverage, cover
from db.filters import Filter
from db.questions.compare import compare
from db.tables import Evaluation
from explorer.forms import csv_file, page
from explorer.parameters import Filters, TheService, TheVisitor
from explorer.service import Service
from tagging.errors import UnknownError

router = APIRouter(tags=["pages"])
_CONTRASTS = 20
_REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"

Version = Annotated[int, Query(ge=1, le=2**31 - 1, description="Its number.", examples=[1])]


class Models(BaseModel):
    """Every version, oldest first, and every activation, newest first."""

    versions: list[ModelRow]
    history: list[dict[str, Any]]


class Model(BaseModel):
    """All that is recorded of a version, and what it has read."""

    details: ModelDetailsRow
    covers: Coverage


class Comparison(BaseModel):
    """Two versions on the same texts, where both were evaluated on some, and what they found in the stored tweets."""

    one: list[dict[str, Any]]
    other: list[dict[str, Any]]
    covers: Coverage
    other_covers: Coverage
    rows: list[ContrastRow]


@router.get("/models", include_in_schema=False)
def models(request: Request, service: TheService, visitor: TheVisitor) -> Response:
    """Show the versions."""
    return page(request, "models", visitor, **_versions(service))


@router.get("/models.json", response_model=Models)
def models_json(service: TheService, _: TheVisitor) -> Any:
    """Return the versions."""
    answer = _versions(service)
    return {"versions": answer["rows"], "history": answer["history"]}


@router.get("/models.csv", include_in_schema=False)
def models_csv(service: TheService, _: TheVisitor) -> Response:
    """Return the versions for spreadsheets."""
    return csv_file(_versions(service)["rows"], "models")


@router.get("/model", include_in_schema=False)
def model(request: Request, service: TheService, visitor: TheVisitor, version: Version) -> Response:
    """Show one version."""
    details, coverage, evaluated = _version(service, version)
    has_report = _report(service, version).is_file()
    shown: dict[str, Any] = {"model": details, "coverage": coverage, "evaluated": evaluated, "has_report": has_report}
    return page(request, "model", visitor, **shown)


@router.get("/model.json", response_model=Model)
def model_json(service: TheService, _: TheVisitor, version: Version) -> Any:
    """Return one version."""
    details, coverage, _evaluated = _version(service, version)
    return {"details": details, "covers": coverage}


@router.get("/model/report", include_in_schema=False)
def report(service: TheService, _: TheVisitor, version: Version) -> Response:
    """Show the report of a version that was trained on this machine: a page of its own, under a policy of its own."""
    path = _report(service, version)
    if not path.is_file():
        raise UnknownError(f"there is no report of version {version} on this machine; see `tweetspan evaluate --html`")
    return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": _REPORT_POLICY})


@router.get("/models/compare", include_in_schema=False)
def compared(
    request: Request, service: TheService, visitor: TheVisitor, asked: Filters, one: Version, other: Version
) -> Response:
    """Show two versions side by side."""
    answer = _comparison(service, asked, one, other)
    return page(request, "models_compared", visitor, asked=asked, one=one, other=other, **answer)


@router.get("/models/compare.json", response_model=Comparison)
def compared_json(service: TheService, _: TheVisitor, asked: Filters, one: Version, other: Version) -> Any:
    """Return two versions side by side."""
    answer = _comparison(service, asked, one, other)
    pair = answer["pair"] or ((), ())
    return {
        "one": [evaluations.summary(pair[0])] if pair[0] else [],
        "other": [evaluations.summary(pair[1])] if pair[1] else [],
        "covers": answer["coverage"],
        "other_covers": answer["other_coverage"],
        "rows": [contrast_row(row) for row in answer["contrasts"]],
    }


def _versions(service: Service) -> dict[str, Any]:
    with service.reading() as session:
        rows = model_rows(session)
        latest = {row["version"]: _f1(evaluations.evaluations_of(session, row["version"])) for row in rows}
        return {"rows": rows, "history": model_versions.history(session), "f1": latest}


def _f1(found: Any) -> Any:
    """Return the F1 on validation, with its interval, of the newest evaluation that has one."""
    kept = [one for one in found if one.split == "validation"]
    return evaluations.summary(kept[0]) if kept else None


def _version(service: Service, version: int) -> tuple[ModelDetailsRow, Coverage, list[Evaluation]]:
    with service.reading() as session:
        details = model_details_row(session, str(version))
        evaluated = list(evaluations.evaluations_of(session, version))
        return details, cover(session, Filter(model_version_id=version)), evaluated


def _report(service: Service, version: int) -> Any:
    return service.settings.reports_folder / f"version-{version}.html"


def _comparison(service: Service, asked: Filters, one: int, other: int) -> dict[str, Any]:
    with service.heavy() as session:
        first, second = (model_versions.find(session, str(version)).id for version in (one, other))
        chosen = replace(chosen_filter(session, {**asked, "model": str(first)}), model_version_id=first)
        there = replace(chosen, model_version_id=second)
        coverage, other_coverage = cover(session, chosen), cover(session, there)
        is_read = coverage.tweets and other_coverage.tweets
        return {
            "pair": evaluations.on_common_texts(session, first, second),
            "coverage": coverage,
            "other_coverage": other_coverage,
            "contrasts": compare(session, chosen, there, _CONTRASTS) if is_read and first != second else [],
        }
