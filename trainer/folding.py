"""When two surfaces or texts count as the same. Standard library only."""


def folded(text: str) -> str:
    """Return a text without its letter case and with single spaces.

    >>> folded("New  YORK ")
    'new york'
    """
    return " ".join(text.casefold().split())
