"""Labels are mapped, corpora joined and repaired; what was done is kept with the corpus and changes its fingerprint."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from tagging.errors import ConfigError, CorpusError
from tagging.spans import Span
from trainer.corpus import joined, load_corpus, with_validation
from trainer.corpus_repairs import REPAIRS, change
from trainer.examples import Corpus, Example, from_tokens

ACME = from_tokens(["@", "ana", "left", "Acme", "Inc"], ["B-person", "B-person", "O", "B-corporation", "I-corporation"])
SONG = from_tokens(["Hey", "Jude", "by", "the", "Beatles"], ["B-creative-work", "I-creative-work", "O", "O", "B-group"])
WNUT = Corpus("wnut", {"train": (ACME, SONG), "validation": (ACME,)})


def surfaces(example: Example) -> list[tuple[str, str]]:
    return [(span.surface(example.text), span.label) for span in example.spans]


def train(corpus: Corpus, *changes: str) -> tuple[Example, ...]:
    return change(corpus, changes).splits["train"]


def test_labels_are_mapped_in_every_split_and_in_the_corpus_own_tokens() -> None:
    mapped = change(WNUT, ["map-label corporation=ORG, group=ORG,creative-work=O", "map-label person=PER"])
    assert mapped.entity_labels == ("ORG", "PER")
    acme, song = mapped.splits["train"]
    assert surfaces(acme) == [("@ana", "PER"), ("Acme Inc", "ORG")]
    assert acme.token_labels == ("B-PER", "B-PER", "O", "B-ORG", "I-ORG")
    assert surfaces(song) == [("Beatles", "ORG")]
    assert song.token_labels == ("O", "O", "O", "O", "B-ORG")
    assert mapped.splits["validation"] == (acme,)


def test_labels_may_change_places() -> None:
    [swapped] = train(Corpus("c", {"train": (ACME,)}), "map-label person=corporation,corporation=person")
    assert surfaces(swapped) == [("@ana", "corporation"), ("Acme Inc", "person")]


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ("map-label company=ORG", CorpusError, "no label 'company' is in wnut; there is: corporation, creative-work,"),
        ("map-label company", ConfigError, "'company' maps no label; write corporation=ORG"),
        ("map-label person=", ConfigError, "'person=' maps no label"),
        ("map-label O=PER", ConfigError, "'O=PER' maps no label"),
        ("map-label group=ORG,group=O", ConfigError, "'group' is mapped to 'ORG' and to 'O'"),
        ("map-label person=O,corporation=O,group=O,creative-work=O", CorpusError, "leaves no training text of wnut"),
        ("repair drop-leaks,all", ConfigError, "'repair drop-leaks,all' changes no corpus; .* drop-duplicates,"),
    ],
)
def test_what_cannot_be_done_is_named(changes: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        change(WNUT, [changes])


def person(text: str, *starts: int) -> Example:
    """Make an example in which the words that begin at `starts` are persons."""
    ends = (f"{text} ".index(" ", start) for start in starts)
    return Example(text, tuple(Span(start, end, "PER") for start, end in zip(starts, ends, strict=True)))


ANA, SHOUTED, BOB = person("Ana met us", 0), person("ANA  met us", 0), person("Bob met us", 0)


def test_of_texts_that_come_again_the_first_stays() -> None:
    corpus = Corpus("c", {"train": (ANA, BOB, SHOUTED, BOB), "validation": (ANA, ANA)})
    repaired = change(corpus, ["repair drop-duplicates"])
    assert repaired.splits == {"train": (ANA, BOB), "validation": (ANA, ANA)}


def test_training_texts_that_are_in_another_split_are_dropped_there() -> None:
    corpus = Corpus("c", {"train": (ANA, BOB, SHOUTED), "validation": (), "test": (SHOUTED,)})
    assert change(corpus, ["repair drop-leaks"]).splits == {"train": (BOB,), "validation": (), "test": (SHOUTED,)}
    with pytest.raises(CorpusError, match="--repair drop-leaks leaves no training text of c with an entity"):
        change(Corpus("c", {"train": (ANA,), "test": (ANA,)}), ["repair drop-leaks"])


LABELLED, UNLABELLED = person("@ana met @bob", 0, 9), person("RT @eve : Ana and @bob", 10)
HANDLES = Corpus("c", {"train": (LABELLED, BOB, UNLABELLED), "validation": (UNLABELLED,)})


def test_changes_are_kept_in_order_and_can_be_repeated() -> None:
    changes = ["map-label person=PER", "repair drop-leaks"]
    changed = change(WNUT, changes)
    assert changed.changes == (*changes,)
    assert change(WNUT, changed.changes) == changed
    assert change(changed, ["map-label PER=P"]).changes == (*changes, "map-label PER=P")
    assert change(WNUT, []) == WNUT
    assert with_validation(change(Corpus("c", {"train": (ANA,) * 20}), ["map-label PER=P"]), 1).changes


@pytest.mark.parametrize("name", REPAIRS)
def test_what_is_fingerprinted_is_the_repaired_corpus(name: str) -> None:
    corpus = joined([HANDLES, Corpus("d", {"train": (SHOUTED, ANA), "test": (ANA, BOB)})])
    assert change(corpus, [f"repair {name}"]).fingerprint != corpus.fingerprint


def test_corpora_are_joined_split_by_split(tmp_path: Path) -> None:
    first, second = Corpus("a", {"train": (ANA,), "test": (BOB,)}), Corpus("b", {"train": (BOB,), "validation": (ANA,)})
    assert joined([first, second]) == Corpus("a + b", {"train": (ANA, BOB), "test": (BOB,), "validation": (ANA,)})
    for name, place in (("one", "Rome"), ("two", "Oslo"), ("dev", "Bonn")):
        (tmp_path / name).write_text(f"{place}\tB-LOC\n")
    one, two, dev = (tmp_path / name for name in ("one", "two", "dev"))
    corpus = load_corpus(["sample"], [one, two], [dev])
    assert corpus.name == f"sample + {one} + {two}"
    assert corpus.sizes == {"train": 662, "validation": 101, "test": 100}
    assert [example.text for example in corpus.splits["train"][-2:]] == ["Rome", "Oslo"]
    assert corpus.splits["validation"][-1].text == "Bonn"


def test_corpus_stats_counts_what_is_left() -> None:
    shown = CliRunner().invoke(cli.main, ["corpus", "stats", "sample", "--map-label", "PER=PERSON,LOC=O", "--json"])
    assert shown.exit_code == 0, shown.output
    assert [{"ORG", "PERSON"} & one.keys() for one in json.loads(shown.stdout)] == [{"ORG", "PERSON"}] * 3
    assert all("LOC" not in one for one in json.loads(shown.stdout))
