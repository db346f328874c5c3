"""Sign in with the token, and out again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from explorer.addresses import address
from explorer.forms import LONGEST_WAY_BACK, page
from explorer.parameters import COOKIE, SAFE_SITES, FormWriter, TheService, Visitor
from tagging.errors import AccessError

router = APIRouter(include_in_schema=False)
_NOBODY = Visitor(may_write=False, session=None)

_Back = Annotated[str, Query(max_length=LONGEST_WAY_BACK)]
_BackField = Annotated[str, Form(max_length=LONGEST_WAY_BACK)]


@router.get("/sign-in")
def ask(request: Request, back: _Back = "/") -> Response:
    """Ask for the token; `back` is where to go with it."""
    return _page(request, back)


@router.post("/sign-in")
def sign_in(
    request: Request, service: TheService, token: Annotated[str, Form(max_length=1000)], back: _BackField = "/"
) -> Response:
    """Give the browser a session if the token is right, or ask again. Raises AccessError for another site's form."""
    if request.headers.get("sec-fetch-site") not in SAFE_SITES:
        raise AccessError("this form was not made by a page of the explorer; open /sign-in and send it there")
    if not service.access.admits(token.strip()):
        return _page(request, back, is_wrong=True)
    answer = RedirectResponse(_ours(back), 303)
    is_https = request.url.scheme == "https"
    answer.set_cookie(COOKIE, service.access.new_session(), httponly=True, samesite="strict", secure=is_https)
    return answer


def _page(request: Request, back: str, is_wrong: bool = False) -> Response:
    told = {"back": back, "is_wrong": is_wrong, "sign_in": address("/sign-in", back=back)}
    return page(request, "sign_in", _NOBODY, 401 if is_wrong else 200, **told)


def _ours(back: str) -> str:
    """Return a page of ours: no link may lead a browser to another host, nor in circles."""
    is_ours = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
    return back if is_ours and urlsplit(back).path != "/sign-in" else "/"


@router.post("/sign-out")
def sign_out(_: FormWriter) -> Response:
    """Have the browser forget its session."""
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer
