"""The annotated texts that `tweetspan evaluate` is asked about, and the training split's entities beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.version_corpus import corpus_for, own_corpus
from db.tables import ModelVersion
from tagging.errors import CorpusError, HubUnreachableError
from trainer.corpus import load_named, load_texts, with_validation
from trainer.examples import Corpus, Example
from trainer.slices import Seen, seen_entities

ALL = "all"  # the "split" of a file that holds nothing else


@dataclass(frozen=True)
class AnnotatedTexts:
    """The texts to be evaluated on, where they come from, and the training split's entities, where known."""

    corpus: str
    split: str
    examples: Sequence[Example]
    seen: Seen | None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the texts and their gold alone, whatever the corpus and split are called."""
        return texts_fingerprint(self.examples)


def texts_fingerprint(examples: Sequence[Example]) -> str:
    """Return the SHA-256 over texts and their gold, wherever they come from."""
    return Corpus("", {"texts": tuple(examples)}).fingerprint


def find_texts(version: ModelVersion | None, dataset: str | None, file: Path | None, split: str) -> AnnotatedTexts:
    """Load the annotated texts: a file, a split of a dataset, or one of the corpus that a version was trained on.

    Raises CorpusError, HubUnreachableError.
    """
    if file:
        examples = load_texts(file)
        if not examples:
            raise CorpusError(f"{file} holds no text; give a CoNLL or JSONL file with annotated texts")
        return AnnotatedTexts(str(file), ALL, examples, _seen(version))
    corpus = _corpus(version, dataset, split)
    if not corpus.splits.get(split):
        raise CorpusError(f"corpus {corpus.name} has no {split} split, but {', '.join(corpus.splits)}; give --split")
    is_own = version is not None and corpus.fingerprint == version.corpus_fingerprint
    seen = seen_entities(corpus.splits["train"]) if is_own else _seen(version)
    return AnnotatedTexts(corpus.name, split, corpus.splits[split], seen)


def _corpus(version: ModelVersion | None, dataset: str | None, split: str) -> Corpus:
    """Load a dataset, or else a version's own corpus."""
    if dataset is None:
        assert version is not None, "of what is not registered no corpus is known"
        return corpus_for(version, None, None, None, wanted="give --dataset or --file")
    corpus = load_named(dataset)
    if version is None or split != "validation" or corpus.splits.get(split):
        return corpus
    return with_validation(corpus, int(version.config.get("seed", 1)))  # as the training drew it


def _seen(version: ModelVersion | None) -> Seen | None:
    """Collect the entities of a version's training split, if its corpus is still there and of the recorded size."""
    if version is None:
        return None
    try:
        train = own_corpus(version).splits["train"]
    except (CorpusError, HubUnreachableError):
        return None
    return seen_entities(train) if len(train) == version.split_sizes.get("train") else None
