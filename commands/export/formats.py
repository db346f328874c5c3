"""The formats of `tweetspan export`: each a module whose `write` turns pages of tweets into bytes, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from db.exports import ExportedTweet

FORMATS = ("jsonl", "csv", "parquet", "conll", "spacy", "label-studio")
IDS = "ids"
BINARY = ("parquet",)

Pages = Iterable[Sequence["ExportedTweet"]]
Provenance = Mapping[str, Any]
Notes = Mapping[str, int]  # what the format cannot hold as it is stored, and how often


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> Any:
        """Take the next bytes."""


Write = Callable[[Pages, Sink, Provenance], Notes]


def writer(name: str) -> Write:
    """Return the `write` of a format."""
    write: Write = import_module(f"commands.export.as_{name.replace('-', '_')}").write
    return write
