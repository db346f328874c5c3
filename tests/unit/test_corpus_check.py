"""Faults of a corpus are found, and only those."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from tagging.spans import Span
from trainer.corpus_check import check, conflicts, shape
from trainer.examples import Corpus, Example, from_tokens
from trainer.unannotated import with_unannotated

BROAD_TWITTER_CORPUS = Path(__file__).parents[3] / "shared" / "btc"


def sentence(*labelled: str) -> Example:
    """Make an example of token/label pairs."""
    tokens, labels = zip(*(one.rsplit("/", 1) for one in labelled), strict=True)
    return from_tokens(tokens, labels)


CLEAN = (sentence("Ana/B-PER", "lives/O", "in/O", "San/B-LOC", "Diego/I-LOC"), sentence("no/O", "entity/O"))


def found(*train: Example, validation: tuple[Example, ...] = ()) -> dict[str, tuple[str, int, int]]:
    corpus = Corpus("made", {"train": train} | ({"validation": validation} if validation else {}))
    return {one.kind: (one.where, one.count, one.of) for one in check(corpus)}


def test_a_clean_corpus_has_no_findings() -> None:
    assert found(*CLEAN, validation=(sentence("another/O", "one/O"),)) == {}


def test_iob2_that_continues_nothing_is_counted_among_all_insides() -> None:
    wrong = sentence("in/O", "San/I-LOC", "Diego/I-PER", "Bob/B-PER", "Fox/I-PER")
    assert found(wrong) == {"I- that continues nothing": ("train", 2, 3)}


def test_texts_that_come_again_are_counted_without_the_first() -> None:
    shouted = sentence("NO/O", "entity/O")
    assert found(*CLEAN, CLEAN[1], shouted) == {"texts that come again": ("train", 2, 4)}


def test_texts_of_another_split_are_a_leak() -> None:
    assert found(*CLEAN, validation=(CLEAN[0],)) == {"texts of another split": ("validation, of train", 1, 1)}


@pytest.mark.parametrize("odd", ["\ufffd", "\u202e", "\x07", "\ue000"])
def test_odd_characters_are_counted_by_text(odd: str) -> None:
    assert found(Example(f"a {odd}{odd} b", ()), Example("tab\tand line\n", ())) == {
        "texts with odd characters": ("train", 1, 2)
    }


def test_a_token_with_two_readings_between_like_neighbours_contradicts_itself() -> None:
    inside = [[("@", "B-PER"), ("Ana", "B-PER")]] * 30
    outside = [[("@", "O"), ("Eve", "B-PER")]] * 12
    [finding] = conflicts("train", inside + outside)
    assert (finding.kind, finding.count, finding.of) == ("contradicting labels of '@'", 12, 42)
    assert finding.examples == ("(start) @ Capital: 30 in an entity, 12 outside",)


def test_two_readings_in_different_contexts_are_the_language() -> None:
    name = [[("Apple", "B-ORG"), ("said", "O")]] * 30
    fruit = [[("an", "O"), ("Apple", "O")]] * 30
    assert conflicts("train", name + fruit) == []


def test_a_rare_second_reading_is_no_conflict() -> None:
    assert conflicts("train", [[("Ana", "B-PER")]] * 300 + [[("Ana", "O")]] * 12) == []
    assert conflicts("train", [[("Ana", "B-PER")]] * 9 + [[("Ana", "O")]] * 9) == []


def test_shapes() -> None:
    assert [shape(one) for one in ("Ana", "NASA", "dog", "3-2", "!", "I", "", "東京")] == [
        "Capital", "CAPITALS", "lower", "number", "sign", "Capital", "sign", "lower",
    ]  # fmt: skip


def test_handles_that_nobody_annotated_are_counted_among_all() -> None:
    cut = sentence("@/B-PER", "ana/B-PER", "met/O", "Bob/B-PER")
    whole = sentence("@bob_b/O", "met/O", "Ana/B-PER")
    corpus = with_unannotated(Corpus("made", {"train": (cut, whole)}))
    kinds = {one.kind: (one.count, one.of, one.examples) for one in check(corpus)}
    assert kinds["handles left as one token, never labelled"] == (1, 2, ("@bob_b",))


def test_examples_without_tokens_are_read_by_our_words() -> None:
    examples = [Example("Ana 😀", (Span(0, 3, "PER"),))] * 20 + [Example("Ana 😀", ())] * 20
    kinds = found(*examples)
    assert kinds["contradicting labels of 'Ana'"] == ("train", 20, 40)


@pytest.mark.skipif(not BROAD_TWITTER_CORPUS.exists(), reason="the Broad Twitter Corpus is not here")
def test_the_known_fault_of_the_broad_twitter_corpus_comes_first() -> None:
    done = CliRunner().invoke(cli.main, ["corpus", "check", str(BROAD_TWITTER_CORPUS / "train.conll"), "--json"])
    assert done.exit_code == 0, done.output
    first, *_ = json.loads(done.stdout)
    assert first["kind"] == "contradicting labels of '@'"
    assert first["count"] > 500


def test_the_command_counts_the_sample() -> None:
    done = CliRunner().invoke(cli.main, ["corpus", "stats", "sample", "--json"])
    assert done.exit_code == 0, done.output
    train, validation, test = json.loads(done.stdout)
    assert [one["split"] for one in (train, validation, test)] == ["train", "validation", "test"]
    for one in (train, validation, test):
        assert one["LOC"] + one["ORG"] + one["PER"] == one["entities"] > 0
        assert 0 < one["words, median"] <= one["words, p90"] <= one["words, most"]
    assert train["texts"] + validation["texts"] + test["texts"] == 860


def test_a_clean_corpus_is_told_so_and_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    file = tmp_path / "train.conll"
    file.write_text("Ana\tB-PER\nlives\tO\n")
    assert CliRunner().invoke(cli.main, ["corpus", "check", str(file)]).stdout == "nothing found\n"
    missing = CliRunner().invoke(cli.main, ["corpus", "check", str(tmp_path / "dev.conll")])
    assert missing.exit_code == 1
    assert "there is no file" in missing.output
    four = CliRunner().invoke(cli.main, ["corpus", "stats", *[str(file)] * 4])
    assert "give the training, validation and test file at most" in four.output
