"""The words that full text is searched by, and how each database is given them. Standard library only.

Both databases get the same words, cut and normalised by us, so that both give the same answers.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from db.entity_names import normalised_name
from tagging.words import words

NO_WORD = ""  # stands in the place of a word that is not kept

_LONGEST_TEXT = 25_000  # code points, as many as a tweet can have; what comes after them is not searched
_MOST_WORDS = 16_000  # PostgreSQL knows 16,383 places in a text,
_MOST_TIMES = 255  # and as many places of one word
_COMMON = 40  # code points; longer pieces, links mostly, hardly come again
_SPARE_LETTER = "z"  # begins a byte that is written as a number; alone it is no word


def search_words(text: str) -> list[str]:
    """Cut a text into normalised words, in order: "@BBC", "#bbc" and "Bbc" are one. Punctuation is left out.

    At most _MOST_WORDS; where a word occurs for more than the 255th time, NO_WORD stands.

    >>> search_words("It's raining, @BBC!")
    ['it', 's', 'raining', 'bbc']
    """
    pieces = text[:_LONGEST_TEXT].split()  # no word of ours goes beyond white space
    found = [word for piece in pieces for word in _of_piece(piece)][:_MOST_WORDS]
    return found if len(found) <= _MOST_TIMES else _without_more_times(found)


def as_tsvector(text: str) -> str:
    """Write the words of a text as PostgreSQL reads a tsvector: each with its place, as often as it occurs.

    >>> as_tsvector("rain on rain")
    "'rain':1 'on':2 'rain':3"
    """
    return " ".join([f"{quoted(word)}:{place}" for place, word in enumerate(search_words(text), start=1) if word])


def as_tokens(text: str) -> str:
    """Write the words of a text as SQLite's FTS5 reads them, with our `encoded` words between spaces."""
    return " ".join(encoded(word) or _SPARE_LETTER for word in search_words(text))


def quoted(word: str) -> str:
    """Quote a word for a tsvector or a tsquery."""
    return f"'{word}'" if word.isalnum() else "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


@lru_cache(maxsize=2**14)
def encoded(word: str) -> str:
    """Write a word in ASCII letters and digits, which no tokenizer splits or folds. A beginning stays a beginning.

    >>> encoded("zoé1")
    'z7aozc3za91'
    """
    return "".join(map(_CODES.__getitem__, word.encode("utf-8")))


def _code(byte: int) -> str:
    sign = chr(byte)
    is_itself = sign.isascii() and (sign.islower() or sign.isdecimal()) and sign != _SPARE_LETTER
    return sign if is_itself else f"{_SPARE_LETTER}{byte:02x}"


_CODES = [_code(byte) for byte in range(256)]


def _of_piece(piece: str) -> Sequence[str]:
    return _of_common_piece(piece) if len(piece) <= _COMMON else _cut(piece)


@lru_cache(maxsize=2**15)  # most pieces of tweets are among a few thousand, and cutting them takes long
def _of_common_piece(piece: str) -> tuple[str, ...]:
    return tuple(_cut(piece))


def _cut(piece: str) -> list[str]:
    return [word for start, end in words(piece) if (word := _normalised(piece[start:end]))]


def _normalised(surface: str) -> str:
    word = normalised_name(surface.replace("’", "'"))
    return NO_WORD if _is_punctuation(word) else word


def _is_punctuation(word: str) -> bool:
    """Tell whether a word is a run of one sign of punctuation; an emoticon has two, and emoji are symbols."""
    return len(set(word)) == 1 and unicodedata.category(word[0]).startswith("P")


def _without_more_times(found: list[str]) -> list[str]:
    times: dict[str, int] = {}
    kept = []
    for word in found:
        times[word] = times.get(word, 0) + 1
        kept.append(word if times[word] <= _MOST_TIMES else NO_WORD)
    return kept
