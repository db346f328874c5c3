"""Tweets that want to be more than text, and what shows whether a page made more of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tagging.spans import Span
from tests.fake_tagger import FakeTagger

MARK = "hostile"  # stands in every element, attribute, script and address that a tweet would bring

NAMES = (
    f"<script>alert('{MARK}')</script>",
    f'"><img src=x onerror={MARK}()>',
    f"' {MARK}='1",
    f"</mark></a></title></textarea><{MARK}>",
    f'" autofocus onfocus="{MARK}()',
    f"javascript:{MARK}()",
    f"&lt;{MARK}&gt; &amp; &#60;{MARK}&#62; &quot;",
    f"\u202egro.{MARK}\u202c\u2066\u200f",
    f"{{{{ {MARK} }}}}{{% {MARK} %}}",
    f"'; DROP TABLE tweets; --{MARK}",
    f"%s%n%x\\x00\\u0000{MARK}",
    f"<!--{MARK}--><![CDATA[{MARK}]]>",
    f"😀 \u0627\u0644\u0633\u0644\u0627\u0645 {MARK}",
    f'=HYPERLINK("http://{MARK}.example")',
    f"<a href=//{MARK}.example>{MARK}</a>",
    f"</script><svg/onload={MARK}()>",
    f"\x1b[31m\x07\x7f\x85{MARK}",
    f"{MARK}\u2028\u2029\nline",
)
LONG = f"<b onclick={MARK}()>" + "a\u202e<" * 33_000  # 100,000 characters
LABELS = ("PER", "ORG", "LOC", "MISC")


def key(name: str, place: int) -> str:
    """Return what the entity is addressed by that stands at a place of the names."""
    return f"{LABELS[place % len(LABELS)]}:{name}"


class NamesTagger(FakeTagger):
    """Finds the names wherever a text begins with one, and its last three characters."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = names

    def tag(self, texts: Sequence[str], progress: Callable[[], None] | None = None) -> list[list[Span]]:
        return [self._spans(text) for text in texts]

    def _spans(self, text: str) -> list[Span]:
        found = [place for place, name in enumerate(self.names) if text.startswith(name)]
        first = [Span(0, len(self.names[place]), LABELS[place % len(LABELS)], 0.9) for place in found[:1]]
        return [*first, Span(len(text) - 3, len(text), "PER", 0.8)]


@dataclass
class Seen(HTMLParser):
    """The elements of a page with their attributes, and the text between them."""

    page: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def look_at(page: str) -> Seen:
    """Read a page as a browser does."""
    seen = Seen(page)
    seen.feed(page)
    seen.close()
    return seen
