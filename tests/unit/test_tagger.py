"""Texts to spans with tiny random networks: neighbours, windows, signs, and saved folders."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoModelForTokenClassification

from tagging.checkpoint import MANIFEST_NAME
from tagging.errors import CheckpointError, DeviceError, PoisonTweetError, UnfitProcessError
from tagging.spans import Span
from tagging.tagger import Tagger
from tagging.words import words
from tests.readings import assert_same_reading
from tests.tiny import save_tiny_encoder
from trainer.config import TrainingConfig
from trainer.encoder import load_encoder
from trainer.examples import Corpus, Example
from trainer.finetune import TrainedModel

CORPUS = Corpus("two labels", {"train": (Example("Ana Paris", (Span(0, 3, "PER"), Span(4, 9, "LOC"))),)})
TWEET = "@ana_b’s dog met Bob 😀👍🏽 in #London, they don't work for Acme: https://t.co/abc 東京 3-2"
TEXTS = [
    "",
    "Ana",
    "😀 Ana met Bob",
    "the quick brown fox jumps over the lazy dog",
    TWEET,
    f"{TWEET} {TWEET[::-1]} {TWEET}",
    " ".join(f"{word} jumps over {word[::-1]}" for word in TWEET.split()),
    "... !!! @ #",
    "THE QUICK BROWN FOX \u200d\u200b",
]


def load(folder: Path, max_length: int = 32) -> Tagger:
    """Load a tiny encoder with an untrained head."""
    tagger = load_encoder(TrainingConfig(base_model=str(folder), max_length=max_length, seed=3), CORPUS)
    tagger.network.eval()
    return tagger


@pytest.fixture(scope="module")
def tagger(tiny_encoder: Path) -> Tagger:
    """A tagger whose random head has weights large enough for every label to win somewhere, with no near ties."""
    tagger = load(tiny_encoder)
    torch.nn.init.normal_(tagger.network.classifier.weight, std=5, generator=torch.Generator().manual_seed(11))
    return tagger


@pytest.fixture(scope="module")
def alone(tagger: Tagger) -> list[list[Span]]:
    """The spans of each of TEXTS, tagged alone."""
    return [tagger.tag([text])[0] for text in TEXTS]


@pytest.fixture
def one_label(tiny_encoder: Path) -> "OneLabel":
    """A tagger that gives every word one label."""
    return OneLabel(load(tiny_encoder))


class OneLabel:
    """Tags every word of a text with one label, but for the first of a text, which an I-X cannot be: it is a B-X."""

    def __init__(self, tagger: Tagger) -> None:
        self.tagger = tagger

    def surfaces(self, label: str, text: str) -> list[str]:
        head = self.tagger.network.classifier
        wins = {f"B-{label[2:]}": 8.0, label: 9.0}
        with torch.no_grad():
            head.weight.zero_()
            head.bias.copy_(torch.tensor([wins.get(one, 0.0) for one in self.tagger.labels]))
        [spans] = self.tagger.tag([text])
        return [span.surface(text) for span in spans]


def test_the_random_head_finds_something_to_compare(alone: list[list[Span]]) -> None:
    assert {span.label for spans in alone for span in spans} == {"LOC", "PER"}
    assert sum(map(len, alone)) > 20


# The fixtures hold nothing that a run changes.
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.sampled_from(range(len(TEXTS))), max_size=12), budget=st.sampled_from([1, 100, 2048]))
def test_spans_do_not_depend_on_neighbours_or_order(
    tagger: Tagger, alone: list[list[Span]], order: list[int], budget: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tagger, "token_budget", budget)
        found = tagger.tag([TEXTS[index] for index in order])
    assert_same_reading(found, [alone[index] for index in order])


def test_spans_are_runs_of_whole_words_in_rising_order(alone: list[list[Span]]) -> None:
    for text, spans in zip(TEXTS, alone, strict=True):
        offsets = words(text)
        starts, ends = {start for start, _ in offsets}, {end for _, end in offsets}
        assert all(span.start in starts and span.end in ends for span in spans)
        assert all(0 < span.score <= 1 for span in spans)
        edges = [edge for span in spans for edge in (span.start, span.end)]
        assert edges == sorted(edges)


def test_every_word_of_a_text_in_many_windows_is_answered_once(one_label: OneLabel) -> None:
    text = " ".join(f"fox{number}" for number in range(200))
    assert len(one_label.tagger.encoder.encode([text])[0].windows) > 5
    assert one_label.surfaces("B-LOC", text) == text.split()
    assert one_label.surfaces("I-LOC", text) == [text]


@pytest.mark.parametrize(
    ("text", "single", "joined"),
    [
        ("@ ana_b !", ["ana_b"], ["ana_b !"]),
        ("@ @ # 😀 Ana", ["Ana"], ["Ana"]),
        ("... Ana", ["Ana"], ["Ana"]),
        ("@ana 東", ["@ana", "東"], ["@ana 東"]),
        ("!!! 😀 👍🏽 @ - \u200d", [], []),
        ("नमस्ते", ["नमस्ते"], ["नमस्ते"]),
    ],
)
def test_no_span_begins_with_a_sign(one_label: OneLabel, text: str, single: list[str], joined: list[str]) -> None:
    assert one_label.surfaces("B-PER", text) == single
    assert one_label.surfaces("I-PER", text) == joined


@pytest.mark.parametrize("text", ["", " \n", "\u200d", "\ufe0f"])
def test_texts_without_words_have_no_spans(tagger: Tagger, text: str) -> None:
    assert tagger.tag([text, "Ana"])[0] == []


def test_no_texts_give_no_spans(tagger: Tagger) -> None:
    assert tagger.tag([]) == []


def test_a_text_that_comes_twice_is_read_once(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [TWEET, "Ana", TWEET, TWEET]
    expected = [tagger.tag([text])[0] for text in texts]
    sizes = _fail_above(tagger, monkeypatch, 10_000)
    assert_same_reading(tagger.tag(texts), expected)
    windows = [window.ids for text in (TWEET, "Ana") for window in tagger.encoder.encode([text])[0].windows]
    assert sum(sizes) == sum(map(len, windows))


def test_offsets_behind_emoji_are_code_points(one_label: OneLabel) -> None:
    one_label.surfaces("B-PER", "")
    [spans] = one_label.tagger.tag(["👩‍👩‍👧‍👦🇬🇧 Ana"])
    assert [(span.start, span.end) for span in spans] == [(10, 13)]


@pytest.mark.parametrize("text", ["\ud800 Ana \udfff", "Ana\ud83d", "\ude00\ud83d"])
def test_lone_surrogates_do_not_crash(one_label: OneLabel, text: str) -> None:
    assert one_label.surfaces("B-PER", text) == (["Ana"] if "Ana" in text else [])


def test_the_score_is_the_probability_among_the_valid_labels(one_label: OneLabel) -> None:
    one_label.surfaces("B-PER", "")
    [[span]] = one_label.tagger.tag(["Ana"])
    wins = torch.tensor(9.0).exp()
    assert span.score == pytest.approx((wins / (wins + 2)).item()), "a text cannot begin with one of the two I-"


def test_progress_is_told_after_encoding_and_after_each_forward_pass(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagger, "token_budget", 1)
    steps: list[None] = []
    tagger.tag(["Ana", "Bob", ""], lambda: steps.append(None))
    assert len(steps) == 1 + 3


def _fail_above(tagger: Tagger, monkeypatch: pytest.MonkeyPatch, tokens: int) -> list[int]:
    """Let the network run out of memory above so many padded tokens; return the sizes that it was asked for."""
    forward, sizes = tagger.network.forward, list[int]()
    monkeypatch.setattr(tagger, "token_budget", tagger.token_budget)  # restored at the end

    def limited(input_ids: torch.Tensor, **rest: torch.Tensor) -> object:
        sizes.append(input_ids.numel())
        if input_ids.numel() > tokens:
            raise torch.OutOfMemoryError("out of memory")
        return forward(input_ids=input_ids, **rest)

    monkeypatch.setattr(tagger.network, "forward", limited)
    return sizes


def test_out_of_memory_halves_the_budget_for_good_and_loses_nothing(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = "abcdefghijklmnopqrst"
    texts = [f"{one} {other} met Bob and Ana in Paris and they don't work" for one in letters for other in letters]
    expected = tagger.tag(texts)
    sizes = _fail_above(tagger, monkeypatch, 600)
    found = tagger.tag(texts)
    assert_same_reading(found, expected)
    assert tagger.token_budget == 512
    assert sum(size > 600 for size in sizes) == 2
    tagger.tag(texts)
    assert sum(size > 600 for size in sizes) == 2, "it remembers"


def test_a_device_without_memory_for_one_window_is_said(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_above(tagger, monkeypatch, 0)
    with pytest.raises(DeviceError, match=r"no memory left for one window of .* tokens; stop what else"):
        tagger.tag(["Ana"])


def test_an_error_of_the_accelerator_makes_the_process_unfit(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: torch.Tensor) -> object:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nand many more lines")

    monkeypatch.setattr(tagger.network, "forward", broken)
    with pytest.raises(UnfitProcessError, match=r"^CUDA error: an illegal memory access was encountered$"):
        tagger.tag(["Ana"])


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`", UnfitProcessError),
        ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR", UnfitProcessError),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", DeviceError),
        ("shape mismatch", RuntimeError),
    ],
)
def test_the_libraries_of_a_device_fail_without_an_error_of_their_own(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch, said: str, error: type[Exception]
) -> None:
    def broken(**_: torch.Tensor) -> object:
        raise RuntimeError(said)

    monkeypatch.setattr(tagger.network, "forward", broken)
    with pytest.raises(error) as raised:
        tagger.tag(["Ana"])
    assert type(raised.value) is error


def test_texts_whose_probabilities_are_not_numbers_are_named(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = tagger.network.forward
    poison = tagger.encoder.encode(["zzz"])[0].windows[0].ids[1]

    def sometimes(input_ids: torch.Tensor, **rest: torch.Tensor) -> object:
        answer = forward(input_ids=input_ids, **rest)
        answer.logits[(input_ids == poison).any(dim=1)] = torch.nan
        return answer

    monkeypatch.setattr(tagger.network, "forward", sometimes)
    with pytest.raises(PoisonTweetError) as caught:
        tagger.tag(["Ana", "zzz", "Bob", "zzz again"])
    assert sorted(caught.value.reasons) == [1, 3]


def test_a_network_that_answers_nan_to_everything_is_not_the_tweets_fault(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torch.no_grad():
        monkeypatch.setattr(tagger.network.classifier.bias, "data", torch.full((tagger.network.num_labels,), torch.nan))
    with pytest.raises(CheckpointError, match="NaN"):
        tagger.tag(["Ana", "Bob"])


@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe", "unigram"])
def test_a_saved_folder_tags_the_same_and_loads_with_plain_transformers(tmp_path: Path, kind: str) -> None:
    base = save_tiny_encoder(tmp_path / "base", kind)
    tagger = load(base)
    torch.nn.init.normal_(tagger.network.classifier.weight, std=5, generator=torch.Generator().manual_seed(11))
    manifest = TrainedModel(tagger, TrainingConfig(base_model=str(base), max_length=32), {}).save(tmp_path / "saved")
    assert manifest.labels == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    ids = torch.tensor([tagger.encoder.encode([TWEET])[0].windows[0].ids])
    plain = AutoModelForTokenClassification.from_pretrained(tmp_path / "saved").eval()
    with torch.inference_mode():
        torch.testing.assert_close(plain(input_ids=ids).logits, tagger.network(input_ids=ids).logits)
    again = Tagger.load(tmp_path / "saved", device="cpu", expected_hash=manifest.hash)
    assert_same_reading(again.tag(TEXTS), tagger.tag(TEXTS))


def test_a_folder_with_changed_weights_is_not_loaded(tmp_path: Path, tiny_encoder: Path) -> None:
    TrainedModel(load(tiny_encoder), TrainingConfig(base_model="tiny"), {}).save(tmp_path / "saved")
    weights = tmp_path / "saved" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(CheckpointError, match=r"model\.safetensors differs"):
        Tagger.load(tmp_path / "saved", device="cpu")
    (tmp_path / "saved" / MANIFEST_NAME).unlink()
    with pytest.raises(CheckpointError, match="not a tweetspan model folder"):
        Tagger.load(tmp_path / "saved", device="cpu")


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "meta"])
def test_a_device_that_is_not_there_is_named(tmp_path: Path, tiny_encoder: Path, device: str) -> None:
    TrainedModel(load(tiny_encoder), TrainingConfig(base_model="tiny"), {}).save(tmp_path / "saved")
    with pytest.raises(DeviceError, match=f"device '{device}'"):
        Tagger.load(tmp_path / "saved", device=device)
