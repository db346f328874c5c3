"""Words that nobody annotated, though the corpus labels their like: neither trained on nor judged.

Standard library only.
"""

from collections.abc import Sequence
from dataclasses import replace

from tagging.spans import OUTSIDE, Span
from trainer.examples import HANDLE, Corpus, Example


def with_unannotated(corpus: Corpus) -> Corpus:
    """Mark the handles that a corpus keeps as one token, if it labels handles, but only those that it cuts in two.

    The Broad Twitter Corpus labels almost all handles written "@", "ana" in its sections C to H, and none of the 397
    written "@ana": whether a handle was looked at was decided by what cut the tokens. The text is the same for both.
    """
    examples = [one for split in corpus.splits.values() for one in split]
    whole = [offsets for one in examples for offsets in _whole_handles(one)]
    if not whole or any(map(_labels_whole_handles, examples)) or not any(map(_labels_cut_handles, examples)):
        return corpus
    splits = {
        name: tuple(replace(one, unannotated=frozenset(_whole_handles(one))) for one in split)
        for name, split in corpus.splits.items()
    }
    return replace(corpus, splits=splits)


def judged(examples: Sequence[Example], predicted: Sequence[Sequence[Span]]) -> list[list[Span]]:
    """Leave out the spans found at words that nobody annotated: they are neither right nor wrong."""
    return [
        [span for span in spans if (span.start, span.end) not in example.unannotated]
        for example, spans in zip(examples, predicted, strict=True)
    ]


def _whole_handles(example: Example) -> list[tuple[int, int]]:
    return [(start, end) for start, end in example.tokens if HANDLE.fullmatch(example.text[start:end])]


def _labels_whole_handles(example: Example) -> bool:
    labels = dict(zip(example.tokens, example.token_labels, strict=True))
    return any(labels[offsets] != OUTSIDE for offsets in _whole_handles(example))


def _labels_cut_handles(example: Example) -> bool:
    surfaces = [example.text[start:end] for start, end in example.tokens]
    return any(
        surface == "@" and label != OUTSIDE for surface, label in zip(surfaces, example.token_labels, strict=True)
    )
