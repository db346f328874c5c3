"""Words for people, and from them. Tweets are hostile text: they are cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.coverage import Coverage

_JOINER = "\u200d"  # inside joined emoji


def clean(text: str) -> str:
    """Replace what could move the cursor, change colours or turn the line around, each character by one space."""
    return "".join(char if char.isprintable() or char == _JOINER else " " for char in text)


def legible(text: str | None) -> str | None:
    """Replace what no database takes: bytes that are no UTF-8, and NUL."""
    return text and text.encode("utf-8", "replace").decode().replace("\0", " ")


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: "1 tweet", "2,000 tweets"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def plain(value: object) -> str:
    """Write a value that programs know, such as a list, as people write it.

    >>> plain({"train": 5_000, "tags": ["O", "B-PER"], "is_fast": True, "share": None})
    'train 5000, tags O, B-PER, is_fast yes, share none'
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def covered(coverage: Coverage) -> str:
    """Say what an answer covers, in a line."""
    tweets = f"{coverage.tweets:,} of {coverage.tweets_total:,} tweets"
    mentions = f"{coverage.mentions:,} of {coverage.mentions_total:,} mentions"
    return f"from {tweets} that version {coverage.model_version_id} has read, and {mentions} in them"
