"""Options of the commands that run for long, and log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from settings import LOG_FORMATS

Command = TypeVar("Command", bound=Callable[..., object])

_LEVELS = ("debug", "info", "warning", "error")


def log_options(default: str) -> Callable[[Command], Command]:
    """Add `--log-level`, and `--log-format`, which is None where nobody says."""

    def add(command: Command) -> Command:
        level = click.option("--log-level", type=click.Choice(_LEVELS), default=default, show_default=True)
        shape = click.option(
            "--log-format",
            type=click.Choice(LOG_FORMATS),
            help="For people, or a JSON object a line.  [default: TWEETSPAN_LOG_FORMAT, or text]",
        )
        return level(shape(command))

    return add
