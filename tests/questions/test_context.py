"""The words around an entity, against plain loops over a small world."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.filters import Filter
from db.questions.context import Context, context
from db.session import Database
from tagging.spans import Span
from tagging.words import words as cut
from tests.questions.test_search import newest_first
from tests.questions.world import Found, Key, StoredTweet, World, add_version, entities, entity_id, filters, store

few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)


def answer(database: Database, key: Key, chosen: Filter, words: int = 5, limit: int = 20) -> list[Context]:
    asked = entity_id(database, key)
    with database.read_session() as session:
        return context(session, asked, chosen, words, limit)


def in_words(text: str) -> list[str]:
    return [text[start:end] for start, end in cut(text)]


def expected(one: Found, words: int) -> tuple[int, list[str], str, list[str]]:
    text, start, end = one.tweet.text, one.span.start, one.span.end
    before, after = in_words(text[:start]), in_words(text[end:])
    return one.tweet.id, before[max(0, len(before) - words) :], text[start:end], after[:words]


@few
@given(key=entities(), chosen=filters(), words=st.integers(0, 7), limit=st.integers(1, 40))
def test_context(database: Database, world: World, key: Key, chosen: Filter, words: int, limit: int) -> None:
    mine = sorted((one for one in world.mentions(chosen) if one.key == key), key=newest_first)[:limit]
    found = answer(database, key, chosen, words, limit)
    assert [(one.tweet_id, in_words(one.before), one.surface, in_words(one.after)) for one in found] == [
        expected(one, words) for one in mine
    ]
    for one, meant in zip(found, mine, strict=True):
        piece = one.before + one.surface + one.after
        assert meant.tweet.text[one.start - len(one.before) :].startswith(piece)
        assert (one.created_at, one.author) == (meant.tweet.created_at, meant.tweet.author)
        assert (one.start, one.end) == (meant.span.start, meant.span.end)


@pytest.mark.parametrize(
    ("text", "surface", "words", "before", "after"),
    [
        ("Ann", "Ann", 3, "", ""),
        ("so Ann's dog", "Ann", 1, "so ", "'s"),
        ("off to  #London, now", "London", 1, "#", ","),  # the span cuts a word: what is left of it counts as one
        ("👨‍👩‍👧🇬🇧 Ann 漢字", "Ann", 1, "🇬🇧 ", " 漢"),
        ("see https://t.co/x Ann\n\n@bob_c !!!", "Ann", 2, "see https://t.co/x ", "\n\n@bob_c !!!"),
        ("one two Ann three", "Ann", 0, "", ""),
    ],
)
def test_words_are_those_of_tweets(
    database: Database, text: str, surface: str, words: int, before: str, after: str
) -> None:
    version_id, start = add_version(database), text.index(surface)
    span = Span(start, start + len(surface), "PER", 0.5)
    store(database, World(), version_id, {StoredTweet(1, text, None, None, None, None): (span,)})
    [one] = answer(database, (surface.lower(), "PER"), Filter(model_version_id=version_id), words)
    assert (one.before, one.surface, one.after) == (before, surface, after)
