"""Scores of a tagger on annotated examples, through `evaluate`."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from tagging.spans import Span, iob2, spans_to_chunks
from tagging.words import words
from trainer.entity_metric import EntityMetric
from trainer.examples import Example, official_chunks

_HANDLE = re.compile(r"[@＠]\w+")

Tag = Callable[[Sequence[str]], list[list[Span]]]
Scores = dict[str, Any]


def score(tag: Tag, examples: Sequence[Example]) -> Scores:
    """Tag the examples' texts and score the spans. All figures lie in 0..1.

    The scores are the official ones: over the corpus's own tokens where it came as tokens ("@" split off again),
    otherwise over our words. `joined_f1` is the micro-F1 with "@" and "#" joined to the word behind them: of the two
    the one that a wrong handle lowers once, not twice. `plain_f1` leaves handles out, gold and found: most entities of
    tweets are handles, so that the other figures may rise by handles alone.
    """
    predicted = tag([example.text for example in examples])
    official = [_official_labels(example, spans) for example, spans in zip(examples, predicted, strict=True)]
    scores = _compute(official, [_gold_labels(example) for example in examples])
    found = [_word_labels(example, spans) for example, spans in zip(examples, predicted, strict=True)]
    scores["joined_f1"] = _compute(found, [example.word_labels() for example in examples])["overall_f1"]
    plain = [_word_labels(example, _plain(example, spans)) for example, spans in zip(examples, predicted, strict=True)]
    gold = [_word_labels(example, _plain(example, example.spans)) for example in examples]
    scores["plain_f1"] = _compute(plain, gold)["overall_f1"]
    return scores


def _compute(predictions: list[list[str]], references: list[list[str]]) -> Scores:
    computed: Scores = EntityMetric(keep_in_memory=True).compute(predictions=predictions, references=references)
    return computed


def _official_labels(example: Example, spans: Sequence[Span]) -> list[str]:
    return iob2(official_chunks(example, spans), len(example.tokens or words(example.text)))


def _gold_labels(example: Example) -> list[str]:
    return list(example.token_labels) if example.tokens else example.word_labels()


def _plain(example: Example, spans: Sequence[Span]) -> list[Span]:
    """Leave out the spans that are a handle; one that only begins with a handle stays."""
    return [span for span in spans if not _HANDLE.fullmatch(span.surface(example.text))]


def _word_labels(example: Example, spans: Sequence[Span]) -> list[str]:
    offsets = words(example.text)
    return iob2(spans_to_chunks(spans, offsets), len(offsets))
