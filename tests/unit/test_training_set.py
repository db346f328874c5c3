"""Labels of words on sub-words: on the first or on all, and -100 everywhere else."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tagging.encoding import Encoder
from tagging.spans import Span, label_list
from tests.tiny import save_tiny_encoder
from trainer.examples import Corpus, Example, from_tokens
from trainer.training_set import IGNORED, training_set
from trainer.unannotated import with_unannotated

LABELS = label_list(["LOC", "PER"])
EXAMPLE = Example(
    "Anastasia Zimmermann met Bob in Timbuktu", (Span(0, 20, "PER"), Span(25, 28, "PER"), Span(32, 40, "LOC"))
)
WORD_LABELS = ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC"]


@pytest.fixture(scope="module", params=["wordpiece", "byte-bpe", "unigram"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """An encoder over each kind of tokenizer; each cuts the names into several sub-words."""
    folder = save_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny", request.param)
    return Encoder(AutoTokenizer.from_pretrained(folder, add_prefix_space=True), 120)


def rows(encoder: Encoder, example: Example, subwords: str) -> list[tuple[list[int], list[str | None]]]:
    """Return the ids of each row and the names of their labels."""
    trained = training_set(encoder, [example], LABELS, subwords)
    assert all(set(row["attention_mask"]) == {1} for row in trained)
    return [
        (row["input_ids"], [None if label == IGNORED else LABELS[label] for label in row["labels"]]) for row in trained
    ]


def sub_words(encoder: Encoder) -> list[list[int]]:
    """Return the ids of each word of EXAMPLE, tokenized alone; without the special tokens at both ends."""
    pieces = [encoder.encode([word])[0].windows[0].ids[1:-1] for word in EXAMPLE.text.split()]
    assert len(pieces[0]) > 1
    assert len(pieces[1]) > 1
    return pieces


def test_the_first_sub_word_carries_the_label(encoder: Encoder) -> None:
    [(ids, labels)] = rows(encoder, EXAMPLE, "first")
    expected: list[str | None] = [None]
    for piece, label in zip(sub_words(encoder), WORD_LABELS, strict=True):
        expected += [label, *[None] * (len(piece) - 1)]
    assert labels == [*expected, None]
    assert len(labels) == len(ids)


def test_all_sub_words_carry_the_label_and_go_on_with_i(encoder: Encoder) -> None:
    [(_, labels)] = rows(encoder, EXAMPLE, "all")
    expected: list[str | None] = [None]
    for piece, label in zip(sub_words(encoder), WORD_LABELS, strict=True):
        expected += [label, *[label.replace("B-", "I-")] * (len(piece) - 1)]
    assert labels == [*expected, None]


@pytest.mark.parametrize("subwords", ["first", "all"])
def test_each_window_of_a_long_text_is_a_row(encoder: Encoder, subwords: str) -> None:
    text = "Bob and " * 100
    spans = tuple(Span(start, start + 3, "PER") for start in range(0, len(text), 8))
    found = rows(encoder, Example(text, spans), subwords)
    assert len(found) > 1
    for ids, labels in found:
        assert len(ids) == len(labels) <= 120
        assert labels[0] is labels[-1] is None
        assert {"B-PER", "O"} <= set(labels)
    assert sum(labels.count("B-PER") for _, labels in found) >= 100


@pytest.mark.parametrize("subwords", ["first", "all"])
def test_a_text_without_words_is_a_row_without_labels(encoder: Encoder, subwords: str) -> None:
    [(ids, labels)] = rows(encoder, Example(" ", ()), subwords)
    assert labels == [None] * len(ids)


def test_a_character_without_sub_words_takes_no_label_of_its_neighbours(encoder: Encoder) -> None:
    with_joiner = Example("Bob \u200d Ana", (Span(0, 3, "PER"), Span(6, 9, "LOC")))
    [(_, labels)] = rows(encoder, with_joiner, "first")
    assert [label for label in labels if label not in (None, "O")] == ["B-PER", "B-LOC"]


def test_an_unannotated_word_teaches_nothing(tiny_encoder: Path) -> None:
    cut = from_tokens(["@", "ana", "met", "Bob"], ["B-PER", "B-PER", "O", "B-PER"])
    whole = from_tokens(["@bob_b", "met", "Ana"], ["O", "O", "B-PER"])
    examples = with_unannotated(Corpus("small", {"train": (cut, whole)})).splits["train"]
    encoder = Encoder(AutoTokenizer.from_pretrained(tiny_encoder), 32)
    for subwords in ("first", "all"):
        row = training_set(encoder, examples, ["O", "B-PER", "I-PER"], subwords).rows[1]
        window = encoder.encode([whole.text])[0].windows[0]
        assert row["labels"][window.heads[0] : window.heads[1]] == [-100] * (window.heads[1] - window.heads[0])
        assert row["labels"][window.heads[1]] == 0
