"""From a figure to an <svg> element for a page: no styles, which the policy forbids, and no ids, which would clash.

Colours come from style.css, by the classes that an artist's group id names: "chart-peaks" becomes class="peaks".
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree  # it reads what we have just written

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CLASS = "chart-"
_KEPT = {"class", "d", "height", "href", "transform", "width", "x", "y"}
_KEPT_STYLES = {"font-size", "font-weight", "stroke-dasharray", "stroke-linecap", "stroke-width", "text-anchor"}
_DROPPED = {"defs", "metadata"}


def inline_svg(figure: Figure, title: str, description: str, links: Mapping[str, str], kind: str = "") -> Markup:
    """Return a figure as an <svg> element that a screen reader can read; `links` says what each address leads to.

    To be called within `answers.plots.drawing`, since the form of texts is one of the settings that all threads share.
    """
    written = io.BytesIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(written.getvalue())  # noqa: S314
    box = root.get("viewBox", "")
    for one in root.iter():
        _simplify(one)
    for one in list(root.iter("a")):
        one.set("aria-label", links[one.attrib["href"]])
        _say(one, "title", links[one.attrib["href"]])  # shown on hover
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    # What is an image to a screen reader has nothing in it that could be clicked.
    root.attrib |= {
        "class": f"chart {kind}".strip(),
        "viewBox": box,
        "role": "group" if links else "img",
        "aria-label": title,
    }
    _say(root, "desc", description)
    _say(root, "title", title)
    return Markup(ElementTree.tostring(root, "unicode", short_empty_elements=False))  # noqa: S704 - built from elements


def _simplify(one: ElementTree.Element) -> None:
    """Leave an element what a page may have: a plain name, plain attributes, and children that show."""
    one.tag, one.tail = _plain(one.tag), None
    if one.tag != "text":
        one.text = None
    for child in [child for child in one if _plain(child.tag) in _DROPPED]:
        one.remove(child)
    attributes = {_plain(name): " ".join(value.split()) for name, value in one.attrib.items()}
    if attributes.get("id", "").startswith(_CLASS):
        attributes["class"] = attributes["id"].removeprefix(_CLASS)
    styles = dict(re.findall(r"([a-z-]+): ([^;]+)", attributes.get("style", "")))
    one.attrib.clear()
    one.attrib.update({name: value for name, value in attributes.items() if name in _KEPT})
    one.attrib.update({name: value for name, value in styles.items() if name in _KEPT_STYLES or value == "none"})


def _say(one: ElementTree.Element, tag: str, text: str) -> None:
    said = ElementTree.Element(tag)
    said.text = text
    one.insert(0, said)


def _plain(name: str) -> str:
    return name.rpartition("}")[2]
