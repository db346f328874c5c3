"""Today: what a period brought. What is cheap is always shown; the stories, if they can be told in time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from answers.asked import Asked, chosen_filter
from answers.digests import for_programs
from answers.period_types import PeriodDigestRow
from answers.row_types import TopRow
from answers.rows import top_row
from db import model_versions
from db.coverage import Coverage, cover
from db.filters import Filter
from db.questions.digest import PeriodDigest, digest_period
from db.questions.newcomers import newcomers
from db.questions.timeline import By, timeline
from db.questions.top import EntityCount, top
from db.questions.trending import windows
from explorer.addresses import address
from explorer.charts import sparkline_svg
from explorer.forms import csv_file, page
from explorer.parameters import Filters, TheService, TheVisitor
from explorer.service import Service
from tagging.errors import BusyError, QueryError, TooSlowError

if TYPE_CHECKING:
    from markupsafe import Markup
    from sqlalchemy.orm import Session

router = APIRouter(tags=["pages"])
_TOP = 15
_SHORT = timedelta(days=4)  # a window whose sparklines go by the hour


@dataclass(frozen=True)
class Day:
    """What a window brought. `digest` is None where it could not be told, and `why` says why."""

    window: Filter
    coverage: Coverage
    leaders: list[EntityCount]
    new: list[EntityCount]
    sparks: dict[int, Markup]
    digest: PeriodDigest | None
    why: str | None


class Today(BaseModel):
    """What a window brought: `digest` is missing where it could not be told, and `why` says why."""

    covers: Coverage
    since: str
    until: str
    top: list[TopRow]
    new: list[TopRow]
    digest: PeriodDigestRow | None
    why: str | None


@router.get("/today", include_in_schema=False)
def today(request: Request, service: TheService, visitor: TheVisitor, asked: Filters) -> Response:
    """Show what the newest day brought, or the window that is asked for."""
    if missing := _missing(service, asked):
        return page(request, "empty", visitor, missing=missing)
    found = _answer(service, asked)
    return page(
        request,
        "today",
        visitor,
        asked=asked,
        found=found,
        steps=_steps(asked, found.window),
        title=_title(found.window),
    )


@router.get("/today.json", response_model=Today)
def today_json(service: TheService, _: TheVisitor, asked: Filters) -> Any:
    """Return what the newest day brought, or the window that is asked for."""
    found = _answer(service, asked)
    assert found.window.since is not None
    assert found.window.until is not None
    return {
        "covers": found.coverage,
        "since": found.window.since.isoformat(),
        "until": found.window.until.isoformat(),
        "top": [top_row(one) for one in found.leaders],
        "new": [top_row(one) for one in found.new],
        "digest": for_programs(found.digest),
        "why": found.why,
    }


@router.get("/today.csv", include_in_schema=False)
def today_csv(service: TheService, _: TheVisitor, asked: Filters) -> Response:
    """Return what is mentioned most, for spreadsheets."""
    return csv_file([top_row(one) for one in _answer(service, asked).leaders], "today")


def _missing(service: Service, asked: Asked) -> str | None:
    """Say what has to be done before there is anything to show."""
    with service.reading() as session:
        if model_versions.active_id(session) is None and asked["model"] == "active":
            return "No model version is active yet. Run `tweetspan train --activate`; `tweetspan demo` shows the way."
        chosen = Filter(model_version_id=model_versions.find(session, asked["model"]).id)
        if not cover(session, chosen).tweets_total:
            return "No tweet has been read yet. Run `tweetspan enqueue FILE`, and then `tweetspan worker`."
    return None


def _answer(service: Service, asked: Asked) -> Day:
    with service.reading() as session:
        window, _ = windows(session, chosen_filter(session, asked))
        leaders, new = top(session, window, _TOP), newcomers(session, window)
        coverage = cover(session, window)
    digest, why = _digest(service, window, coverage) if leaders else (None, None)
    with service.reading() as session:
        names = {one.entity_id: one.shown for one in (*leaders, *new)}
        names |= {one.entity_id: one.shown for one in (digest and digest.trends) or ()}
        sparks = _sparks(session, window, names)
    return Day(window, coverage, leaders, new, sparks, digest, why)


def _digest(service: Service, window: Filter, coverage: Coverage) -> tuple[PeriodDigest | None, str | None]:
    try:
        told = service.told(("digest", window), coverage, lambda session: digest_period(session, window))
    except (TooSlowError, BusyError, QueryError) as error:
        return None, str(error)
    return told, None


def _sparks(session: Session, window: Filter, names: dict[int, str]) -> dict[int, Markup]:
    assert window.since is not None
    assert window.until is not None
    by: By = "hour" if window.until - window.since <= _SHORT else "day"
    drawn = {}
    for entity_id, shown in names.items():
        counts = [one.mentions for one in timeline(session, window, by, entity_id)]
        drawn[entity_id] = sparkline_svg(counts, f"mentions of {shown} per {by}")
    return drawn


def _title(window: Filter) -> str:
    """Name a day as a day, and any other window by where it begins and ends."""
    assert window.since is not None
    assert window.until is not None
    since, until = (f"{moment:%Y-%m-%d %H:%M}" for moment in (window.since, window.until))
    is_day = window.until - window.since == timedelta(days=1) and since.endswith("00:00")
    return f"{window.since:%A}, {since.removesuffix(' 00:00')}" if is_day else f"{since} to {until}"


def _steps(asked: Asked, window: Filter) -> dict[str, str]:
    """Return where the neighbouring windows are, and the week that ends with this one."""
    assert window.since is not None
    assert window.until is not None
    length, week = window.until - window.since, timedelta(days=7)
    steps = {
        "Before": (window.since, -length),
        "After": (window.until, length),
        "The week until then": (window.until, -week),
    }
    found = {}
    for name, (moment, step) in steps.items():
        with suppress(OverflowError):  # there is no day before year 1, nor after 9999
            found[name] = _at(asked, *sorted((moment, moment + step)))
    return found


def _at(asked: Asked, since: datetime, until: datetime) -> str:
    return address("/today", asked, since=_text(since), until=_text(until))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d" if not (moment.hour or moment.minute or moment.second) else "%Y-%m-%dT%H:%M:%S")
