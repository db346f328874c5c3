"""The FastAPI application: every view is an address, every address has a JSON twin, and nothing needs JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from explorer import api, health, metrics
from explorer.body_limit import BodyLimit
from explorer.failures import handle_failures
from explorer.forms import PROBLEMS
from explorer.head_requests import HeadRequests
from explorer.headers import SecurityHeaders
from explorer.known_parameters import refuse_others
from explorer.pages import (
    docs,
    edits,
    entities,
    entity,
    entity_edits,
    models,
    queue,
    sign_in,
    suggestions,
    today,
    tweet,
    tweets,
)
from explorer.service import Service

_HERE = Path(__file__).parent
_ASSETS = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
_SHORTCUTS = {"/": "/today", "/api": "/docs"}
_PAGES = (
    today, entities, entity, entity_edits, edits, suggestions, tweets, tweet, models, queue, docs, sign_in,
)  # fmt: skip
_ROUTERS = (*(one.router for one in _PAGES), *api.ROUTERS)


def create_app(service: Service, hosts: Sequence[str]) -> FastAPI:
    """Make the application. It answers requests for these host names alone, so that no other name leads a browser to it
    (DNS rebinding); "*" stands for any."""
    app = FastAPI(
        title="tweetspan",
        version=version("tweetspan"),
        description="Named entities in tweets: the questions of the command line over HTTP, with the same filters.",
        docs_url=None,  # its page loads scripts from another host
        redoc_url=None,
        openapi_url="/api/openapi.json",
        openapi_tags=api.TAGS,
        responses=PROBLEMS,
    )
    app.state.service = service
    handle_failures(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HeadRequests)
    for router in _ROUTERS:
        app.include_router(router, dependencies=[Depends(refuse_others)])
    for router in (health.router, metrics.router):
        app.include_router(router)
    for there, leads_to in _SHORTCUTS.items():
        app.get(there, include_in_schema=False)(_shortcut(leads_to))
    for name, media_type in _ASSETS.items():
        app.get(f"/{name}", include_in_schema=False)(_asset(name, media_type))
    return app


def _shortcut(leads_to: str) -> Callable[[], RedirectResponse]:
    return lambda: RedirectResponse(leads_to)


def _asset(name: str, media_type: str) -> Callable[[], FileResponse]:
    headers = {"Cache-Control": "public, max-age=300"}
    return lambda: FileResponse(_HERE / name, media_type=media_type, headers=headers)
