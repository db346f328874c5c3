"""A network of entities as a chart: the one that is asked about in the middle, around it those that meet it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import pi
from unicodedata import east_asian_width

import networkx
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch, Rectangle
from matplotlib.path import Path

from answers.plots import drawing
from answers.wording import clean, counted
from db.questions.network import Network
from db.questions.top import EntityCount
from explorer.inline_svg import inline_svg

_WIDTH, _HEIGHT = 380, 210  # pixels, as on a telephone; a page scales it
_RADIUS = 80  # of the ring
_NODE = 4  # the radius of a node
_LONGEST = 16  # letters of a name; one that is as wide as two counts for two
_WIDE = "MW@%"
_WIDEST = 7.0  # of a line
_FEW = 5  # tweets together: so few do not make the widest line
_CLASSES = {"PER": "per", "ORG": "org", "LOC": "loc"}

_Place = tuple[float, float]


@dataclass(frozen=True)
class _Node:
    """An entity: its name, cut, the class of its label, where it leads and what is said of it."""

    name: str
    css: str
    link: str
    said: str


_Edge = tuple[int, int, int]  # two nodes by their numbers, and the tweets that mention both


def network_svg(
    network: Network, centre_id: int, title: str, address_of_entity: Callable[[EntityCount], str]
) -> Markup:
    """Draw a network around an entity; a line is the wider the more tweets mention both, a name leads to its page."""
    ordered = sorted(network.nodes, key=lambda one: (one.entity_id != centre_id, one.entity_id))
    numbers = {one.entity_id: number for number, one in enumerate(ordered)}
    edges = tuple((numbers[one.one_id], numbers[one.other_id], one.together) for one in network.links)
    return _network(tuple(_node(one, address_of_entity(one)) for one in ordered), edges, clean(title))


def _node(one: EntityCount, link: str) -> _Node:
    name = clean(one.shown)
    css = _CLASSES.get(one.label, "other")
    return _Node(_cut(name), css, link, f"{name} ({one.label}), {counted(one.tweets, 'tweet')}")


def _cut(name: str) -> str:
    widths = accumulate(2 if char in _WIDE or east_asian_width(char) in "WF" else 1 for char in name)
    fits = sum(width <= _LONGEST for width in widths)
    return name if fits == len(name) else f"{name[: fits - 1].rstrip()}…"


@lru_cache(maxsize=256)
def _network(nodes: tuple[_Node, ...], edges: tuple[_Edge, ...], title: str) -> Markup:
    with drawing():
        figure = Figure(figsize=(_WIDTH / 72, _HEIGHT / 72), dpi=72)
        figure.patch.set_visible(False)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(-_WIDTH / 2, _WIDTH / 2), ylim=(-_HEIGHT / 2, _HEIGHT / 2))
        axes.set_axis_off()
        places = _places(len(nodes), edges)
        _draw_edges(axes, edges, places)
        for node, place in zip(nodes, places, strict=True):
            _draw_node(axes, node, *place)
        return inline_svg(figure, title, _told(nodes, edges), {node.link: node.said for node in nodes}, "network")


def _places(number: int, edges: Sequence[_Edge]) -> list[_Place]:
    """Put the first node into the middle, and the others on a ring, on which those that meet often are neighbours."""
    graph = networkx.Graph()
    graph.add_nodes_from(range(number))
    graph.add_weighted_edges_from(edges)
    others = graph.subgraph(range(1, number))
    ring = list(networkx.dfs_preorder_nodes(networkx.maximum_spanning_tree(others)))
    # Half a step away from the top, so that the names to the left and to the right do not meet there.
    turn = (pi / 2 + pi / max(len(ring), 1)) / 2
    found = networkx.shell_layout(graph, [[0], ring], rotate=turn, scale=2 * _RADIUS)
    return [(float(found[one][0]), float(found[one][1])) for one in range(number)]


def _draw_edges(axes: Axes, edges: Sequence[_Edge], places: Sequence[_Place]) -> None:
    most = max([*(together for *_, together in edges), _FEW])
    for one, other, together in edges:
        width = max(_WIDEST * together / most, 0.5)
        line = Path([places[one], places[other]])
        axes.add_artist(PathPatch(line, fill=False, linewidth=width, clip_on=False, gid="chart-link"))


def _draw_node(axes: Axes, node: _Node, x: float, y: float) -> None:
    """Draw a node with its name outside the ring, or above it in the middle, over what makes both a link."""
    beside = abs(x) > _NODE
    away = _NODE + 3
    outwards = 1 if x > 0 else -1
    if beside:
        box = Rectangle((x if x > 0 else -_WIDTH / 2, y - 9), _WIDTH / 2 - abs(x), 18)
        text, where = (x + outwards * away, y), "left" if x > 0 else "right"
    else:
        up = 1 if y > -_NODE else -1
        box = Rectangle((-_WIDTH / 8, y - 9 + 9 * up), _WIDTH / 4, 18)
        text, where = (x, y + up * (away + 4)), "center"
    box.set(url=node.link, linewidth=0, clip_on=False, gid="chart-target")
    axes.add_patch(box)
    axes.add_patch(Circle((x, y), _NODE, linewidth=0, clip_on=False, gid=f"chart-node {node.css}"))
    axes.text(*text, node.name, ha=where, va="center_baseline", gid=f"chart-name {node.css}")


def _told(nodes: Sequence[_Node], edges: Sequence[_Edge]) -> str:
    ordered = sorted(edges, key=lambda edge: (-edge[2], edge))
    pairs = [f"{nodes[one].name} and {nodes[other].name} in {tweets}" for one, other, tweets in ordered]
    return f"Tweets that mention two of them: {'; '.join(pairs) or 'none'}."
