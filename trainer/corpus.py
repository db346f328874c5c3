"""Load annotated corpora: from the Hub, from CoNLL or JSONL files, or the sample that comes with tweetspan."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from datasets import Dataset, DatasetDict, load_dataset

from tagging.errors import CorpusError
from trainer.corpus_files import from_iob2, read_examples
from trainer.examples import Corpus, Example
from trainer.hub import require_hub
from trainer.sample import sample_folder
from trainer.unannotated import with_unannotated

BROAD_TWITTER_CORPUS = "GateNLP/broad_twitter_corpus"
SAMPLE = "sample"
_PARQUET_REVISION = "refs/convert/parquet"  # the Hub's converted files: `datasets` 4 refuses loading scripts
_SPLIT_NAMES = {
    "train": "train",
    "validation": "validation",
    "dev": "validation",
    "valid": "validation",
    "test": "test",
}
_LABEL_COLUMNS = ("ner_tags", "labels", "tags")


def load_corpus(
    datasets: Sequence[str] = (),
    train_files: Sequence[Path] = (),
    validation_files: Sequence[Path] = (),
    test_files: Sequence[Path] = (),
) -> Corpus:
    """Load datasets (see `load_named`) and files, joined in this order; the n-th files of each kind belong together."""
    kinds = {"train_files": train_files, "validation_files": validation_files, "test_files": test_files}
    corpora = [load_named(name) for name in datasets]
    corpora += [_from_files(*files) for files in zip_longest(*kinds.values())]
    sources = {kind: [str(path.absolute()) for path in paths] for kind, paths in kinds.items()}
    return replace(joined(corpora), sources={"datasets": list(datasets), **sources})


def joined(corpora: Sequence[Corpus]) -> Corpus:
    """Join corpora split by split, in their order."""
    splits: dict[str, tuple[Example, ...]] = {}
    for corpus in corpora:
        splits |= {name: splits.get(name, ()) + split for name, split in corpus.splits.items()}
    return Corpus(" + ".join(corpus.name for corpus in corpora if corpus.name), splits)


def load_named(name: str) -> Corpus:
    """Load `sample`, a dataset of the Hub, or a local folder of parquet files, by name.

    Raises CorpusError for a dataset without tokens and labels, HubUnreachableError where the hub does not answer.
    """
    if name == SAMPLE:
        train, validation, test = (sample_folder() / f"{split}.jsonl" for split in ("train", "validation", "test"))
        return load_files(train, validation, test, name=SAMPLE)
    if Path(name).is_dir():
        try:
            return _from_dataset_dict(load_dataset(name), name)
        except FileNotFoundError as error:
            raise CorpusError(f"the folder {name} holds no dataset; put train-*.parquet files into it") from error
    require_hub(name, "dataset")
    try:
        return _from_dataset_dict(load_dataset(name, revision=_PARQUET_REVISION), name)
    except (OSError, ValueError) as error:  # no converted files, several configurations, a lost connection
        raise CorpusError(f"cannot load dataset {name}: {error}; give --train-file, or another --dataset") from error


def load_files(
    train: Path, validation: Path | None = None, test: Path | None = None, *, name: str | None = None
) -> Corpus:
    """Load a corpus from CoNLL or JSONL files (see `trainer.corpus_files`)."""
    return replace(_from_files(train, validation, test), name=name or str(train))


def _from_files(train: Path | None, validation: Path | None, test: Path | None) -> Corpus:
    files = {"train": train, "validation": validation, "test": test}
    splits = {split: tuple(read_examples(path)) for split, path in files.items() if path is not None}
    return with_unannotated(Corpus(str(train or ""), splits))


def load_texts(file: Path) -> tuple[Example, ...]:
    """Load the annotated texts of a file that is no split of anything. Raises CorpusError."""
    return load_files(file).splits["train"]


def with_validation(corpus: Corpus, seed: int) -> Corpus:
    """Return the corpus with a validation split: its own, or a tenth of the training split drawn with `seed`.

    Raises CorpusError if there is no training split, or no entity in it.
    """
    train = corpus.splits.get("train", ())
    if not any(example.spans for example in train):
        raise CorpusError(
            f"corpus {corpus.name} has no annotated training text; give --train-file or another --dataset"
        )
    if corpus.splits.get("validation"):
        return corpus
    if len(train) < 10:
        raise CorpusError(
            f"corpus {corpus.name} has {len(train)} training texts, too few to hold some back for validation"
        )
    shuffled = random.Random(seed).sample(train, len(train))  # noqa: S311 (no secret)
    held_back = max(1, len(train) // 10)
    train, validation = tuple(shuffled[held_back:]), tuple(shuffled[:held_back])
    return replace(corpus, splits={**corpus.splits, "train": train, "validation": validation})


def _from_dataset_dict(loaded: DatasetDict, name: str) -> Corpus:
    splits = {
        _SPLIT_NAMES[split]: tuple(_from_dataset(loaded[split], name)) for split in loaded if split in _SPLIT_NAMES
    }
    return with_unannotated(Corpus(name, splits))


def _from_dataset(dataset: Dataset, name: str) -> Iterator[Example]:
    column = next((column for column in _LABEL_COLUMNS if column in dataset.features), None)
    if column is None or "tokens" not in dataset.features:
        wanted = f"tokens and one of {', '.join(_LABEL_COLUMNS)}"
        raise CorpusError(f"dataset {name} has the columns {', '.join(dataset.features)}; expected {wanted}")
    names = getattr(dataset.features[column].feature, "names", None)  # a ClassLabel's; plain strings have none
    for row in dataset:
        labels = [names[label] for label in row[column]] if names else row[column]
        try:
            yield from_iob2(row["tokens"], labels)
        except ValueError as error:
            raise CorpusError(f"dataset {name}: {error}") from error
