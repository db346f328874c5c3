"""Labels mapped, and repairs of what is trained on: pure functions from a Corpus to a Corpus.

A repair changes the training split alone, so that scores stay comparable. docs/corpora.md says what each does to them.
Standard library only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from tagging.errors import ConfigError, CorpusError
from tagging.spans import OUTSIDE, Chunk, chunks, iob2
from trainer.examples import Corpus, Example
from trainer.folding import folded


def change(corpus: Corpus, changes: Sequence[str]) -> Corpus:
    """Change a corpus step by step: "map-label corporation=ORG,group=ORG", "repair drop-leaks"; it keeps the list.

    Raises ConfigError for a map that cannot be read, CorpusError for a label that is not there, or if nothing is left.
    """
    for one in changes:
        kind, _, value = one.partition(" ")
        if kind == "map-label":
            corpus = map_labels(corpus, read_label_map(value))
        elif kind == "repair" and value in REPAIRS:
            corpus = REPAIRS[value](corpus)
        else:
            raise ConfigError(f"{one!r} changes no corpus; write `map-label A=B`, or `repair` and one of {_NAMES}")
        if not any(example.spans for example in _train(corpus)):
            raise CorpusError(f"--{one} leaves no training text of {corpus.name} with an entity; do without it")
    return replace(corpus, changes=(*corpus.changes, *changes))


def read_label_map(text: str) -> dict[str, str]:
    """Read which label becomes which; O drops a label's spans. Raises ConfigError for what is no such pair.

    >>> read_label_map("corporation=ORG,creative-work=O")
    {'corporation': 'ORG', 'creative-work': 'O'}
    """
    mapped: dict[str, str] = {}
    for pair in text.split(","):
        label, _, to = (part.strip() for part in pair.partition("="))
        if not label or not to or label == OUTSIDE:
            raise ConfigError(f"{pair!r} maps no label; write corporation=ORG, or creative-work=O to drop its spans")
        if mapped.setdefault(label, to) != to:
            raise ConfigError(f"the label {label!r} is mapped to {mapped[label]!r} and to {to!r}; give one of them")
    return mapped


def map_labels(corpus: Corpus, mapped: Mapping[str, str]) -> Corpus:
    """Give every span of every split its new label, or drop it where that is O; other labels stay.

    Raises CorpusError for a label that is not in the corpus.
    """
    unknown = next((label for label in mapped if label not in corpus.entity_labels), None)
    if unknown is not None:
        raise CorpusError(f"no label {unknown!r} is in {corpus.name}; there is: {', '.join(corpus.entity_labels)}")
    splits = {name: tuple(_mapped(one, mapped) for one in split) for name, split in corpus.splits.items()}
    return replace(corpus, splits=splits)


def drop_duplicates(corpus: Corpus) -> Corpus:
    """Drop training texts that came before, read without case and spaces."""
    first: dict[str, Example] = {}
    for one in _train(corpus):
        first.setdefault(_key(one), one)
    return _with_train(corpus, first.values())


def drop_leaks(corpus: Corpus) -> Corpus:
    """Drop training texts that are in another split too, read without case and spaces."""
    others = {_key(one) for name, split in corpus.splits.items() if name != "train" for one in split}
    return _with_train(corpus, (one for one in _train(corpus) if _key(one) not in others))


REPAIRS: dict[str, Callable[[Corpus], Corpus]] = {
    "drop-duplicates": drop_duplicates,
    "drop-leaks": drop_leaks,
}


_NAMES = ", ".join(REPAIRS)


def _train(corpus: Corpus) -> tuple[Example, ...]:
    return corpus.splits.get("train", ())


def _with_train(corpus: Corpus, train: Iterable[Example]) -> Corpus:
    return replace(corpus, splits={**corpus.splits, "train": tuple(train)})


def _key(example: Example) -> str:
    return folded(example.text)


def _mapped(example: Example, mapped: Mapping[str, str]) -> Example:
    spans = (replace(span, label=mapped.get(span.label, span.label)) for span in example.spans)
    units = (Chunk(one.first, one.last, mapped.get(one.label, one.label)) for one in chunks(example.token_labels))
    return replace(
        example,
        spans=tuple(span for span in spans if span.label != OUTSIDE),
        token_labels=tuple(iob2([unit for unit in units if unit.label != OUTSIDE], len(example.tokens))),
    )
