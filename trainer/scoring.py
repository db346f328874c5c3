"""Scores of a tagger on annotated examples, through `evaluate`: what training looks at after each epoch."""

from collections.abc import Callable, Sequence
from typing import Any

from tagging.spans import Span, iob2
from tagging.words import words
from trainer.entity_counts import entity_counts, f1
from trainer.entity_metric import EntityMetric
from trainer.examples import Example, official_chunks
from trainer.unannotated import judged

Tag = Callable[[Sequence[str]], list[list[Span]]]
Scores = dict[str, Any]


def score(tag: Tag, examples: Sequence[Example]) -> Scores:
    """Tag the examples' texts and score the spans. All figures lie in 0..1.

    The scores are the official ones, by label, overall and of tokens; `joined_f1` and `plain_f1` are the micro-F1 of
    the other two figures of `trainer.entity_counts`. What is found at words that nobody annotated counts in none.
    """
    predicted = tag([example.text for example in examples])
    scores = official_scores(examples, judged(examples, predicted))
    for figure in ("joined", "plain"):
        scores[f"{figure}_f1"] = float(f1(entity_counts(figure, examples, predicted).micro.sum(axis=0)))
    return scores


def official_scores(examples: Sequence[Example], predicted: Sequence[Sequence[Span]]) -> Scores:
    """Score found spans over the corpus's own tokens, or over our words where it has none: see `EntityMetric`."""
    labels = [_official_labels(example, spans) for example, spans in zip(examples, predicted, strict=True)]
    gold = [list(one.token_labels) if one.tokens else one.word_labels() for one in examples]
    computed: Scores = EntityMetric(keep_in_memory=True).compute(predictions=labels, references=gold)
    return computed


def _official_labels(example: Example, spans: Sequence[Span]) -> list[str]:
    return iob2(official_chunks(example, spans), len(example.tokens or words(example.text)))
