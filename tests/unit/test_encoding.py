"""Words to token ids and windows, for three kinds of tokenizers."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerBase

from tagging.encoding import EncodedText, Encoder, Window
from tagging.errors import EncoderError
from tagging.words import words
from tests.tiny import save_tiny_encoder

KINDS = ("wordpiece", "byte-bpe", "unigram")
TEXT = "@ana_b’s dog met Bob 😀👍🏽 in #London, they don't work for Acme: https://t.co/abc 東京 3-2"
LONG = " ".join(f"{TEXT} quick{number}" for number in range(12))

tweets = st.lists(
    st.sampled_from([*TEXT.split(), "fox", "\u200d", "\u200b", "", "Zürich", "x" * 90, "\n"]), max_size=60
).map(" ".join)


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreTrainedTokenizerBase]:
    """A tiny tokenizer of each kind."""
    folders = {kind: save_tiny_encoder(tmp_path_factory.mktemp("encoders") / kind, kind) for kind in KINDS}
    return {kind: AutoTokenizer.from_pretrained(folder, add_prefix_space=True) for kind, folder in folders.items()}


@pytest.fixture(params=KINDS)
def tokenizer(tokenizers: dict[str, PreTrainedTokenizerBase], request: pytest.FixtureRequest) -> object:
    """One tokenizer after the other."""
    return tokenizers[request.param]


def surfaces(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


def one(encoder: Encoder, text: str) -> EncodedText:
    [encoded] = encoder.encode([text])
    return encoded


def read_words(window: Window) -> set[int]:
    return set(window.words)


@pytest.mark.parametrize("text", [TEXT, LONG, "", "a"])
def test_a_window_is_what_the_tokenizer_makes_of_the_words(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    encoder = Encoder(tokenizer, 5000)
    [window] = one(encoder, text).windows
    direct = tokenizer(surfaces(text), is_split_into_words=True)
    assert window.ids == direct.input_ids
    first_of_word = {word: place for place, word in reversed(list(enumerate(direct.word_ids()))) if word is not None}
    assert dict(zip(window.words, window.heads, strict=True)) == first_of_word


def test_heads_begin_what_the_tokenizer_makes_of_the_word_alone(tokenizer: PreTrainedTokenizerBase) -> None:
    encoded = one(Encoder(tokenizer, 40), LONG)
    for window in encoded.windows:
        for position, index in zip(window.heads, window.words, strict=True):
            word = LONG[slice(*encoded.words[index])]
            alone = tokenizer([word], is_split_into_words=True, add_special_tokens=False).input_ids
            assert window.ids[position] == alone[0], word


def test_special_tokens_stand_at_both_ends_of_every_window(tokenizer: PreTrainedTokenizerBase) -> None:
    windows = one(Encoder(tokenizer, 32), LONG).windows
    assert len(windows) > 3
    for window in windows:
        assert (window.ids[0], window.ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        assert window.end == len(window.ids) - 1
        assert not {tokenizer.cls_token_id, tokenizer.sep_token_id} & set(window.ids[1:-1])


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(KINDS), text=tweets, max_length=st.integers(16, 48))
def test_nothing_is_lost_between_windows(
    tokenizers: dict[str, PreTrainedTokenizerBase], kind: str, text: str, max_length: int
) -> None:
    encoded = one(Encoder(tokenizers[kind], max_length), text)
    whole = one(Encoder(tokenizers[kind], 10_000), text).windows[0]
    assert encoded.words == words(text)
    assert all(len(window.ids) <= max_length for window in encoded.windows)
    assert set().union(*map(read_words, encoded.windows)) == read_words(whole)


@settings(max_examples=30, deadline=None)
@given(kind=st.sampled_from(KINDS), length=st.integers(30, 100), max_length=st.integers(16, 48))
def test_neighbouring_windows_overlap(
    tokenizers: dict[str, PreTrainedTokenizerBase], kind: str, length: int, max_length: int
) -> None:
    windows = one(Encoder(tokenizers[kind], max_length), "a " * length).windows
    assert len(windows) > 1 or length + 2 <= max_length
    for window, following in pairwise(windows):
        assert read_words(window) & read_words(following)
        assert max(read_words(window)) < max(read_words(following))


def test_the_middle_of_a_text_has_most_context(tokenizer: PreTrainedTokenizerBase) -> None:
    windows = one(Encoder(tokenizer, 32), LONG).windows
    first, second = windows[0].margins, windows[1].margins
    assert first[0] > first[-1], "the text begins with the first window and goes on behind it"
    assert second[0] < second[len(second) // 2] > second[-1]


def test_a_word_longer_than_the_window_is_cut_and_keeps_its_neighbours(tokenizer: PreTrainedTokenizerBase) -> None:
    text = f"Ana {'fox' * 60} Bob"
    encoded = one(Encoder(tokenizer, 32), text)
    assert set().union(*map(read_words, encoded.windows)) == {0, 1, 2}
    assert all(len(window.ids) <= 32 for window in encoded.windows)


def test_truncation_in_the_tokenizers_files_is_switched_off(tmp_path: Path) -> None:
    folder = save_tiny_encoder(tmp_path / "tiny", "wordpiece")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.backend_tokenizer.truncation["max_length"] == 16, "the tiny tokenizer has truncation baked in"
    [window] = one(Encoder(tokenizer, 200), "xz" * 40).windows
    assert len(window.ids) > 40, "the sub-words of a long word were truncated"


def test_padding_in_the_tokenizers_files_is_switched_off(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(save_tiny_encoder(tmp_path / "tiny", "wordpiece"))
    tokenizer.backend_tokenizer.enable_padding(length=64)
    [window] = one(Encoder(tokenizer, 200), "the fox").windows
    assert len(window.ids) == 4


def test_an_encoding_does_not_depend_on_its_neighbours(tokenizer: PreTrainedTokenizerBase) -> None:
    encoder = Encoder(tokenizer, 32)
    texts = [TEXT, "", LONG, "Ana", TEXT]
    assert encoder.encode(texts) == [one(encoder, text) for text in texts]
    assert encoder.encode([]) == []


def test_an_encoder_that_forgets_words_encodes_the_same(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [TEXT, LONG, "Ana met Bob"]
    expected = Encoder(tokenizer, 32).encode(texts)
    monkeypatch.setattr("tagging.encoding._KNOWN_WORDS", 3)
    encoder = Encoder(tokenizer, 32)
    assert [one(encoder, text) for text in texts] == expected
    assert encoder.encode(texts) == expected


def test_words_too_long_to_come_again_are_not_remembered(tokenizer: PreTrainedTokenizerBase) -> None:
    encoder = Encoder(tokenizer, 32)
    long = "x" * 41
    assert one(encoder, f"Ana {long}") == one(encoder, f"Ana {long}")
    assert set(encoder._known) == {"Ana"}


def test_a_character_without_sub_words_has_no_head(tokenizers: dict[str, PreTrainedTokenizerBase]) -> None:
    text = "Ana \u200d Bob"
    encoded = one(Encoder(tokenizers["wordpiece"], 32), text)
    assert len(encoded.words) == 3
    assert read_words(encoded.windows[0]) == {0, 2}


def test_a_text_of_zero_width_characters_is_an_empty_window(tokenizers: dict[str, PreTrainedTokenizerBase]) -> None:
    [window] = one(Encoder(tokenizers["wordpiece"], 32), "\u200b\u200b \u200d").windows
    assert (len(window.ids), window.heads) == (2, [])


def test_lone_surrogates_are_encoded(tokenizer: PreTrainedTokenizerBase) -> None:
    encoded = one(Encoder(tokenizer, 32), "Ana \ud800 Bob")
    assert encoded.words == [(0, 3), (4, 5), (6, 9)]


def test_a_tokenizer_without_offsets_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"ByT5Tokenizer gives no offsets.*fast tokenizer"):
        Encoder(ByT5Tokenizer(), 64)


def test_a_window_too_short_for_words_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(EncoderError, match="max length 9 leaves 7 sub-words"):
        Encoder(tokenizer, 9)
    Encoder(tokenizer, 10)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_word_in_two_windows_has_the_answer_of_the_one_with_more_context(order: tuple[int, int]) -> None:
    windows = [
        Window([0] * 12, heads=[1, 9], words=[0, 1], end=11, goes_on_right=True),  # Bob stands at its end
        Window([0] * 12, heads=[5, 9], words=[1, 2], end=11, goes_on_left=True),
    ]
    answers = [np.array([[0.1, 0.9], [0.2, 0.8]]), np.array([[0.3, 0.7], [0.4, 0.6]])]
    encoded = EncodedText(words("Ana Bob Eve \u200d"), [windows[index] for index in order])
    found = encoded.by_word([answers[index] for index in order], silent=np.array([[1.0, 0.0]]))
    assert found.tolist() == [[0.1, 0.9], [0.3, 0.7], [0.4, 0.6], [1.0, 0.0]]
