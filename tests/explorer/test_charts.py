"""Charts in pages: read as XML, since that is how a browser takes them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from db.questions.timeline import Period
from explorer.charts import sparkline_svg, timeline_svg

HOSTILE = '<script>alert("$x^2$")</script>\u202e\x00 &amp; 🦜 ไทย'


def periods(counts: Sequence[int]) -> list[Period]:
    first = datetime(2026, 3, 1, tzinfo=UTC)
    return [Period(first + timedelta(days=day), 10, count, count) for day, count in enumerate(counts)]


def address(since: datetime, until: datetime) -> str:
    return f"/tweets?since={since:%m-%d}&until={until:%m-%d}"


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
