"""A parameter that nobody knows is an error: passed over, `?labl=PER` would be answered with everything."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.models import Dependant

from tagging.errors import QueryError

_EVERYWHERE = {"said"}  # what a page that was led to is to say


async def refuse_others(request: Request) -> None:
    """Raise QueryError for a query parameter that the page or question does not take."""
    known = set(_names(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known | _EVERYWHERE:
            near = get_close_matches(name, known, 1)
            listed = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            what = f"did you mean {near[0]!r}?" if near else listed
            raise QueryError(f"{request.url.path} takes no parameter {name[:100]!r}; {what}")


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (one.alias for one in dependant.query_params)
    for other in dependant.dependencies:
        yield from _names(other)
