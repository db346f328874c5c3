"""How good a tagger is on annotated texts, and what it gets wrong: `evaluate(tag, examples)`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tagging.spans import Span
from trainer.entity_counts import FIGURES, Reading, count, is_handle, macro_f1, macro_precision, macro_recall, read
from trainer.error_kinds import Confusion, ErrorKind, confusions, error_kinds
from trainer.estimates import Estimate, Rates
from trainer.examples import Example
from trainer.kept_counts import pack
from trainer.reliability import Reliability, reliability
from trainer.scoring import Tag, official_scores
from trainer.slices import Seen, Slice, slices


@dataclass(frozen=True)
class FigureScores:
    """The scores of one of the three figures; `type_blind` asks for boundaries alone."""

    micro: Rates
    macro_precision: Estimate
    macro_recall: Estimate
    macro_f1: Estimate
    type_blind: Rates
    by_label: dict[str, Rates]


@dataclass(frozen=True)
class TokenScores:
    """Labels of the corpus's own tokens (or our words): share that is right, and F1 weighted by label."""

    tokens: int
    accuracy: float
    weighted_f1: float


@dataclass(frozen=True)
class CharacterScores:
    """Over the raw texts that come with spans: entities at their exact offsets, and each labelled character."""

    texts: int
    exact: Rates
    characters: Rates


@dataclass(frozen=True)
class Evaluation:
    """All that is measured on some texts. Errors, slices and calibration are of mentions as joined.

    `entities` counts gold ones, joined. `characters` is None where no text comes raw, with spans. `calibration` is
    overall, of handles and of plain entities; a group in which nothing was found is left out. `counts` are those of
    each text (see `trainer.kept_counts`), for comparisons with other models.
    """

    texts: int
    entities: int
    figures: dict[str, FigureScores]
    tokens: TokenScores
    characters: CharacterScores | None
    errors: tuple[ErrorKind, ...]
    confusions: tuple[Confusion, ...]
    slices: tuple[Slice, ...]
    calibration: dict[str, Reliability]
    counts: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def evaluate(tag: Tag, examples: Sequence[Example], seen: Seen | None = None) -> Evaluation:
    """Tag the examples' texts and measure what was found. `seen` are the training split's entities, where known."""
    predicted = tag([example.text for example in examples])
    readings = {figure: [read(figure, *one) for one in zip(examples, predicted, strict=True)] for figure in FIGURES}
    joined = readings["joined"]
    return Evaluation(
        texts=len(examples),
        entities=sum(len(reading.gold) for reading in joined),
        figures={figure: figure_scores(own) for figure, own in readings.items()},
        tokens=_token_scores(examples, predicted),
        characters=_character_scores(examples, predicted),
        errors=error_kinds(examples, joined),
        confusions=confusions(joined),
        slices=slices(examples, joined, seen),
        calibration=_calibration(examples, predicted, joined),
        counts=pack({figure: count(own) for figure, own in readings.items()}),
    )


def figure_scores(readings: Sequence[Reading]) -> FigureScores:
    """Score the readings of a figure."""
    counted = count(readings)
    blind = [Reading(*([replace(span, label="") for span in side] for side in reading)) for reading in readings]
    return FigureScores(
        micro=Rates.of(counted.micro),
        macro_precision=Estimate.of(macro_precision, counted.by_label),
        macro_recall=Estimate.of(macro_recall, counted.by_label),
        macro_f1=Estimate.of(macro_f1, counted.by_label),
        type_blind=Rates.of(count(blind).micro),
        by_label={label: Rates.of(counted.of(label)) for label in counted.labels},
    )


def _token_scores(examples: Sequence[Example], predicted: Sequence[Sequence[Span]]) -> TokenScores:
    scores = official_scores(examples, predicted)
    tokens = sum(len(example.tokens or example.word_labels()) for example in examples)
    return TokenScores(tokens, scores["overall_accuracy"], scores["token_f1_weighted"])


def _character_scores(examples: Sequence[Example], predicted: Sequence[Sequence[Span]]) -> CharacterScores | None:
    raw = [
        Reading(list(example.spans), [replace(span, score=1.0) for span in spans])
        for example, spans in zip(examples, predicted, strict=True)
        if not example.tokens
    ]
    if not raw:
        return None
    characters = [
        Reading(*([one for span in side for one in _characters(span)] for side in reading)) for reading in raw
    ]
    return CharacterScores(len(raw), Rates.of(count(raw).micro), Rates.of(count(characters).micro))


def _characters(span: Span) -> list[Span]:
    return [Span(place, place + 1, span.label) for place in range(span.start, span.end)]


def _calibration(
    examples: Sequence[Example], predicted: Sequence[Sequence[Span]], joined: Sequence[Reading]
) -> dict[str, Reliability]:
    rows = [
        (text, span.score, replace(span, score=1.0) in reading.gold, is_handle(span.surface(example.text)))
        for text, (example, spans, reading) in enumerate(zip(examples, predicted, joined, strict=True))
        for span in spans
    ]
    texts, scores, right, handles = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else [np.array([])] * 4
    )
    groups = {"all entities": np.ones(len(rows), dtype=bool), "handles": handles == 1, "plain": handles == 0}
    return {
        name: reliability(scores[chosen], right[chosen], texts[chosen])
        for name, chosen in groups.items()
        if chosen.any()
    }
