"""Entities in the same tweets, and the network around one, against plain loops over a small world."""

from collections import defaultdict
from dataclasses import replace
from math import log, log2
from pathlib import Path

import networkx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.graphs import write_graph
from db.filters import Filter
from db.questions.network import Network, network
from db.questions.related import By, related
from db.session import Database
from tagging.errors import QueryError
from tests.questions.test_search import store_names
from tests.questions.world import Key, World, add_version, entities, entity_id, filters

few = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
measures = st.sampled_from(["log-likelihood", "count", "pmi"])


def tweets_of(world: World, chosen: Filter) -> dict[Key, set[int]]:
    """The tweets that mention each entity, whatever label is asked for."""
    found: dict[Key, set[int]] = defaultdict(set)
    for one in world.mentions(replace(chosen, label=None)):
        found[one.key].add(one.tweet.id)
    return found


def pmi(mine: set[int], its: set[int], total: int) -> float:
    return log2((len(mine & its) / total) / ((len(mine) / total) * (len(its) / total)))


def log_likelihood(mine: set[int], its: set[int], total: int) -> float:
    """Twice the sum of observed times log(observed / expected) over the four cells, signed."""
    both, one, other = len(mine & its), len(mine), len(its)
    observed = [(both, one * other), (one - both, one * (total - other)), (other - both, (total - one) * other)]
    observed.append((total - one - other + both, (total - one) * (total - other)))
    ratio = 2 * sum(count * log(count * total / expected) for count, expected in observed if count)
    return ratio if both * total >= one * other else -ratio


@few
@given(key=entities(), chosen=filters(), by=measures, limit=st.integers(1, 12), minimum=st.integers(1, 4))
def test_related(database: Database, world: World, key: Key, chosen: Filter, by: By, limit: int, minimum: int) -> None:
    asked = entity_id(database, key)
    with database.read_session() as session:
        found = related(session, asked, chosen, by, limit, minimum)
    tweets, total = tweets_of(world, chosen), len(world.read(chosen))
    mine = tweets.pop(key, set())
    wanted = {
        other: its for other, its in tweets.items() if chosen.label in (None, other[1]) and len(mine & its) >= minimum
    }
    assert len(found) == min(limit, len(wanted))
    for one in found:
        its = wanted[one.name, one.label]
        assert one.shown == world.shown((one.name, one.label), chosen.model_version_id)
        assert (one.together, one.one, one.other, one.total) == (len(mine & its), len(mine), len(its), total)
        assert one.pmi == pytest.approx(pmi(mine, its, total))
        if total > len(mine):
            assert one.log_likelihood == pytest.approx(log_likelihood(mine, its, total), abs=1e-9)

    def order(name: str, label: str, value: float) -> tuple[float, int, str, str]:
        return (-round(value, 9), -len(mine & wanted[name, label]), name, label)

    strength = {"count": lambda its: len(mine & its), "pmi": lambda its: pmi(mine, its, total)}
    strength["log-likelihood"] = lambda its: log_likelihood(mine, its, total) if total > len(mine) else 0.0
    best = sorted(order(*other, strength[by](its)) for other, its in wanted.items())[:limit]
    assert [one[2:] for one in best] == [(one.name, one.label) for one in found]


@few
@given(key=entities(), chosen=filters(), by=measures, limit=st.integers(1, 8), minimum=st.integers(1, 3))
def test_the_network_around_an_entity(
    database: Database, world: World, key: Key, chosen: Filter, by: By, limit: int, minimum: int
) -> None:
    asked = entity_id(database, key)
    with database.read_session() as session:
        around = network(session, asked, chosen, by, limit, minimum)
        neighbours = {one.entity_id for one in related(session, asked, chosen, by, limit, minimum)}
    tweets, total = tweets_of(world, chosen), len(world.read(chosen))
    mentioned = [one.key for one in world.mentions(replace(chosen, label=None))]
    keys = {node.entity_id: (node.name, node.label) for node in around.nodes}
    assert list(keys) == sorted({asked, *neighbours})
    for node in around.nodes:
        of_it = keys[node.entity_id]
        assert (node.mentions, node.tweets) == (mentioned.count(of_it), len(tweets[of_it]))
        assert node.shown == world.shown(of_it, chosen.model_version_id)
    pairs = [(one, other) for one in keys for other in keys if one < other]
    together = {pair: tweets[keys[pair[0]]] & tweets[keys[pair[1]]] for pair in pairs}
    assert [(link.one_id, link.other_id) for link in around.links] == sorted(
        pair for pair, both in together.items() if len(both) >= minimum
    )
    for link in around.links:
        one, other = tweets[keys[link.one_id]], tweets[keys[link.other_id]]
        assert (link.together, link.one, link.other, link.total) == (len(one & other), len(one), len(other), total)


def test_pmi_prefers_the_rare_and_log_likelihood_what_is_hardly_chance(database: Database) -> None:
    version_id = add_version(database)
    stream = [["ann", "zoe"]] * 3 + [["ann", "bob"]] * 20 + [["bob"]] * 10 + [["cem"]] * 40
    for number, names in enumerate(stream, start=1):
        store_names(database, version_id, number, None, *((name, "PER") for name in names))
    chosen, ann = Filter(model_version_id=version_id), entity_id(database, ("ann", "PER"))
    with database.read_session() as session:
        best = {by: related(session, ann, chosen, by)[0].name for by in ("pmi", "log-likelihood", "count")}
        assert best == {"pmi": "zoe", "log-likelihood": "bob", "count": "bob"}
        assert [one.name for one in related(session, ann, chosen, minimum=4)] == ["bob"]


def test_a_graph_is_read_back(database: Database, world: World, tmp_path: Path) -> None:
    chosen, asked = Filter(model_version_id=1), entity_id(database, ("bob", "PER"))
    with database.read_session() as session:
        around = network(session, asked, chosen, minimum=2)
    write_graph(around, tmp_path / "bob.graphml")
    graph = networkx.read_graphml(tmp_path / "bob.graphml")
    assert not graph.is_directed()
    assert graph.nodes == {
        str(node.entity_id): {
            "label": node.shown,
            "entity_label": node.label,
            "name": node.name,
            "mentions": node.mentions,
            "tweets": node.tweets,
        }
        for node in around.nodes
    }
    assert len(around.links) == graph.number_of_edges() > 3
    for link in around.links:
        edge = graph.edges[str(link.one_id), str(link.other_id)]
        assert edge["weight"] == edge["together"] == link.together
        assert edge["pmi"] == pytest.approx(link.pmi)
        assert edge["log_likelihood"] == pytest.approx(link.log_likelihood)


def test_a_graph_takes_hostile_names_and_says_where_it_cannot_be_written(database: Database, tmp_path: Path) -> None:
    version_id = add_version(database)
    store_names(database, version_id, 1, None, ('<b>&"\x1b[2J\u202e', "PER"), ("ann", "PER"))
    with database.read_session() as session:
        around = network(session, entity_id(database, ("ann", "PER")), Filter(model_version_id=version_id), minimum=1)
    write_graph(around, tmp_path / "one.graphml")
    graph = networkx.read_graphml(tmp_path / "one.graphml")
    assert {'<b>&" [2J ', "ann"} == {node["label"] for _, node in graph.nodes(data=True)}
    with pytest.raises(QueryError, match=r"cannot write .*name a file in a folder that is there"):
        write_graph(Network([], []), tmp_path / "missing" / "one.graphml")
