"""Charts in pages: read as XML, since that is how a browser takes them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from db.questions.network import Link, Network
from db.questions.timeline import Period
from db.questions.top import EntityCount
from explorer.charts import sparkline_svg, timeline_svg
from explorer.network_chart import network_svg

HOSTILE = '<script>alert("$x^2$")</script>\u202e\x00 &amp; 🦜 ไทย'


def periods(counts: Sequence[int]) -> list[Period]:
    first = datetime(2026, 3, 1, tzinfo=UTC)
    return [Period(first + timedelta(days=day), 10, count, count) for day, count in enumerate(counts)]


def address(since: datetime, until: datetime) -> str:
    return f"/tweets?since={since:%m-%d}&until={until:%m-%d}"


def network(names: Sequence[str], pairs: Sequence[tuple[int, int, int]]) -> Network:
    nodes = [EntityCount(number, name, "PER", name, 9, 7) for number, name in enumerate(names, start=1)]
    return Network(nodes, [Link(one_id=a, other_id=b, together=n, one=7, other=7, total=99) for a, b, n in pairs])


def elements(svg: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(tag))


def test_peaks_lead_to_their_tweets_and_units_are_written() -> None:
    svg = timeline_svg(periods([0, 1, 0, 0, 9, 1, 0]), "day", "Mentions of Bonn", address)
    [link] = elements(svg, "a")
    assert link.get("href") == "/tweets?since=03-05&until=03-06"
    assert link.get("aria-label") == "9 mentions in the day from 2026-03-05 on: show the tweets"
    texts = [one.text for one in elements(svg, "text")]
    assert {"mentions per day", "day (UTC); 11 mentions in 50 tweets read", "9"} <= {*texts}
    root = ElementTree.fromstring(svg)
    assert (root.get("role"), root.get("aria-label"), root[0].text) == ("group", "Mentions of Bonn", "Mentions of Bonn")
    assert "9 mentions in the day from 2026-03-05" in (root[1].text or "")


@pytest.mark.parametrize("counts", [[], [0], [1], [5] * 40, [1, 2] * 300, [10**9, 0, 0, 1]])
def test_charts_are_what_a_strict_policy_and_other_charts_beside_them_allow(counts: list[int]) -> None:
    for svg in (timeline_svg(periods(counts), "day", HOSTILE, address), sparkline_svg(counts, HOSTILE)):
        for one in ElementTree.fromstring(svg).iter():
            assert one.tag in {"svg", "title", "desc", "g", "path", "text", "a"}
            assert not {"id", "style", "onload", "target", "clip-path"} & {*one.keys()}
        assert '<script>alert("$x^2$")</script>' in ElementTree.fromstring(svg).get("aria-label", "")


def test_a_network_leads_to_its_entities_and_says_who_meets_whom() -> None:
    around = network(["Ann", HOSTILE, "Bonn", "y" * 300], [(1, 2, 3), (1, 3, 6), (2, 3, 1), (1, 4, 3)])
    svg = network_svg(around, 3, "Around Bonn", lambda one: f"/entity?name={one.entity_id}")
    said = {one.get("href"): one.get("aria-label") for one in elements(svg, "a")}
    assert {*said} == {"/entity?name=1", "/entity?name=2", "/entity?name=3", "/entity?name=4"}
    assert said["/entity?name=3"] == "Bonn (PER), 7 tweets"
    assert '<script>alert("$x^2$")</script>' in (said["/entity?name=2"] or "")
    assert [one.text for one in elements(svg, "text")][0::3] == ["Bonn", "y" * 15 + "…"]
    assert "Ann and Bonn in 6" in (elements(svg, "desc")[0].text or "")
    widths = sorted(float(one.get("stroke-width", 0)) for one in elements(svg, "path") if one.get("stroke-width"))
    assert widths == pytest.approx([7 / 6, 3.5, 3.5, 7])
    assert not [one for one in elements(svg, "*") if {"id", "style"} & {*one.keys()}]


@pytest.mark.parametrize("number", range(1, 13))
def test_names_of_a_network_do_not_overlap(number: int) -> None:
    around = network(["N" * 16] * number, [(1, other, other) for other in range(2, number + 1)])
    svg = network_svg(around, 1, "Names", lambda one: f"/entity?name={one.entity_id}")
    boxes = [_box(one) for one in elements(svg, "text")]
    for place, (left, right, y) in enumerate(boxes):
        for other_left, other_right, other_y in boxes[:place]:
            assert right < other_left or other_right < left or abs(y - other_y) > 9


def _box(text: ElementTree.Element) -> tuple[float, float, float]:
    """Return from where to where a text of sixteen letters goes, and its height, in pixels."""
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor", "start")]
    left = float(text.get("x", 0)) - before * 16 * 5.5
    return left, left + 16 * 5.5, float(text.get("y", 0))


def test_the_same_chart_is_drawn_once_and_threads_draw_the_same() -> None:
    drawn = [periods([number, 3, number]) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda one: timeline_svg(one, "day", "threads", address), drawn * 4))
    assert made == [timeline_svg(one, "day", "threads", address) for one in drawn] * 4
    assert len(set(made)) == 4
    assert made[0] is timeline_svg(drawn[0], "day", "threads", address)


def test_a_sparkline_has_a_bar_for_each_count_that_is_not_zero() -> None:
    svg = sparkline_svg([0, 2, 4], "mentions per day")
    [path] = elements(svg, "path")
    assert path.get("d") == "M1 20v-10h.8v10zM2 20v-20h.8v20z"
    assert ElementTree.fromstring(svg).get("role") == "img"
