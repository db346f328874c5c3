"""Load annotated corpora: from the Hub, from CoNLL or JSONL files, or the sample that comes with tweetspan."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, load_dataset

from tagging.errors import CorpusError
from tagging.spans import Span
from trainer.examples import Corpus, Example, from_tokens
from trainer.hub import require_hub
from trainer.sample import sample_folder

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
    train: Path, validation: Path | None = None, test: Path | None = None, name: str | None = None
) -> Corpus:
    """Load a corpus from CoNLL files (two columns, blank line between texts) or JSONL files (see `_from_json`)."""
    files = {"train": train, "validation": validation, "test": test}
    splits = {split: tuple(_read(path)) for split, path in files.items() if path is not None}
    return Corpus(name or str(train), splits)


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
    return Corpus(
        corpus.name,
        {**corpus.splits, "train": tuple(shuffled[held_back:]), "validation": tuple(shuffled[:held_back])},
    )


def _read(path: Path) -> Iterator[Example]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 (byte {error.start}); convert it first") from error
    first = next((line for line in lines if line.strip()), "").strip()
    is_json = first.startswith("{") and first.endswith("}")
    yield from _read_jsonl(path, lines) if is_json else _read_conll(path, lines)


def _read_conll(path: Path, lines: Sequence[str]) -> Iterator[Example]:
    rows: list[tuple[str, str]] = []
    for number, line in enumerate([*lines, ""], start=1):
        line = line.rstrip("\r")
        if line.strip():
            rows.append(_conll_row(path, number, line))
        elif rows:
            tokens, labels = zip(*rows, strict=True)
            yield from_tokens(tokens, labels)
            rows = []


def _conll_row(path: Path, number: int, line: str) -> tuple[str, str]:
    columns = line.split("\t") if "\t" in line else line.split(" ")
    token, label = columns[0], columns[-1]  # of more than two columns the first and the last count
    if len(columns) < 2:
        raise CorpusError(f"{path}:{number}: {line[:60]!r} has one column; expected a token, a tab and a label")
    if not _is_iob2(label):
        raise CorpusError(f"{path}:{number}: {label[:60]!r} is not an IOB2 label; expected O, B-… or I-…")
    return token, label


def _is_iob2(label: Any) -> bool:
    return isinstance(label, str) and (label == "O" or (label[:2] in ("B-", "I-") and len(label) > 2))


def _from_iob2(tokens: Sequence[str], labels: Sequence[str]) -> Example:
    """Make an Example from what a file says; raises ValueError where `from_tokens` would go wrong silently."""
    if len(tokens) != len(labels):
        raise ValueError(f"{len(tokens)} tokens and {len(labels)} labels")
    wrong = next((label for label in labels if not _is_iob2(label)), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is not an IOB2 label; expected O, B-… or I-…")
    return from_tokens(tokens, labels)


def _read_jsonl(path: Path, lines: Iterable[str]) -> Iterator[Example]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _from_json(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise CorpusError(
                    f'{path}:{number}: {error!r}; expected {{"text", "spans": [{{"start", "end", "label"}}]}} '
                    'with code-point offsets, or {"tokens", "labels"}'
                ) from error


def _from_json(row: dict[str, Any]) -> Example:
    if "tokens" in row:
        return _from_iob2(row["tokens"], row["labels"])
    text = row["text"]
    if not isinstance(text, str):
        raise TypeError(f"the text is {text!r}, not a string")
    spans = tuple(sorted(Span(int(one["start"]), int(one["end"]), str(one["label"])) for one in row["spans"]))
    for span in spans:
        if not 0 <= span.start < span.end <= len(text):
            raise ValueError(f"span {span.start}-{span.end} lies outside the text of {len(text)} characters")
    for one, following in pairwise(spans):
        if following.start < one.end:
            raise ValueError(f"spans {one.start}-{one.end} and {following.start}-{following.end} overlap")
    return Example(text, spans)


def _from_dataset_dict(loaded: DatasetDict, name: str) -> Corpus:
    splits = {
        _SPLIT_NAMES[split]: tuple(_from_dataset(loaded[split], name)) for split in loaded if split in _SPLIT_NAMES
    }
    return Corpus(name, splits)


def _from_dataset(dataset: Dataset, name: str) -> Iterator[Example]:
    column = next((column for column in _LABEL_COLUMNS if column in dataset.features), None)
    if column is None or "tokens" not in dataset.features:
        wanted = f"tokens and one of {', '.join(_LABEL_COLUMNS)}"
        raise CorpusError(f"dataset {name} has the columns {', '.join(dataset.features)}; expected {wanted}")
    names = getattr(dataset.features[column].feature, "names", None)  # a ClassLabel's; plain strings have none
    for row in dataset:
        labels = [names[label] for label in row[column]] if names else row[column]
        try:
            yield _from_iob2(row["tokens"], labels)
        except ValueError as error:
            raise CorpusError(f"dataset {name}: {error}") from error
