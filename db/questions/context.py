"""In which words is an entity mentioned? A concordance: keyword in context."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from db.entity_lookup import members
from db.filters import Filter, mentions
from db.questions.search import newest_mentions
from tagging.words import words as cut_into_words


@dataclass(frozen=True)
class Context:
    """A mention with the text around it: `before + surface + after` is a piece of the tweet, surface at start:end."""

    tweet_id: int
    created_at: datetime | None
    author: str | None
    before: str
    surface: str
    after: str
    start: int
    end: int


def context(session: Session, entity_id: int, chosen: Filter, words: int = 5, limit: int = 20) -> list[Context]:
    """Return mentions of an entity with up to so many words on either side, newest tweets first.

    Words are the tagger's (see `tagging.words`): a handle, a hashtag, a URL or an emoji is one.
    """
    found = newest_mentions(session, mentions(session, chosen, members(session, entity_id)), limit)
    return [
        Context(
            one.tweet_id, one.created_at, one.author, *_around(one.text, one.start, one.end, words), one.start, one.end
        )
        for one in found
    ]


def _around(text: str, start: int, end: int, words: int) -> tuple[str, str, str]:
    cut = cut_into_words(text)
    before = [word_start for word_start, _ in cut if word_start < start][-words:] if words else []
    after = [word_end for _, word_end in cut if word_end > end][:words]
    return text[min([start, *before]) : start], text[start:end], text[end : max([end, *after])]
