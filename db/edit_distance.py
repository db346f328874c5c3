"""Whether two names are nearly the same."""

from rapidfuzz.distance import Levenshtein


def is_within(one: str, other: str, edits: int) -> bool:
    """Tell whether so many characters, inserted, removed or replaced, turn one into the other (Levenshtein distance).

    >>> is_within("london", "lodnon", 1), is_within("london", "lodnon", 2)
    (False, True)
    """
    return Levenshtein.distance(one, other, score_cutoff=edits) <= edits


def edits_allowed(name: str) -> int:
    """Return how many edits a misspelt name may be away: none below three characters, two from six on.

    >>> [edits_allowed(name) for name in ("uk", "bbc", "london")]
    [0, 1, 2]
    """
    return 0 if len(name) < 3 else 1 if len(name) < 6 else 2
