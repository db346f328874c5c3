"""Examples to what the network learns from: token ids and a label for each, window by window."""

from collections.abc import Sequence
from typing import Any

from torch.utils.data import Dataset

from tagging.encoding import Encoder, Window
from tagging.spans import OUTSIDE
from trainer.examples import Example

IGNORED = -100  # the loss passes over these positions


class TrainingSet(Dataset[dict[str, Any]]):
    """Rows of input_ids, attention_mask and labels."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


def training_set(encoder: Encoder, examples: Sequence[Example], labels: Sequence[str], subwords: str) -> TrainingSet:
    """Encode examples; each window of a long text is a row. `subwords` is `first` or `all`, see TrainingConfig."""
    classes = {label: index for index, label in enumerate(labels)}
    rows: list[dict[str, Any]] = []
    for example, encoded in zip(examples, encoder.encode([one.text for one in examples]), strict=True):
        word_labels = [
            None if offsets in example.unannotated else label
            for offsets, label in zip(encoded.words, example.word_labels(), strict=True)
        ]
        for window in encoded.windows:
            token_classes = [
                IGNORED if label is None else classes[label] for label in token_labels(window, word_labels, subwords)
            ]
            rows.append({"input_ids": window.ids, "attention_mask": [1] * len(window.ids), "labels": token_classes})
    return TrainingSet(rows)


def token_labels(window: Window, word_labels: Sequence[str | None], subwords: str) -> list[str | None]:
    """Label the sub-words of a window: each word's on its first, None on the others and on special tokens.

    With `subwords` "all" the others carry the word's label too, B- continued by I-.
    """
    labels: list[str | None] = [None] * len(window.ids)
    for head, word, end in zip(window.heads, window.words, window.ends, strict=True):
        label = word_labels[word]
        labels[head] = label
        if subwords == "all":
            labels[head + 1 : end] = [_continued(label)] * (end - head - 1)
    return labels


def _continued(label: str | None) -> str | None:
    return label if label in (OUTSIDE, None) else f"I-{label[2:]}"
