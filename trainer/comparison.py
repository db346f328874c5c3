"""A fast form against its original, on annotated examples."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tagging.spans import Span
from trainer.examples import Example
from trainer.scoring import Tag, score

_ROUNDS = 3  # of timing, the two in turn
_TIMED = 256  # texts in a round


@dataclass(frozen=True)
class Comparison:
    """What a form costs and gains. The F1 are the official entity scores, in 0..1.

    `differing` of the `texts` do not have the same entities (start, end and label) in both. `speed` is the form's,
    in times the original's: by the best of a few rounds, the two in turn, which other work disturbs least. Their words
    were met before, so that cutting new ones into sub-words is not in it.
    """

    texts: int
    original_f1: float
    f1: float
    differing: int
    speed: float

    @property
    def f1_cost(self) -> float:
        """Points of F1 (hundredths) that the form costs; below zero where it scores better."""
        return 100 * (self.original_f1 - self.f1)

    @property
    def differing_share(self) -> float:
        """The share of texts with other entities, in 0..1."""
        return self.differing / self.texts


def compare(original: Tag, form: Tag, examples: Sequence[Example]) -> Comparison:
    """Tag the examples' texts with both, score and time them."""
    texts = [example.text for example in examples]
    expected, found = original(texts), form(texts)
    return Comparison(
        texts=len(texts),
        original_f1=score(lambda _: expected, examples)["overall_f1"],
        f1=score(lambda _: found, examples)["overall_f1"],
        differing=sum(_keys(one) != _keys(other) for one, other in zip(expected, found, strict=True)),
        speed=_speed(original, form, texts[:_TIMED]),
    )


def _keys(spans: Sequence[Span]) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in spans]


def _speed(original: Tag, form: Tag, texts: Sequence[str]) -> float:
    rounds = [(_seconds(lambda: original(texts)), _seconds(lambda: form(texts))) for _ in range(_ROUNDS)]
    return min(seconds for seconds, _ in rounds) / min(seconds for _, seconds in rounds)


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
