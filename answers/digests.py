"""Digests as programs get them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any


def for_programs(value: Any) -> Any:
    """Turn a digest, or a part of one, into what JSON knows: times and ids of tweets as texts."""
    if is_dataclass(value):
        return {
            one.name: _texts(getattr(value, one.name))
            if one.name.endswith(("tweet_id", "tweet_ids"))
            else for_programs(getattr(value, one.name))
            for one in fields(value)
        }
    if isinstance(value, list | tuple):
        return [for_programs(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _texts(ids: Any) -> Any:
    return [str(one) for one in ids] if isinstance(ids, list | tuple) else str(ids)
