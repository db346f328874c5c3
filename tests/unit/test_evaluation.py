"""The whole of an evaluation, and the page of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from commands.evaluating import Report
from commands.evaluation_html import html
from commands.evaluation_tables import show
from tagging.spans import Span
from trainer.evaluation import Evaluation, evaluate
from trainer.examples import Example, from_tokens
from trainer.scoring import score
from trainer.slices import seen_entities

HANDLE = from_tokens(["@", "ana", "is", "in", "Rome"], ["B-PER", "B-PER", "O", "O", "B-LOC"])
RAW = Example("Bob of <script>alert(1)</script> $x_1$ \u202e Acme Inc", (Span(0, 3, "PER"), Span(41, 49, "ORG")))
EXAMPLES = [HANDLE, RAW, Example("nothing", ())]
FOUND = [
    [Span(0, 4, "ORG", 0.6), Span(11, 15, "LOC", 0.9)],
    [Span(0, 3, "PER", 0.8), Span(41, 45, "ORG", 0.4)],
    [Span(0, 7, "LOC", 0.3)],
]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(lambda _: FOUND, EXAMPLES, seen_entities([HANDLE]))


def report(evaluation: Evaluation) -> Report:
    made_at = datetime(2026, 1, 2, tzinfo=UTC)
    return Report("model version 1", "a <b> & c", "test", "f" * 64, made_at, evaluation, "starter", "corpus")


def test_the_figures_are_those_of_training(evaluation: Evaluation) -> None:
    scores = score(lambda _: FOUND, EXAMPLES)
    micro = {name: figure.micro.f1.value for name, figure in evaluation.figures.items()}
    assert micro == {
        "official": pytest.approx(scores["overall_f1"]),
        "joined": pytest.approx(scores["joined_f1"]),
        "plain": pytest.approx(scores["plain_f1"]),
    }
    assert evaluation.tokens.weighted_f1 == scores["token_f1_weighted"]
    for label, rates in evaluation.figures["official"].by_label.items():
        assert rates.f1.value == pytest.approx(scores[label]["f1"])


def test_type_blind_asks_for_boundaries_alone(evaluation: Evaluation) -> None:
    blind = evaluation.figures["joined"].type_blind
    assert (blind.right, blind.found, blind.gold) == (3, 5, 4)


def test_raw_texts_are_scored_by_characters(evaluation: Evaluation) -> None:
    scored = evaluation.characters
    assert scored is not None
    assert (scored.texts, scored.exact.right, scored.exact.found, scored.exact.gold) == (2, 1, 3, 2)
    assert (scored.characters.right, scored.characters.found, scored.characters.gold) == (7, 14, 11)
    assert evaluate(lambda _: FOUND[:1], EXAMPLES[:1]).characters is None, "there are tokens alone"


def test_errors_and_slices_add_up_to_the_joined_figure(evaluation: Evaluation) -> None:
    joined = evaluation.figures["joined"].micro
    errors = {one.kind: one.count for one in evaluation.errors}
    wrong = sum(count for kind, count in errors.items() if kind.startswith("wrong"))
    assert joined.gold == joined.right + errors["missed"] + wrong
    assert joined.found == joined.right + errors["spurious"] + wrong
    for group in ("length of the text", "kind of entity", "in the training split"):
        assert sum(one.rates.gold for one in evaluation.slices if one.group == group) == joined.gold
        assert sum(one.rates.right for one in evaluation.slices if one.group == group) == joined.right


def test_calibration_is_of_handles_and_of_the_others(evaluation: Evaluation) -> None:
    measured = evaluation.calibration
    assert {name: one.spans for name, one in measured.items()} == {"all entities": 5, "handles": 1, "plain": 4}
    assert measured["handles"].right == 0
    assert measured["plain"].right == 0.5


def test_it_can_be_written_as_json(evaluation: Evaluation) -> None:
    told = json.loads(json.dumps(report(evaluation).as_dict(), allow_nan=False))
    assert told["evaluation"]["figures"]["plain"]["micro"]["f1"].keys() == {"value", "low", "high"}
    assert told["made_at"] == "2026-01-02T00:00:00+00:00"


class Page(HTMLParser):
    """Collects a page's tags, what they refer to, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.references: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_hostile_text_stays_text(evaluation: Evaluation) -> None:
    page = Page()
    written = html(report(evaluation))
    page.feed(written)
    assert "script" not in page.tags
    assert "<script>alert(1)</script> $x_1$" in page.text, "shown, not run, and no formula"
    assert "\u202e" not in written
    assert all(reference.startswith("#") for reference in page.references)
    assert "model version 1 on a <b> & c" in page.text
    assert "#010101" not in written, "a colour that is not the page's"


def test_the_page_shows_every_figure_with_its_size(evaluation: Evaluation) -> None:
    page = Page()
    page.feed(html(report(evaluation)))
    for name, figure in evaluation.figures.items():
        assert f"{name} F1" in page.text
        assert f"{figure.micro.gold} gold, {figure.micro.found} found" in page.text
    for part in evaluation.slices:
        assert f"{part.rates.gold} gold, {part.rates.found} found" in page.text
    for measured in evaluation.calibration.values():
        assert f"{measured.spans} spans in {len(measured.bins)} bins" in page.text


def test_the_same_evaluation_gives_the_same_page(evaluation: Evaluation) -> None:
    assert html(report(evaluation)) == html(report(evaluation))


@pytest.mark.parametrize("examples", [[], [Example("nothing here", ())]])
def test_nothing_to_find_and_nothing_found(examples: list[Example], capsys: pytest.CaptureFixture[str]) -> None:
    empty = evaluate(lambda texts: [[] for _ in texts], examples)
    json.dumps(empty.as_dict(), allow_nan=False)
    shown = replace(report(empty), split="all")
    show(shown)
    assert f"{len(examples)} texts" in capsys.readouterr().out
    assert "all entities" not in html(shown)
