"""Ids of tweets, as a user writes them."""

from collections.abc import Callable, Iterable, Iterator

import click

_SHOWN = 60  # characters of what is no id


def parse_tweet_id(value: str) -> int:
    """Read a tweet's id, or its address, which ends in the id. Raises click.BadParameter for anything else."""
    digits = value.strip().rstrip("/").rpartition("/")[2]
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20 and 0 < int(digits) < 2**63):
        raise click.BadParameter(f"{value.strip()[:_SHOWN]!r} is not a tweet's id, a number such as 153928603371978755")
    return int(digits)


def parse_tweet_ids(context: click.Context, option: click.Parameter, values: Iterable[str]) -> tuple[int, ...]:
    """Read ids: the callback of an argument."""
    return tuple(map(parse_tweet_id, values))


def read_tweet_ids(lines: Iterable[str], on_bad: Callable[[int, str], None]) -> Iterator[int]:
    """Read one id a line; empty lines are passed over. `on_bad` gets the number of a line that holds none, and why."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield parse_tweet_id(line)
            except click.BadParameter as error:
                on_bad(number, error.message)
