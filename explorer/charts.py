"""Charts for pages: mentions over time, as large as a figure or as small as a word. The same data is drawn once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import matplotlib.dates
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from answers.plots import drawing
from answers.wording import clean, counted
from db.questions.phases import phases
from db.questions.timeline import By, Period
from explorer.inline_svg import inline_svg

_WIDTH, _HEIGHT = 360, 140  # pixels, as on a telephone; a page scales it
_LENGTH: dict[By, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_TARGET = 10  # pixels: a link that a finger finds
_APART = 26  # pixels between two numbers
_FEWEST = 12  # periods for which there is room, so that a single bar is no wall
_SPARK = Markup(
    '<svg class="spark" viewBox="0 0 {} 20" preserveAspectRatio="none" role="img" aria-label="{}">'
    '<title>{}</title><path d="{}"></path></svg>'
)


@dataclass(frozen=True)
class _Bar:
    """A period of a timeline; `link` is where its peak leads."""

    start: float  # days since 1970
    mentions: int
    link: str | None
    said: str


def sparkline_svg(counts: Sequence[int], title: str) -> Markup:
    """Draw counts as a row of bars, as high as a line of text; `title` says what they are, with their unit."""
    most = max([*counts, 1])
    heights = [20 * count / most for count in counts]
    path = "".join(f"M{x} 20v-{height:.3g}h.8v{height:.3g}z" for x, height in enumerate(heights) if height)
    return _SPARK.format(max(len(counts), 1), clean(title), clean(title), path)


def timeline_svg(
    periods: Sequence[Period], by: By, title: str, address_of_peak: Callable[[datetime, datetime], str]
) -> Markup:
    """Draw mentions by hour, day or week, from the first period with one to the last; its peaks are links.

    `address_of_peak` takes the beginning and the end of a period, and returns where its tweets are shown.
    """
    busy = [index for index, period in enumerate(periods) if period.mentions]
    kept = periods[busy[0] : busy[-1] + 1] if busy else ()
    peaks = {phase.peak for phase in phases(dict(enumerate(period.mentions for period in kept)))}
    bars = []
    for index, one in enumerate(kept):
        link = address_of_peak(one.start, one.start + _LENGTH[by]) if index in peaks else None
        when = one.start.strftime("%Y-%m-%d %H:%M" if by == "hour" else "%Y-%m-%d")
        said = f"{counted(one.mentions, 'mention')} in the {by} from {when} on: show the tweets" if link else ""
        bars.append(_Bar(one.start.timestamp() / 86400, one.mentions, link, said))
    mentions, tweets = sum(one.mentions for one in kept), sum(one.tweets for one in kept)
    return _timeline(
        tuple(bars), by, clean(title), f"{counted(mentions, 'mention')} in {counted(tweets, 'tweet')} read"
    )


@lru_cache(maxsize=256)
def _timeline(bars: tuple[_Bar, ...], by: By, title: str, sample: str) -> Markup:
    with drawing():
        figure = Figure(figsize=(_WIDTH / 72, _HEIGHT / 72), dpi=72)
        axes = figure.add_axes((0.12, 0.25, 0.86, 0.7))
        _frame(axes, bars, by)
        _peaks(axes, bars, by)
        _bars(axes, bars, by)
        axes.set_ylabel(f"mentions per {by}")
        axes.set_xlabel(f"{by} (UTC); {sample}", loc="left")
        links = {bar.link: bar.said for bar in bars if bar.link}
        return inline_svg(figure, title, f"Mentions per {by}, UTC; {sample}. {_told(bars)}", links)


def _frame(axes: Axes, bars: Sequence[_Bar], by: By) -> None:
    dates: Any = matplotlib.dates  # comes without types
    days = _LENGTH[by] / timedelta(days=1)
    starts = [bar.start for bar in bars] or [0.0]
    beside = max(1, _FEWEST - len(bars)) * days / 2
    axes.set_xlim(starts[0] - beside, starts[-1] + days + beside)
    axes.set_ylim(0, 1.15 * max([*(bar.mentions for bar in bars), 1]))
    locator = dates.AutoDateLocator(minticks=2, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.tick_params(bottom=False, left=False)  # marks would be elements with ids
    axes.grid(axis="y", gid="chart-grid", clip_on=False)
    figure = axes.get_figure()
    assert figure is not None
    for hidden in (figure.patch, axes.patch, *(axes.spines[side] for side in ("top", "right", "left"))):
        hidden.set_visible(False)
    axes.spines["bottom"].set_gid("chart-grid")


def _bars(axes: Axes, bars: Sequence[_Bar], by: By) -> None:
    """Draw the bars as two paths, peaks and others: an element for each would be ten times as slow."""
    width = 0.85 * _LENGTH[by] / timedelta(days=1)
    for are_peaks in (False, True):
        boxes = [
            Path.unit_rectangle().transformed(Rectangle((bar.start, 0), width, bar.mentions).get_patch_transform())
            for bar in bars
            if bar.mentions and (bar.link is not None) == are_peaks
        ]
        if boxes:
            gid = "chart-peaks" if are_peaks else "chart-bars"
            axes.add_artist(PathPatch(Path.make_compound_path(*boxes), linewidth=0, clip_on=False, gid=gid))


def _peaks(axes: Axes, bars: Sequence[_Bar], by: By) -> None:
    """Lay a link over the whole height of each peak, and write its number above it where there is room."""
    left, right = axes.get_xlim()
    pixel = (right - left) / (0.86 * _WIDTH)
    days = _LENGTH[by] / timedelta(days=1)
    written: list[float] = []
    for bar in sorted((bar for bar in bars if bar.link), key=lambda bar: (-bar.mentions, bar.start)):
        middle = bar.start + 0.425 * days
        width = max(days, _TARGET * pixel)
        target = Rectangle((middle - width / 2, 0), width, axes.get_ylim()[1], linewidth=0, clip_on=False)
        target.set(url=bar.link, gid="chart-target")
        axes.add_patch(target)
        if all(abs(middle - other) >= _APART * pixel for other in written):
            axes.annotate(f"{bar.mentions:,}", (middle, bar.mentions), (0, 2), textcoords="offset points", ha="center")
            written.append(middle)


def _told(bars: Sequence[_Bar]) -> str:
    return " ".join(f"Peak: {bar.said.partition(':')[0]}." for bar in bars if bar.link) or "No peaks."
