"""Which tweets hold these words and mention these entities?"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from db.filters import Filter
from db.questions.browse import FoundTweet, browse
from tagging.errors import QueryError


def find(
    session: Session, query: str | None, mentioned: Sequence[str], chosen: Filter, limit: int = 20
) -> list[FoundTweet]:
    """Return the tweets for which all holds, newest first, those without a time last.

    `query` asks the words (see `db.text_query`). Each of `mentioned` is an entity as in `look_up`, "london" or
    "PER:jane doe", or any of a label, "LOC:*". Only mentions that the filter leaves count, and are returned. Raises
    QueryError for an unknown entity or label, a query that asks nothing, and where nothing at all is asked.
    """
    if query is None and not mentioned:
        raise QueryError("nothing to find is named; give words, or --mentions with an entity such as 'LOC:london'")
    return browse(session, query, mentioned, chosen, limit)
