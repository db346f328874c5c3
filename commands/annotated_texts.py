"""The annotated texts that `tweetspan evaluate` is asked about, and the training split's entities beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.optimizing import corpus_for
from db.tables import ModelVersion
from tagging.errors import CorpusError, HubUnreachableError
from trainer.corpus import load_files, load_named, with_validation
from trainer.corpus_files import read_examples
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
        return Corpus("", {"texts": tuple(self.examples)}).fingerprint


def find_texts(version: ModelVersion | None, dataset: str | None, file: Path | None, split: str) -> AnnotatedTexts:
    """Load the annotated texts: a file, a split of a dataset, or one of the corpus that a version was trained on.

    Raises CorpusError, HubUnreachableError.
    """
    if file:
        examples = list(read_examples(file))
        if not examples:
            raise CorpusError(f"{file} holds no text; give a CoNLL or JSONL file with annotated texts")
        return AnnotatedTexts(str(file), ALL, examples, _seen(version) if version else None)
    corpus = _corpus(version, dataset, split)
    if not corpus.splits.get(split):
        raise CorpusError(f"corpus {corpus.name} has no {split} split, but {', '.join(corpus.splits)}; give --split")
    if version and corpus.fingerprint != version.corpus_fingerprint:
        seen = _seen(version)
    else:
        seen = seen_entities(corpus.splits["train"]) if "train" in corpus.splits else None
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


def _seen(version: ModelVersion) -> Seen | None:
    """Collect the entities of a version's training split, if its corpus is still there and of the recorded size."""
    try:
        file = Path(version.corpus)
        corpus = load_files(file) if file.is_file() else load_named(version.corpus)
        if len(corpus.splits.get("train", ())) != version.split_sizes.get("train"):
            corpus = with_validation(corpus, int(version.config.get("seed", 1)))
    except (CorpusError, HubUnreachableError):
        return None
    train = corpus.splits["train"]
    return seen_entities(train) if len(train) == version.split_sizes.get("train") else None
