"""Corpora from files, folders and the hub; the sample that comes with tweetspan."""

import json
import time
from collections import Counter
from pathlib import Path

import huggingface_hub.constants
import pytest
from datasets import ClassLabel, Dataset, Features, Sequence, Value

from tagging.errors import CorpusError, HubUnreachableError
from tagging.spans import Span
from tagging.words import words
from trainer.base_model import find_base_model
from trainer.corpus import load_files, load_named, with_validation
from trainer.examples import Corpus, Example, from_tokens
from trainer.sample import sample_folder

CONLL = "@\tB-PER\nana\tB-PER\nmet\tO\n\nRome\tB-LOC\n"
READ = (from_tokens(["@", "ana", "met"], ["B-PER", "B-PER", "O"]), from_tokens(["Rome"], ["B-LOC"]))


def read(tmp_path: Path, content: str | bytes) -> tuple[Example, ...]:
    """Read a file of this content as the training split."""
    path = tmp_path / "train.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_files(path).splits["train"]


def refusal(tmp_path: Path, content: str | bytes) -> str:
    with pytest.raises(CorpusError) as caught:
        read(tmp_path, content)
    return str(caught.value).removeprefix(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        CONLL,
        CONLL.replace("\t", " "),
        CONLL.replace("\n", "\r\n"),
        "\ufeff" + CONLL,
        CONLL.strip(),
        "\n\n" + CONLL.replace("\n\n", "\n\n \n\n") + "\n\n",
        CONLL.replace("\t", "\tNNP\t"),
    ],
    ids=["tabs", "spaces", "crlf", "bom", "no newline at the end", "more blank lines", "three columns"],
)
def test_conll(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == READ


def test_conll_with_a_blank_token(tmp_path: Path) -> None:
    [one] = read(tmp_path, "Ana\tB-PER\n\tO\nBob\tB-PER\n")
    assert [span.surface(one.text) for span in one.spans] == ["Ana", "Bob"]
    assert len(one.tokens) == len(one.token_labels) == 3


def test_conll_lines_end_at_newlines_alone(tmp_path: Path) -> None:
    [one] = read(tmp_path, "a\u2028b\x85c\tO\n\u3000\tO\n")
    assert len(one.tokens) == 2


def test_conll_that_begins_with_a_brace(tmp_path: Path) -> None:
    [one] = read(tmp_path, "{\tO\nAna\tB-PER\n")
    assert [span.surface(one.text) for span in one.spans] == ["Ana"]


def test_jsonl_with_spans_and_with_tokens(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '\ufeff{"text": "😀 Ana in Rome", "spans": [{"start": 9, "end": 13, "label": "LOC", "surface": "Rome"}, '
        '{"start": 2, "end": 5, "label": "PER"}]}\r\n\r\n{"tokens": ["Rome"], "labels": ["B-LOC"]}\n',
    )
    assert found == (Example("😀 Ana in Rome", (Span(2, 5, "PER"), Span(9, 13, "LOC"))), READ[1])


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("Ana\tB-PER\nBob\n", 2, "'Bob' has one column"),
        ("Ana\tB-PER\n\nBob\tPER\n", 3, "'PER' is not an IOB2 label"),
        ("Ana\tS-PER\n", 1, "'S-PER' is not an IOB2 label"),
        ('{"text": "Ana", "spans": []}\n{"text": "Ana"}', 2, "KeyError('spans')"),
        ('{"text": "Ana", "spans": []}\n\n{"text": ', 3, "JSONDecodeError"),
        ('{"text": "Ana", "spans": []}\n[1]', 2, "TypeError"),
        ('{"text": "Ana", "spans": [{"start": 0, "end": 4, "label": "PER"}]}', 1, "outside the text of 3 characters"),
        ('{"text": "Ana", "spans": [{"start": 2, "end": 2, "label": "PER"}]}', 1, "2-2"),
        ('{"text": "Ana", "spans": [{"start": -1, "end": 2, "label": "PER"}]}', 1, "-1-2"),
        (
            '{"text": "Ana B", "spans": [{"start": 0, "end": 4, "label": "A"}, {"start": 3, "end": 5, "label": "B"}]}',
            1,
            "0-4 and 3-5 overlap",
        ),
        ('{"tokens": ["Ana", "B"], "labels": ["O"]}', 1, "ValueError"),
        ('{"tokens": ["Ana"]}', 1, "KeyError('labels')"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, content: str, line: int, reason: str) -> None:
    message = refusal(tmp_path, content)
    assert message.startswith(f"/train.txt:{line}: ")
    assert reason in message


@pytest.mark.parametrize(
    "row",
    [
        '{"tokens": ["Ana"], "labels": ["PER"]}',
        '{"tokens": ["Ana"], "labels": ["S-PER"]}',
        '{"text": null, "spans": []}',
        '{"text": 5, "spans": []}',
    ],
)
def test_a_jsonl_row_of_the_wrong_kind_is_named_by_file_and_line(tmp_path: Path, row: str) -> None:
    assert refusal(tmp_path, row).startswith("/train.txt:1: ")


def test_conll_label_without_a_name_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "Ana\tB-\n").startswith("/train.txt:1: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere\.conll: No such file"):
        load_files(tmp_path / "nowhere.conll")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    assert "is not UTF-8 (byte 1)" in refusal(tmp_path, b"Z\xfcrich\tB-LOC\n")


def test_an_empty_file_is_an_empty_split(tmp_path: Path) -> None:
    assert read(tmp_path, "") == ()


def test_files_become_splits(tmp_path: Path) -> None:
    train, test = tmp_path / "a.conll", tmp_path / "b.conll"
    train.write_text(CONLL)
    test.write_text("Rome\tB-LOC\n")
    assert load_files(train, test=test, name="mine") == Corpus("mine", {"train": READ, "test": READ[1:]})
    assert load_files(train).name == str(train)


TWENTY = tuple(from_tokens([f"Ana{number}"], ["B-PER"]) for number in range(20))


def test_validation_is_held_back_and_the_same_for_a_seed() -> None:
    corpus = Corpus("c", {"train": TWENTY, "test": READ})
    divided = with_validation(corpus, seed=4)
    assert divided.sizes == {"train": 18, "test": 2, "validation": 2}
    assert Counter(divided.splits["train"] + divided.splits["validation"]) == Counter(TWENTY)
    assert with_validation(corpus, seed=4) == divided
    assert with_validation(corpus, seed=5).splits["validation"] != divided.splits["validation"]


def test_a_validation_split_of_its_own_is_kept() -> None:
    corpus = Corpus("c", {"train": TWENTY, "validation": READ})
    assert with_validation(corpus, seed=4) is corpus


@pytest.mark.parametrize(
    ("splits", "reason"),
    [
        ({}, "has no annotated training text"),
        ({"test": TWENTY}, "has no annotated training text"),
        ({"train": (Example("Ana", ()),) * 20}, "has no annotated training text"),
        ({"train": TWENTY[:9]}, "has 9 training texts, too few"),
    ],
)
def test_a_corpus_that_cannot_train_is_refused(splits: dict[str, tuple[Example, ...]], reason: str) -> None:
    with pytest.raises(CorpusError, match=f"corpus c {reason}"):
        with_validation(Corpus("c", splits), seed=1)


TAGS = ClassLabel(names=["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])
TAGGED = Features({"id": Value("string"), "tokens": Sequence(Value("string")), "ner_tags": Sequence(TAGS)})


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of parquet files laid out as the Hub converts a dataset, with its tags as class numbers."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    rows = {"id": ["0", "1"], "tokens": [["@", "ana", "met"], ["Rome"]], "ner_tags": [[1, 1, 0], [3]]}
    for split in ("train", "validation", "test"):
        path = tmp_path / "dataset" / "default" / split / "0000.parquet"
        path.parent.mkdir(parents=True)
        Dataset.from_dict(rows, features=TAGGED).to_parquet(path)
    return tmp_path / "dataset"


def test_a_folder_of_parquet_files_as_the_hub_converts_them(hub_folder: Path) -> None:
    corpus = load_named(str(hub_folder))
    assert corpus == Corpus(str(hub_folder), {"train": READ, "validation": READ, "test": READ})


@pytest.mark.parametrize("column", ["ner_tags", "labels", "tags"])
def test_a_folder_whose_labels_are_plain_strings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    rows = {"tokens": [["@", "ana", "met"], ["Rome"]], column: [["B-PER", "B-PER", "O"], ["B-LOC"]]}
    Dataset.from_dict(rows).to_parquet(tmp_path / "dataset" / "train.parquet")
    assert load_named(str(tmp_path / "dataset")).splits == {"train": READ}


def test_a_dataset_without_labels_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    Dataset.from_dict({"text": ["Ana"]}).to_parquet(tmp_path / "dataset" / "train.parquet")
    with pytest.raises(CorpusError, match="has the columns text; expected tokens and one of ner_tags"):
        load_named(str(tmp_path / "dataset"))


def test_a_dataset_whose_labels_are_not_iob2_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    Dataset.from_dict({"tokens": [["Ana"]], "tags": [["PER"]]}).to_parquet(tmp_path / "dataset" / "train.parquet")
    with pytest.raises(CorpusError, match="'PER' is not an IOB2 label"):
        load_named(str(tmp_path / "dataset"))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=tmp_path.name):
        load_named(str(tmp_path))


def test_the_tests_are_offline() -> None:
    assert huggingface_hub.constants.HF_HUB_OFFLINE


@pytest.mark.parametrize("find", [load_named, find_base_model])
def test_without_a_hub_the_way_out_is_named_within_seconds(find: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert callable(find)
    started = time.monotonic()
    with pytest.raises(HubUnreachableError, match=r"--dataset sample .*--base-model starter") as caught:
        find("someone/something")
    assert "'someone/something'" in str(caught.value)
    assert time.monotonic() - started < 8


@pytest.fixture(scope="module")
def sample() -> Corpus:
    """The corpus that comes with tweetspan."""
    return load_named("sample")


def test_the_sample_is_large_enough_to_train_on(sample: Corpus) -> None:
    assert sample.sizes.keys() == {"train", "validation", "test"}
    assert sum(sample.sizes.values()) >= 600
    assert sample.entity_labels == ("LOC", "ORG", "PER")


def test_the_samples_texts_are_all_different(sample: Corpus) -> None:
    texts = Counter(one.text for split in sample.splits.values() for one in split)
    assert texts.most_common(1)[0][1] == 1


def test_the_samples_spans_are_whole_words(sample: Corpus) -> None:
    for one in (one for split in sample.splits.values() for one in split):
        offsets = words(one.text)
        for span in one.spans:
            assert span.start in {start for start, _ in offsets}, (one.text, span.surface(one.text))
            assert span.end in {end for _, end in offsets}, (one.text, span.surface(one.text))


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_the_samples_offsets_give_the_surfaces_written_beside_them(sample: Corpus, split: str) -> None:
    rows = [json.loads(line) for line in (sample_folder() / f"{split}.jsonl").read_text("utf-8").splitlines()]
    assert [one.text for one in sample.splits[split]] == [row["text"] for row in rows]
    for row in rows:
        for span in row["spans"]:
            assert row["text"][span["start"] : span["end"]] == span["surface"]


@pytest.mark.parametrize("forbidden", ["zachary", "raicik", "corvus", "san diego", "sandiego"])
def test_the_sample_leaves_out_what_others_are_tested_on(forbidden: str) -> None:
    for path in sample_folder().glob("*.jsonl"):
        assert forbidden not in path.read_text("utf-8").lower(), path.name
