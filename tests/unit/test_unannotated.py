"""Handles that a corpus keeps as one token are not annotated, where it labels those that it cuts in two."""

from pathlib import Path

from tagging.spans import Span
from trainer.corpus import load_files
from trainer.entity_counts import entity_counts
from trainer.examples import Corpus, Example, from_tokens
from trainer.scoring import score
from trainer.unannotated import judged, with_unannotated

CUT = from_tokens(["@", "ana", "met", "Bob"], ["B-PER", "B-PER", "O", "B-PER"])
WHOLE = from_tokens(["@bob_b", "met", "Ana"], ["O", "O", "B-PER"])
ENTITY = from_tokens(["@bob_b", "met", "Ana"], ["B-PER", "O", "B-PER"])


def marked(*examples: Example) -> list[frozenset[tuple[int, int]]]:
    corpus = with_unannotated(Corpus("small", {"train": tuple(examples)}))
    return [one.unannotated for one in corpus.splits["train"]]


def test_a_whole_handle_is_unannotated_beside_cut_ones_with_a_label() -> None:
    assert marked(CUT, WHOLE) == [frozenset(), frozenset({(0, 6)})]


def test_a_corpus_that_never_labels_handles_means_it() -> None:
    assert marked(WHOLE) == [frozenset()]


def test_a_corpus_that_labels_whole_handles_means_those_that_are_outside() -> None:
    assert marked(CUT, WHOLE, ENTITY) == [frozenset()] * 3


def test_what_is_found_there_is_neither_right_nor_wrong() -> None:
    corpus = with_unannotated(Corpus("small", {"train": (CUT, WHOLE)}))
    examples = corpus.splits["train"]
    found = [list(one.spans) for one in examples]
    with_more = [found[0], [Span(0, 6, "PER"), *found[1]]]
    assert judged(examples, with_more) == found
    assert score(lambda _: with_more, examples)["overall_f1"] == 1
    for figure in ("official", "joined", "plain"):
        assert (
            entity_counts(figure, examples, with_more).table.tolist()
            == entity_counts(figure, examples, found).table.tolist()
        )


def test_the_broad_twitter_corpus_has_397(shared: Path) -> None:
    corpus = load_files(shared / "btc" / "train.conll", shared / "btc" / "dev.conll")
    marked_words = {name: sum(len(one.unannotated) for one in split) for name, split in corpus.splits.items()}
    assert marked_words == {"train": 259, "validation": 138}
