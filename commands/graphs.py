"""Networks of entities as GraphML, which Gephi, networkx and others read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagging.errors import QueryError

if TYPE_CHECKING:
    from pathlib import Path

    from db.questions.network import Network


def write_graph(network: Network, path: Path) -> None:
    """Write a network: a node an entity, an edge for each two that meet, its weight the tweets together.

    Raises QueryError if the file cannot be written.
    """
    import networkx

    from answers.wording import clean  # XML knows no control characters

    graph = networkx.Graph()
    for node in network.nodes:
        graph.add_node(
            str(node.entity_id),
            label=clean(node.shown),  # Gephi shows what is called label
            entity_label=clean(node.label),
            name=clean(node.name),
            mentions=node.mentions,
            tweets=node.tweets,
        )
    for link in network.links:
        graph.add_edge(
            str(link.one_id),
            str(link.other_id),
            weight=link.together,
            together=link.together,
            pmi=link.pmi,
            log_likelihood=link.log_likelihood,
        )
    try:
        networkx.write_graphml(graph, path)
    except OSError as error:
        raise QueryError(f"cannot write {path}: {error.strerror}; name a file in a folder that is there") from error
