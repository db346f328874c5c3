"""A digest as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from answers.wording import clean
from commands.digest_blocks import NOTE, Block, Heading, Listing, Plot, Quotation, Statement

if TYPE_CHECKING:
    from db.questions.story import Story

_MARKS = re.compile(r"([\\`*_\[\]|~$^])")
_AT_START = re.compile(r"\A([#+=-]|\d+(?=[.)]))")
_MOST_BARS = 40
_WIDEST_BAR = 30


def markdown(blocks: Iterable[Block]) -> str:
    """Write blocks as Markdown, in which nothing that a tweet holds is a mark."""
    return "\n\n".join([*map(_written, blocks), NOTE]) + "\n"


def escaped(text: str) -> str:
    """Write a text so that Markdown shows it as it is, in one line."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKS.sub(r"\\\1", text)
    return _AT_START.sub(lambda found: f"{found[1]}\\" if found[1].isdigit() else f"\\{found[1]}", text.strip())


def _written(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {escaped(block.text)}"
        case Statement():
            return _statement(block)
        case Listing():
            return "\n".join(f"- {_statement(one)}" for one in block.statements)
        case Quotation():
            return f"> {escaped(block.text)}\n>\n> — {_statement(block.statement)}"
        case Plot():
            return _bars(block.story)


def _statement(one: Statement) -> str:
    return f"{escaped(one.text)} \\[{one.sources}\\]" if one.sources else escaped(one.text)


def _bars(story: Story) -> str:
    """Draw the timeline as a table; the periods with most mentions, if there are too many."""
    found = sorted(story.timeline, key=lambda one: (-one.mentions, one.start))[:_MOST_BARS]
    most = max(one.mentions for one in found)
    form = "%Y-%m-%d %H:%M" if story.by == "hour" else "%Y-%m-%d"
    rows = [
        f"| {one.start.strftime(form)} | {one.mentions} | {'█' * -(-one.mentions * _WIDEST_BAR // most)} | "
        f"{', '.join(map(str, one.tweet_ids))} |"
        for one in sorted(found, key=lambda one: one.start)
        if one.mentions
    ]
    return "\n".join([f"| {story.by} | mentions | | tweets, such as |", "| --- | ---: | --- | --- |", *rows])
