"""Addresses of pages: the address is the page's state, so that it can be shared."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from answers.asked import Asked
from answers.min_scores import ALL

_DEFAULTS = {"model": "active", "kind": "all"}
_NAMES = {"text_query": "text"}

Parameters = dict[str, Any]


def address(path: str, asked: Asked | None = None, **changes: object) -> str:
    """Return the address of a page under the filters that are asked, with some parameters changed or left out (None).

    >>> address("/tweets", mentions=["LOC:são paulo"], page=None)
    '/tweets?mentions=LOC%3As%C3%A3o+paulo'
    """
    chosen = {**(parameters(asked) if asked else {}), **changes}
    query = urlencode({name: value for name, value in chosen.items() if value not in (None, False, "", [])}, doseq=True)
    return f"{path}?{query}" if query else path


def parameters(asked: Asked) -> Parameters:
    """Return the filters as the parameters of an address, without those that ask nothing."""
    named: Mapping[str, Any] = {_NAMES.get(name, name): value for name, value in asked.items()}
    written = {**named, "min_score": limits(asked)}
    for name in ("originals", "hidden"):
        written[name] = "true" if asked[name] else None
    return {name: value for name, value in written.items() if value and value != _DEFAULTS.get(name)}


def limits(asked: Asked) -> str:
    """Write the lowest scores that count as they are asked for: "0.7,ORG=0.9"."""
    return ",".join(_limit(label, score) for label, score in asked["min_score"].items())


def _limit(label: str, score: float) -> str:
    number = f"{Decimal(repr(score)):f}".removesuffix(".0")  # all its digits, and no exponent
    return number if label == ALL else f"{label}={number}"
