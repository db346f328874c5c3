"""The ids of tweets, one a line: what platforms allow to be shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands.export.formats import Notes, Pages, Provenance, Sink


def write(pages: Pages, output: Sink, provenance: Provenance) -> Notes:
    """Write ids."""
    for page in pages:
        output.write("".join(f"{tweet.id}\n" for tweet in page).encode())
    return {}
