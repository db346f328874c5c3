"""Corpus tokens to text and spans, and spans back to corpus tokens."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagging.spans import Chunk, Span, chunks, chunks_to_spans, label_list
from tagging.words import words
from trainer.corpus import load_files
from trainer.examples import Corpus, Example, from_tokens, official_chunks

some_tokens = st.lists(
    st.tuples(
        st.sampled_from(["@", "#", "ana_b", "London", "'s", "n't", "", "😀", "...", "東京"]),
        st.sampled_from(label_list(["PER", "LOC"])),
    ),
    max_size=10,
)


def example(rows: str) -> Example:
    """Make an Example of `token/label` pairs."""
    tokens, labels = zip(*(row.rsplit("/", 1) for row in rows.split()), strict=True)
    return from_tokens(tokens, labels)


def surfaces(one: Example) -> list[tuple[str, str]]:
    return [(span.surface(one.text), span.label) for span in one.spans]


@pytest.mark.parametrize(
    ("rows", "text", "spans"),
    [
        ("@/B-PER ana/B-PER met/O Bob/B-PER", "@ana met Bob", [("@ana", "PER"), ("Bob", "PER")]),
        ("@/O ana/B-PER", "@ana", [("@ana", "PER")]),
        ("@/B-PER ana/I-PER", "@ana", [("@ana", "PER")]),
        ("@/B-PER ana/O", "@ana", []),
        ("the/O #/O London/B-LOC", "the #London", [("#London", "LOC")]),
        ("in/O New/B-LOC York/I-LOC", "in New York", [("New York", "LOC")]),
        ("Ana/B-PER @/O", "Ana @", [("Ana", "PER")]),
        ("#/O #/O London/B-LOC", "##London", [("##London", "LOC")]),
        ("@/O", "@", []),
    ],
)
def test_signs_are_joined_to_what_follows(rows: str, text: str, spans: list[tuple[str, str]]) -> None:
    one = example(rows)
    assert one.text == text
    assert surfaces(one) == spans


def test_a_blank_token_leaves_the_others_where_they_were() -> None:
    one = from_tokens(["Ana", "", "Bob"], ["B-PER", "O", "B-PER"])
    assert surfaces(one) == [("Ana", "PER"), ("Bob", "PER")]
    assert official_chunks(one, one.spans) == chunks(one.token_labels)


@settings(deadline=None)
@given(some_tokens)
def test_tokens_lie_in_the_text_where_their_offsets_say(rows: list[tuple[str, str]]) -> None:
    tokens, labels = [token for token, _ in rows], [label for _, label in rows]
    one = from_tokens(tokens, labels)
    assert [one.text[start:end] for start, end in one.tokens] == tokens
    assert list(one.token_labels) == labels
    assert len(one.word_labels()) == len(words(one.text))


def test_tokens_and_labels_of_different_number_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        from_tokens(["Ana", "Bob"], ["O"])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("@/B-PER ana/B-PER met/O", [Chunk(0, 0, "PER"), Chunk(1, 1, "PER")]),
        ("the/O #/O London/B-LOC", [Chunk(2, 2, "LOC")]),
        ("mr/O @/B-PER ana/B-PER smith/I-PER", [Chunk(1, 1, "PER"), Chunk(2, 3, "PER")]),
        ("New/B-LOC York/I-LOC", [Chunk(0, 1, "LOC")]),
    ],
)
def test_spans_are_written_as_the_gold_is(rows: str, expected: list[Chunk]) -> None:
    one = example(rows)
    assert official_chunks(one, one.spans) == expected == chunks(one.token_labels)


def test_a_span_of_a_sign_alone_stays_one_entity() -> None:
    one = example("Ana/O @/B-PER")
    assert official_chunks(one, [Span(4, 5, "PER")]) == [Chunk(1, 1, "PER")]


def test_an_example_without_tokens_is_read_by_our_words() -> None:
    one = Example("@ana’s #London", (Span(0, 4, "PER"), Span(7, 14, "LOC")))
    assert official_chunks(one, one.spans) == [Chunk(0, 0, "PER"), Chunk(2, 2, "LOC")]
    assert one.word_labels() == ["B-PER", "O", "B-LOC"]


def test_a_span_that_ends_inside_a_word_takes_the_word() -> None:
    assert Example("in Londonish", (Span(3, 9, "LOC"),)).word_labels() == ["O", "B-LOC"]


def test_a_corpus_lists_its_labels_and_sizes() -> None:
    corpus = Corpus("c", {"train": (example("Ana/B-PER"), example("x/O")), "test": (example("Rome/B-LOC"),)})
    assert corpus.entity_labels == ("LOC", "PER")
    assert corpus.sizes == {"train": 2, "test": 1}


FINGERPRINTED = Corpus("c", {"train": (example("Ana/B-PER in/O Rome/B-LOC"), example("hi/O"))})
ANA, HI = FINGERPRINTED.splits["train"]


@pytest.mark.parametrize(
    "splits",
    [
        {"train": (HI, ANA)},
        {"train": (ANA,)},
        {"test": (ANA, HI)},
        {"train": (ANA, HI), "test": ()},
        {"train": (ANA,), "test": (HI,)},
        {"train": (ANA, example("ho/O"))},
        {"train": (example("Ana/B-ORG in/O Rome/B-LOC"), HI)},
        {"train": (example("Ana/I-PER in/O Rome/B-LOC"), HI)},
        {"train": (Example(ANA.text, ANA.spans), HI)},
        {"train": (Example(ANA.text, ANA.spans[:1], ANA.tokens, ANA.token_labels), HI)},
    ],
)
def test_any_change_changes_the_fingerprint(splits: dict[str, tuple[Example, ...]]) -> None:
    assert Corpus("c", splits).fingerprint != FINGERPRINTED.fingerprint


def test_the_name_and_the_order_of_splits_do_not_change_the_fingerprint() -> None:
    one, other = (ANA,), (HI,)
    forth, back = Corpus("c", {"train": one, "test": other}), Corpus("d", {"test": other, "train": one})
    assert forth.fingerprint == back.fingerprint


def test_nearly_every_entity_of_the_broad_twitter_corpus_is_a_run_of_our_words(shared: Path) -> None:
    corpus = load_files(shared / "btc" / "train.conll", shared / "btc" / "dev.conll")
    gold, expressed = 0, 0
    missed: Counter[tuple[str, str]] = Counter()
    for one in (one for split in corpus.splits.values() for one in split):
        wanted = set(chunks(one.token_labels))
        ours = chunks_to_spans(chunks(one.word_labels()), words(one.text))
        lost = wanted - set(official_chunks(one, ours))
        gold, expressed = gold + len(wanted), expressed + len(wanted) - len(lost)
        for chunk in lost:
            around = slice(one.tokens[chunk.first][0], one.tokens[chunk.last][1])
            missed[one.text[around], chunk.label] += 1
    print(f"{expressed} of {gold} gold entities = {expressed / gold:.3%}; not expressed: {missed.most_common()}")  # noqa: T201
    assert gold > 5000
    assert expressed / gold >= 0.995
