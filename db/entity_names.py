"""The normalised name of an entity. Standard library only."""

import unicodedata
from functools import lru_cache

LONGEST_NAME = 200  # code points; a longer name is cut, so that it fits a database index

_EMOJI_STYLE = "\ufe0e\ufe0f"  # as text, or as a picture
_ASCII_SIGNS = "".join(sign for sign in map(chr, range(128)) if not sign.isalnum())


@lru_cache(maxsize=2**14)  # the same names come again and again
def normalised_name(surface: str) -> str:
    """Normalise a surface form, so that "@BBC_News", "bbc_news" and "BBC_News," are one name.

    Unicode is normalised (NFKC) and case folded, white space runs become one space, and signs at both ends ("@", "#",
    quotes, punctuation, emoji) fall away. A surface of signs only keeps them. At most LONGEST_NAME code points.

    >>> normalised_name("#SãoPaulo!")
    'sãopaulo'
    >>> normalised_name("@हिंदी!")
    'हिंदी'
    """
    if surface.isascii():  # most are, and the same is quicker found for them
        folded = " ".join(surface.lower().split())
        return (folded.strip(_ASCII_SIGNS) or folded)[:LONGEST_NAME]
    folded = " ".join(unicodedata.normalize("NFKC", surface).casefold().split())
    first = next((index for index, char in enumerate(folded) if char.isalnum()), None)
    if first is None:
        return folded[:LONGEST_NAME]
    end = max(index for index, char in enumerate(folded) if char.isalnum()) + 1
    while end < len(folded) and _is_mark(folded[end]):
        end += 1
    return folded[first:end][:LONGEST_NAME]


def _is_mark(char: str) -> bool:
    """Tell whether a character belongs to the letter before it: an accent, or a vowel sign, in Hindi or Thai."""
    return unicodedata.category(char) in ("Mn", "Mc") and char not in _EMOJI_STYLE
