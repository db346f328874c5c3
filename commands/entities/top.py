"""`tweetspan entities top`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked


@click.command("top")
@click.option("--limit", type=LIMIT, default=10, show_default=True)
@filter_options
@form_options
def top(limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]) -> None:
    """Count the entities with most mentions.

    \b
    Example: tweetspan entities top --label LOC --since 7d
    """
    from answers.asked import chosen_filter
    from answers.rows import top_row
    from commands.opening import opened
    from commands.rendering import print_table
    from db.coverage import cover
    from db.questions.top import top

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        found, coverage = top(session, chosen, limit), cover(session, chosen)

    def show() -> None:
        rows = [[rank, one.shown, one.label, one.mentions, one.tweets] for rank, one in enumerate(found, start=1)]
        print_table(["", "entity", "label", "mentions", "tweets"], rows)

    print_answer([top_row(one) for one in found], coverage, as_json, as_csv, show, "no entity matches")
