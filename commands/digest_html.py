"""A digest as one HTML file: nothing is loaded from elsewhere, no script runs."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import chain

from answers.plots import as_svg, timeline_figure
from answers.wording import clean
from commands.digest_blocks import NOTE, Block, Heading, Listing, Plot, Quotation, Statement

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1f21; --paper: #fdfdfb; --faint: #6b7075; --line: #d9dad6; --mark: #2f6690 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e4e0; --paper: #17191b; --faint: #9a9ea3; --line: #34383c; --mark: #7fb2dd }
  svg { filter: invert(.91) hue-rotate(180deg) }
}
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1, h2, h3 { line-height: 1.2; margin: 2rem 0 .5rem }
h2 { border-top: 1px solid var(--line); padding-top: 1rem }
ul { padding-left: 1.2rem }
blockquote { margin: 1rem 0; padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--mark) }
blockquote p { margin: .3rem 0 }
footer, small { color: var(--faint) }
small { font-size: .75rem; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(blocks: Iterable[Block]) -> str:
    """Write blocks, the first of which is the title, as an HTML page with plots."""
    blocks = iter(blocks)
    title = next(blocks)
    assert isinstance(title, Heading)
    body = "\n".join(map(_written, chain([title], blocks)))
    note = escape(NOTE.replace("`", ""))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{_text(title.text)}</title>
<style>{_STYLE}</style>
</head>
<body>
{body}
<footer><p>{note}</p></footer>
</body>
</html>
"""


def _written(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
        case Statement():
            return f"<p>{_statement(block)}</p>"
        case Listing():
            items = "".join(f"<li>{_statement(one)}</li>" for one in block.statements)
            return f"<ul>{items}</ul>"
        case Quotation():
            return f"<blockquote><p>{_text(block.text)}</p><p>— {_statement(block.statement)}</p></blockquote>"
        case Plot():
            story = block.story
            return f"<figure>{as_svg(timeline_figure(story.timeline, story.shown, story.by))}</figure>"


def _statement(one: Statement) -> str:
    return f"{_text(one.text)} <small>[{one.sources}]</small>" if one.sources else _text(one.text)


def _text(text: str) -> str:
    return escape(clean(text))
