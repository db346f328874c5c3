"""Whether two names are nearly the same. Standard library only."""


def is_within(one: str, other: str, edits: int) -> bool:
    """Tell whether so many characters, inserted, removed or replaced, turn one into the other (Levenshtein distance).

    Meant for few edits: the time is that of the common beginning, times three for each of them.

    >>> is_within("london", "lodnon", 1), is_within("london", "lodnon", 2)
    (False, True)
    """
    if one == other:
        return True
    if edits == 0 or abs(len(one) - len(other)) > edits:
        return False
    start = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:  # one is the beginning of the other
        return True
    rest, others = one[start:], other[start:]
    tries = ((rest[1:], others[1:]), (rest[1:], others), (rest, others[1:]))
    return any(is_within(a, b, edits - 1) for a, b in tries)


def edits_allowed(name: str) -> int:
    """Return how many edits a misspelt name may be away: none below three characters, two from six on.

    >>> [edits_allowed(name) for name in ("uk", "bbc", "london")]
    [0, 1, 2]
    """
    return 0 if len(name) < 3 else 1 if len(name) < 6 else 2
