"""What is asked of full text: `rain "in london" lond* -paris`. Pure functions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from db.search_words import encoded, quoted, search_words
from tagging.errors import QueryError

_MOST_WORDS = 64
_TERM = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')
_ADVICE = 'write words, "a phrase", a beginning as in lond*, and -word for what must not be there'


@dataclass(frozen=True)
class Term:
    """Words that stand next to each other in this order; of the last one perhaps the beginning only."""

    words: tuple[str, ...]
    is_prefix: bool = False
    is_excluded: bool = False


def parse_query(text: str) -> tuple[Term, ...]:
    """Read a query: all of its terms must hold.

    Words are cut and normalised as those of tweets are; a word that is cut in several ("it's") means these next to each
    other. Raises QueryError for one without a word to look for, with an open quote, or with more than 64 words.
    """
    text = text.encode("utf-8", "replace").decode().replace("\0", " ")
    if text.count('"') % 2:
        raise QueryError(f"a quote is open in {_shortened(text)}; {_ADVICE}")
    terms = tuple(term for match in _TERM.finditer(text) if (term := _term(match)).words)
    if all(term.is_excluded for term in terms):
        raise QueryError(f"{_shortened(text)} holds no word to look for; {_ADVICE}")
    if sum(len(term.words) for term in terms) > _MOST_WORDS:
        raise QueryError(f"{_shortened(text)} holds more than {_MOST_WORDS} words; leave some out")
    return terms


def as_tsquery(terms: Iterable[Term]) -> str:
    """Write terms as PostgreSQL reads a tsquery.

    >>> as_tsquery(parse_query("it's lond* -rain"))
    "('it' <-> 's') & ('lond':*) & !('rain')"
    """
    return " & ".join(
        f"{'!' if term.is_excluded else ''}({' <-> '.join(map(quoted, term.words))}{':*' if term.is_prefix else ''})"
        for term in terms
    )


def as_match(terms: Iterable[Term]) -> str:
    """Write terms as the right side of FTS5's MATCH.

    >>> as_match(parse_query("it's lond* -rain"))
    '("it s" AND "lond" *) NOT ("rain")'
    """
    sides: dict[bool, list[str]] = {False: [], True: []}
    for term in terms:
        phrase = f'"{" ".join(map(encoded, term.words))}"'
        sides[term.is_excluded].append(f"{phrase} *" if term.is_prefix else phrase)
    wanted, excluded = (f"({joiner.join(sides[side])})" for side, joiner in ((False, " AND "), (True, " OR ")))
    return f"{wanted} NOT {excluded}" if sides[True] else wanted


def _term(match: re.Match[str]) -> Term:
    word, phrase = match["word"] or "", match["phrase"] or ""
    is_prefix = word.endswith("*")
    return Term(tuple(search_words(word.rstrip("*") or phrase)), is_prefix, bool(match["minus"]))


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 100 else f"{text[:100]}…")
