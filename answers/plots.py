"""Plots, as PNG or SVG: light, without a window, and the same bytes for the same figures."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import matplotlib.dates
from matplotlib import rc_context
from matplotlib.figure import Figure

from answers.wording import clean
from tagging.errors import QueryError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from db.questions.timeline import Period

_BLUE, _GREY = "#2f6690", "#8a8a8a"
_STYLE: dict[Any, Any] = {
    "figure.facecolor": "white", "figure.dpi": 120, "font.size": 9, "axes.titlesize": 11, "axes.titlelocation": "left",
    "axes.titlepad": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": _GREY,
    "axes.grid": True, "axes.grid.axis": "y", "axes.axisbelow": True, "grid.color": "#e6e6e6",
    "xtick.color": "#444444", "ytick.color": "#444444", "svg.fonttype": "none", "svg.hashsalt": "tweetspan",
    "text.parse_math": False,  # a name may hold dollars
}  # fmt: skip
_NO_DATE: dict[str, Any] = {"Date": None}
_TURN = RLock()
_DAYS = {"hour": 1 / 24, "day": 1, "week": 7}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with our settings, one thread at a time: matplotlib has one set of them for all."""
    with _TURN, rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # an emoji in a name
        yield


def timeline_figure(periods: Sequence[Period], title: str, by: str) -> Figure:
    """Draw mentions by hour, day or week, and below them the share of all tweets, where it is known."""
    shares = any(period.share is not None for period in periods)
    with drawing():
        figure = Figure(figsize=(8, 5 if shares else 3.2))
        # A layout that is solved comes out a little otherwise each time.
        figure.subplots_adjust(left=0.1, right=0.98, top=0.92 if shares else 0.88, bottom=0.11 if shares else 0.17)
        axes = figure.subplots(1 + shares, 1, sharex=True, squeeze=False)[:, 0]
        figure.align_ylabels()
        _bars(axes[0], periods, [period.mentions for period in periods], by)
        axes[0].set_ylabel(f"mentions per {by}")
        axes[0].set_title(clean(title))
        if shares:
            _bars(axes[1], periods, [100 * (period.share or 0) for period in periods], by)
            axes[1].set_ylabel("share of tweets (%)")
        axes[-1].set_xlabel(f"{by} (UTC); {_sample(periods)}")
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG or SVG, as the file's name ends. Raises QueryError for another end, or if it cannot."""
    form = path.suffix.lower().removeprefix(".")
    if form not in ("png", "svg"):
        raise QueryError(f"{str(path)!r} does not say which kind of picture; let its name end in .png or .svg")
    try:
        path.write_bytes(_rendered(figure, form))
    except OSError as error:
        raise QueryError(f"cannot write {str(path)!r}: {error.strerror}; name another file") from error


def as_svg(figure: Figure) -> str:
    """Return a figure as an <svg> element, to be put into a page."""
    text = _rendered(figure, "svg").decode()
    return text[text.index("<svg") :]


def _rendered(figure: Figure, form: str) -> bytes:

    written = io.BytesIO()
    with drawing():
        figure.savefig(written, format=form, metadata=_NO_DATE if form == "svg" else None)
    return written.getvalue()


def _bars(axes: Axes, periods: Sequence[Period], heights: Sequence[float], by: str) -> None:

    dates: Any = matplotlib.dates  # comes without types
    starts = dates.date2num([period.start for period in periods])
    axes.bar(starts, heights, width=0.9 * _DAYS[by], align="edge", color=_BLUE)
    locator = dates.AutoDateLocator(minticks=3, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axes.set_ylim(0, max([*heights, 0]) * 1.05 or 1)


def _sample(periods: Sequence[Period]) -> str:
    mentions, tweets = (sum(getattr(period, name) for period in periods) for name in ("mentions", "tweets"))
    return f"{mentions:,} mentions in {tweets:,} tweets read"
