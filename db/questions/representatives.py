"""Which few of many texts say the most, and nothing twice? Pure functions.

Texts that say the same are folded into one. Those that are told then are chosen one by one, each the one that adds most
to how well all texts are covered: the sum, over the texts, of how much one says times its cosine with the nearest that
is chosen (facility location). That sum is submodular, so that choosing greedily comes to at least 63 % of the best.
Source: Lin and Bilmes 2011, A class of submodular functions for document summarization. Here a text that is much like
one that is chosen already is passed over, too.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from math import sqrt
from typing import Any

import numpy as np

from tagging.words import words

_SAME = 0.8  # cosine from which on two texts say the same
_ALIKE = 0.5  # cosine from which on two texts are not both chosen
_RELATED = 0.2  # cosine below which two texts only share words that mean little
_SHORTEST_PART = 4  # words of a text that was cut off, from which on it is taken for the beginning of a longer one
_PASSED_ON = re.compile(r"\A(?:\s*RT\s+@\w+\s*:?\s*)+", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """A tweet that may be chosen; `tweets` counts it with its retweets."""

    tweet_id: int
    text: str
    tweets: int = 1


@dataclass(frozen=True)
class Representative:
    """A chosen tweet; `tweets` counts all that say the same, `tweet_ids` are their candidates', its own first."""

    tweet_id: int
    text: str
    tweets: int
    tweet_ids: tuple[int, ...]


def representatives(candidates: Sequence[Candidate], number: int, told: Sequence[str] = ()) -> list[Representative]:
    """Choose at most so many tweets that cover most and repeat neither each other nor what was `told` before.

    Of tweets that say the same, the first that is no retweet stands for all. The time grows with the square of the
    number of candidates: a second for 2,000. Returns them in the order of the candidates.
    """
    groups = _equal(candidates)
    if not groups:
        return []
    leaders = [_first(group) for group in groups]
    cosines = _cosines([*told, *(one.text for one in leaders)])
    is_new, groups, rows = _fold(cosines, len(told), groups)
    chosen = _cover(cosines, rows, is_new, list(map(_weight, groups)), len(told), number)
    return [_representative(groups[index]) for index in sorted(chosen)]


def plain_words(text: str) -> list[str]:
    """Return what a text says, in words: without "RT @name:", handles, links, signs and case.

    >>> plain_words("RT @ana: Well, @bob: IT'S over &amp; out! https://t.co/x #Fin")
    ['well', 'it', "'s", 'over', 'out', 'fin']
    """
    text = _PASSED_ON.sub("", unescape(text))
    found = (text[start:end].casefold().lstrip("#＃") for start, end in words(text))
    return [one for one in found if any(map(str.isalnum, one)) and not one.startswith(("@", "＠", "http", "www."))]


@lru_cache(maxsize=2**13)  # each text is looked at three times: is it another's, how much does it say, how near is it?
def _words(text: str) -> tuple[str, ...]:
    return tuple(plain_words(text))


def _equal(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Group the candidates whose words are the same, or the beginning of another's where the text was cut off."""
    groups: dict[tuple[str, ...], list[Candidate]] = {}
    for one in candidates:
        groups.setdefault(_words(one.text) or (one.text,), []).append(one)
    keys = sorted(groups)
    for key in keys:
        part = key[:-1]  # the last word may be cut, too
        is_cut = all(one.text.rstrip().endswith(("…", "...")) for one in groups[key])
        if not is_cut or len(part) < _SHORTEST_PART:
            continue
        longer = (other for other in keys[bisect_left(keys, part) :] if other != key)
        whole = next(longer, ())
        if whole[: len(part)] == part and whole in groups:
            groups[whole] += groups.pop(key)
    order = {one.tweet_id: index for index, one in enumerate(candidates)}
    ordered = [sorted(group, key=lambda one: order[one.tweet_id]) for group in groups.values()]
    return sorted(ordered, key=lambda group: order[_first(group).tweet_id])


def _first(group: Sequence[Candidate]) -> Candidate:
    return min(group, key=lambda one: (bool(_PASSED_ON.match(one.text)), one.text.rstrip().endswith("…")))


def _weight(group: Sequence[Candidate]) -> float:
    """Say how much a group says: the square root of its different words times the tweets that say them."""
    return sqrt(max(1, len(set(_words(_first(group).text)))) * sum(one.tweets for one in group))


def _cosines(texts: Sequence[str]) -> Any:
    """Return the cosine of each text with each other, by TF-IDF."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # a second that others need not wait

    vectors = TfidfVectorizer(analyzer=list, sublinear_tf=True).fit_transform(
        [_words(text) or (text,) for text in texts]
    )
    return (vectors @ vectors.T).toarray()


def _fold(
    cosines: Any, told: int, groups: list[list[Candidate]]
) -> tuple[list[bool], list[list[Candidate]], list[int]]:
    """Fold groups into the first one that says the same; tell for each left whether it says anything that is not told.

    The last list holds the rows of the cosines.
    """
    kept: list[list[Candidate]] = []
    rows: list[int] = []
    for index, group in enumerate(groups):
        row = cosines[told + index]
        same = np.flatnonzero(row[rows] >= _SAME)
        if len(same):
            kept[same[0]] += group
        else:
            kept.append(list(group))
            rows.append(told + index)
    is_new = [not (cosines[row, :told] >= _SAME).any() for row in rows]
    return is_new, kept, rows


def _cover(cosines: Any, rows: list[int], is_new: list[bool], weight: list[float], told: int, number: int) -> list[int]:
    """Choose groups greedily; return their places in the list."""
    near = np.where(cosines >= _RELATED, cosines, 0.0)[rows]
    weights = np.array(weight)
    covered = near[:, :told].max(axis=1, initial=0.0)
    between = near[:, rows]
    may_come = np.array(is_new)
    chosen: list[int] = []
    while len(chosen) < number:
        gains = np.round((np.maximum(between - covered, 0.0) * weights).sum(axis=1), 9)  # ties are ties everywhere
        gains[~may_come] = 0.0
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        chosen.append(best)
        covered = np.maximum(covered, between[best])
        may_come &= between[best] < _ALIKE
    return chosen


def _representative(group: list[Candidate]) -> Representative:
    first = _first(group)
    others = (one.tweet_id for one in group if one is not first)
    return Representative(first.tweet_id, first.text, sum(one.tweets for one in group), (first.tweet_id, *others))
