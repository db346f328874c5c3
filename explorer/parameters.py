"""What a request carries: the filters of a question, named as the commands name them, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from fastapi.security import HTTPBearer

from answers.asked import Asked
from answers.min_scores import parse_min_scores
from explorer.service import Service
from tagging.errors import AccessError

MOST_ROWS = 1000
COOKIE = "tweetspan_session"
SAFE_SITES = (None, "same-origin", "none")  # None: a browser without Sec-Fetch-Site, or no browser


_BEARER = HTTPBearer(auto_error=False, description="The token that the explorer was started with.")


def _text(description: str) -> Any:
    return Query(max_length=500, description=description)


_Scores = Annotated[
    tuple[str, ...],
    Query(max_length=20, description="0.7, or ORG=0.7 for a label, or both: 0.7, ORG=0.9; may come again."),
]
_Since = _text("2024-03-05, 2024-03-05T14:00 (UTC), or 12h, 7d, 2w back from the newest tweet.")


async def asked(
    label: Annotated[str | None, _text("PER, ORG, LOC, or what the corpus has.")] = None,
    since: Annotated[str | None, _Since] = None,
    until: Annotated[str | None, _text("Before then, written likewise.")] = None,
    model: Annotated[str, _text("A version's number.")] = "active",
    min_score: _Scores = (),
    text: Annotated[str | None, _text('Words of the tweet: rain "in london" lond* -paris.')] = None,
    language: Annotated[str | None, _text("Of the tweet: en, pt, ...")] = None,
    author: Annotated[str | None, _text("Of the tweet.")] = None,
    originals: Annotated[bool, Query(description="Leave retweets out.")] = False,
    kind: Annotated[Literal["all", "plain", "handles"], Query(description="Of mentions: @ or not.")] = "all",
    hidden: Annotated[bool, Query(description="Count hidden entities, too.")] = False,
) -> Asked:
    """Read the filters of a question; an empty field of a form asks nothing."""
    return {
        "model": model or "active",
        "label": label or None,
        "since": since or None,
        "until": until or None,
        "min_score": parse_min_scores([one for one in min_score if one]),
        "language": language or None,
        "author": author or None,
        "originals": originals,
        "kind": kind,
        "hidden": hidden,
        "text_query": text or None,
    }


@dataclass(frozen=True)
class Visitor:
    """Who asks: `session` is a browser that signed in, `may_write` holds for it and for a bearer of the token."""

    may_write: bool
    session: str | None


def service(request: Request) -> Service:
    """Return what the server was made with."""
    made: Service = request.app.state.service
    return made


def visitor(request: Request) -> Visitor:
    """Find out who asks. Raises AccessError where reading takes a token and none came."""
    access = service(request).access
    cookie = request.cookies.get(COOKIE)
    session = cookie if access.is_session(cookie) else None
    may_write = session is not None or access.admits(_bearer(request))
    if access.is_closed and not may_write:
        raise AccessError("reading takes the token here; sign in, or send it as `Authorization: Bearer TOKEN`")
    return Visitor(may_write, session)


async def bearer(request: Request, _: Annotated[object, Depends(_BEARER)]) -> None:
    """Let nobody pass who does not bear the token: for the API, where no browser sends what it keeps. Raises
    AccessError."""
    access = service(request).access
    if access.token is None:
        raise AccessError("this explorer only reads; start it with --token or --token-file to let anybody write")
    if not access.admits(_bearer(request)):
        raise AccessError("writing takes the token; send it as `Authorization: Bearer TOKEN`")


async def form_writer(request: Request) -> Visitor:
    """Let a form pass that a page of ours made for a browser that signed in. Raises AccessError."""
    access, found = service(request).access, visitor(request)
    if access.token is None:
        raise AccessError("this explorer only reads; start it with --token or --token-file to let anybody write")
    if found.session is None:
        raise AccessError("sign in first; writing takes the token")
    key = (await request.form()).get("form_key")
    is_ours = isinstance(key, str) and access.is_form_of(found.session, key)
    if request.headers.get("sec-fetch-site") not in SAFE_SITES or not is_ours:
        raise AccessError("this form was not made by a page of this session; open the page again and send it there")
    return found


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def _service(request: Request) -> Service:
    return service(request)


async def may_read(request: Request) -> Visitor:
    """Find out who asks, as a dependency. Raises AccessError as `visitor` does.

    These, and the filters, are coroutines because FastAPI would send a function to a thread of its own: where many
    threads are busy, each such errand takes longer than a small page.
    """
    return visitor(request)


TheService = Annotated[Service, Depends(_service)]
TheVisitor = Annotated[Visitor, Depends(may_read)]
FormWriter = Annotated[Visitor, Depends(form_writer)]
Filters = Annotated[Asked, Depends(asked)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows at most.")]
_NAME = "LOC:london, or london; also an alias or a given name."
EntityName = Annotated[str, Query(max_length=2000, description=_NAME, examples=["LOC:london"])]
EditNumber = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="The edit that was made just now.")]
