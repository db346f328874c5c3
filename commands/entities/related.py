"""`tweetspan entities related`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.questions.related import By


@click.command("related", short_help="Find what is mentioned together with an entity.")
@click.argument("entity")
@click.option(
    "--by",
    type=click.Choice(["log-likelihood", "count", "pmi"]),
    default="log-likelihood",
    show_default=True,
    help="log-likelihood: hardly chance; count: tweets together; pmi: seldom apart.",
)
@click.option("--limit", type=LIMIT, default=10, show_default=True)
@click.option("--minimum", type=click.IntRange(1), default=3, show_default=True, help="Tweets together, at least.")
@click.option(
    "--graph",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a network of ENTITY, these and their links as GraphML, for Gephi.",
)
@filter_options
@form_options
def related(
    entity: str,
    by: By,
    limit: int,
    minimum: int,
    graph: Path | None,
    as_json: bool,
    as_csv: bool,
    **asked: Unpack[Asked],
) -> None:
    """Find the entities that are mentioned in the same tweets as ENTITY, the strongest first.

    --label is that of the others. The log-likelihood ratio G² is above 10.8 by chance once in a thousand; PMI says by
    how many bits two meet more often than chance would have it, and is highest for what is rare.

    \b
    Example: tweetspan entities related LOC:london --by pmi --graph london.graphml
    """
    from answers.asked import chosen_filter
    from answers.rows import related_row
    from answers.wording import counted
    from commands.graphs import write_graph
    from commands.opening import opened
    from commands.rendering import print_table
    from db.coverage import cover
    from db.entity_lookup import look_up
    from db.questions.network import network
    from db.questions.related import related

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        one = look_up(session, entity, chosen.model_version_id)
        found, coverage = related(session, one.id, chosen, by, limit, minimum), cover(session, chosen)
        around = network(session, one.id, chosen, by, limit, minimum) if graph else None
    if graph and around:
        write_graph(around, graph)
        nodes, edges = counted(len(around.nodes), "node"), counted(len(around.links), "edge")
        click.echo(f"{nodes} and {edges} are in {graph}", err=True)

    def show() -> None:
        columns = ["entity", "label", "together", "its tweets", "PMI", "G²"]
        rows = [[row.shown, row.label, row.together, row.other, row.pmi, row.log_likelihood] for row in found]
        print_table(columns, rows)

    none = f"nothing is mentioned with {entity!r} in {minimum} tweets or more; see --minimum"
    print_answer([related_row(one) for one in found], coverage, as_json, as_csv, show, none)
