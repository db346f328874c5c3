"""The options by which a corpus is changed once it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from trainer.corpus_repairs import REPAIRS


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --map-label and --repair; it gets them as `changes`, for `trainer.corpus_repairs.change`."""

    @click.option(
        "--map-label", "label_maps", multiple=True, help="corporation=ORG,creative-work=O: O drops the label's spans."
    )
    @click.option(
        "--repair",
        "repairs",
        type=click.Choice(list(REPAIRS)),
        multiple=True,
        help="See docs/corpora.md; in this order.",
    )
    @wraps(command)
    def with_changes(*args: Any, label_maps: tuple[str, ...], repairs: tuple[str, ...], **options: Any) -> Any:
        changes = [*(f"map-label {one}" for one in label_maps), *(f"repair {one}" for one in repairs)]
        return command(*args, changes=changes, **options)

    return with_changes
