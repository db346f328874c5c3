"""How far two names are apart. Standard library only."""


def edit_distance(one: str, other: str) -> int:
    """Return the Levenshtein distance: the fewest characters to insert, remove or replace to turn one into the other.

    >>> edit_distance("london", "lodnon")
    2
    """
    above = list(range(len(other) + 1))
    for row, char in enumerate(one, start=1):
        current = [row]
        for column, against in enumerate(other, start=1):
            replaced = above[column - 1] + (char != against)
            current.append(min(above[column] + 1, current[-1] + 1, replaced))
        above = current
    return above[-1]


def edits_allowed(name: str) -> int:
    """Return how many edits a misspelt name may be away: none below three characters, two from six on.

    >>> [edits_allowed(name) for name in ("uk", "bbc", "london")]
    [0, 1, 2]
    """
    return 0 if len(name) < 3 else 1 if len(name) < 6 else 2
