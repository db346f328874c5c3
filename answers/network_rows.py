"""A network of entities, as programs get it."""

from typing_extensions import TypedDict

from answers.row_types import TopRow
from answers.rows import top_row
from db.questions.network import Link, Network


class LinkRow(TypedDict):
    """Two entities that are mentioned in the same tweets, written "LABEL:name"."""

    source: str
    target: str
    tweets_together: int
    pmi: float
    log_likelihood: float


class NetworkRow(TypedDict):
    """Entities and the links between them."""

    nodes: list[TopRow]
    links: list[LinkRow]


def network_row(found: Network) -> NetworkRow:
    """Write a network."""
    keys = {one.entity_id: f"{one.label}:{one.name}" for one in found.nodes}
    return {"nodes": [top_row(one) for one in found.nodes], "links": [_link(keys, one) for one in found.links]}


def _link(keys: dict[int, str], one: Link) -> LinkRow:
    return {
        "source": keys[one.one_id],
        "target": keys[one.other_id],
        "tweets_together": one.together,
        "pmi": round(one.pmi, 4),
        "log_likelihood": round(one.log_likelihood, 4),
    }
