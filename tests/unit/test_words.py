"""What a word is: properties over any text, every kind by example, and texts made to be slow."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagging.words import words

PIECES = """
    @ana_b @ana's ＠ana @ @@ana #London #Zürich2024 # ##x https://t.co/abc http://a.b/c?d=e&f=g). www.x.org x.co/a
    ana@example.com 😀 👩‍👩‍👧‍👦 👍🏽 🇬🇧 🇬 1️⃣ #️⃣ ❤️ ✈︎ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 n't don't DON’T 's Ana's we'll've o'clock rock'n'roll
    ' ’ '' co-op - 3-2 10:30 1,000.50 50% 5km 2nd 24/7 U.S. U.S.A e.g. ... !!! ?! :) ;-) :D :3 <3 <33 ( ) " “ ” ・ £ _
    กรุงเทพ 東京 とうきょう नमस्ते می‌خواهم cafe\u0301 Zoë \u0301 \u200d \u200b \ufe0f ß ſ İ ² ١٢ ๑ . , / : a 1
"""
tweet_pieces = st.sampled_from([*PIECES.split(), "", " ", "  ", "\n", "\t", "\u00a0", "\u2028", "\u3000"])
tweet_texts = st.lists(tweet_pieces, max_size=10).map("".join)
any_texts = st.text(max_size=40) | tweet_texts


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


@settings(max_examples=500, deadline=None)
@given(any_texts)
def test_words_are_the_text_without_its_white_space(text: str) -> None:
    offsets = words(text)
    edges = [edge for offset in offsets for edge in offset]
    assert edges == sorted(edges)
    assert all(start < end for start, end in offsets)
    assert "".join(cut(text)) == "".join(text.split())
    assert not any(character.isspace() for character in "".join(cut(text)))


@settings(max_examples=500, deadline=None)
@given(any_texts)
def test_words_joined_by_spaces_are_cut_the_same_way_again(text: str) -> None:
    assert cut(" ".join(cut(text))) == cut(text)


@pytest.mark.parametrize("text", ["co-n't", "a'n't", "www.'s", "http://'s", "http://a.b/!'s"])
def test_the_rest_of_a_word_without_its_clitic_is_a_word(text: str) -> None:
    assert cut(" ".join(cut(text))) == cut(text)


def test_a_url_that_ends_in_what_looks_like_a_clitic_is_one_word() -> None:
    assert cut("https://a.b/don't x") == ["https://a.b/don't", "x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ana_b_2 @ana’s dog", "@ana_b_2 @ana ’s dog"),
        (".@ana,@bob", ". @ana , @bob"),
        ("@Ana's", "@Ana 's"),
        ("x@ana", "x @ ana"),
        ("#London2024! #Zürich", "#London2024 ! #Zürich"),
        ("https://t.co/aB3-_, (http://a.b/c?d=e#f).", "https://t.co/aB3-_ , ( http://a.b/c?d=e#f ) ."),
        ("www.example.org/x. bit.ly/3xY now", "www.example.org/x . bit.ly/3xY now"),
        ("mail ana.b+c@example.co.uk!", "mail ana.b+c@example.co.uk !"),
        ("3-2 10:30 1,000.50 50% 24/7 5km 2nd", "3-2 10:30 1,000.50 50% 24/7 5km 2nd"),
        ("don't DIDN’T we'll I'd I'm they've he's you're", "do n't DID N’T we 'll I 'd I 'm they 've he 's you 're"),
        ("wouldn't've", "would n't 've"),
        ("o'clock rock'n'roll co-op O'Neill's", "o'clock rock'n'roll co-op O'Neill 's"),
        ("the U.S. and the U.N.!", "the U.S. and the U.N. !"),
        ("so... what?!! 'quoted'", "so ... what ? !! ' quoted '"),
        (":) :-D <3 ;p (ok)", ":) :-D <3 ;p ( ok )"),
        ("snake_case __init__", "snake_case __init__"),
    ],
)
def test_kinds_of_words(text: str, expected: str) -> None:
    assert cut(text) == expected.split()


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("plain", "😀"),
        ("joined family", "👩‍👩‍👧‍👦"),
        ("joined with a skin tone", "👩🏽‍💻"),
        ("joined with a text-style heart", "❤️‍🔥"),
        ("skin tone", "👍🏽"),
        ("emoji style", "❤️"),
        ("keycap", "1️⃣"),
        ("keycap of a sign", "#️⃣"),
        ("keycap without the style", "7\u20e3"),
        ("flag of two letters", "🇬🇧"),
        ("flag of tags", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("rainbow flag", "🏳️‍🌈"),
        ("Devanagari with vowel signs", "नमस्ते"),
        ("accents as marks of their own", "cafe\u0301s"),
        ("Persian with a joiner inside", "می‌خواهم"),
        ("Arabic with vowels", "مُحَمَّد"),
    ],
)
def test_what_looks_like_one_sign_is_one_word(kind: str, word: str) -> None:
    assert cut(word) == [word], kind
    assert cut(f"Ana {word} Bob") == ["Ana", word, "Bob"], kind
    assert cut(f"{word}, {word}") == [word, ",", word], kind


def test_emoji_side_by_side_are_words_of_their_own() -> None:
    assert cut("😀😀🇬🇧🇫🇷1️⃣2️⃣👍🏽👍") == ["😀", "😀", "🇬🇧", "🇫🇷", "1️⃣", "2️⃣", "👍🏽", "👍"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("กรุง", ["ก", "รุ", "ง"]),
        ("東京へ行く", list("東京へ行く")),
        ("Anaは東京", ["Ana", "は", "東", "京"]),
        ("@ana東京", ["@ana", "東", "京"]),
    ],
)
def test_scripts_without_spaces_give_a_word_for_each_character(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_offsets_are_code_points() -> None:
    assert words("😀 Ana’s") == [(0, 1), (2, 5), (5, 7)]


def test_a_keycap_behind_a_digit_is_a_word_of_its_own() -> None:
    assert cut("31️⃣ 12\u20e3") == ["3", "1️⃣", "1", "2\u20e3"]


def test_nothing_in_nothing() -> None:
    assert words("") == words(" \n\t\u3000") == []


HOSTILE = {
    "one letter": "a",
    "one digit": "1",
    "one sign": "!",
    "dots and letters": "a.",
    "domain labels": "ab-cd.",
    "almost an e-mail address": "a.+-",
    "signs of addresses": "@.",
    "URL beginnings": "http://",
    "URL of punctuation": "www.!",
    "clitics": "'s",
    "possessive of possessive": "a's",
    "numbers": "1:2.",
    "digits before a keycap": "1\ufe0f",
    "joiners": "a\u200d",
    "joined emoji": "😀\u200d",
    "marks": "\u0301",
    "a letter with marks": "e\u0301\u0301",
    "regional indicators": "🇬",
    "emoticon eyes": ":-",
    "hashes": "#a",
    "handles": "@a",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("behind", ["", "\u20e3", "@", "http://!!!"], ids=["alone", "keycap", "at", "url"])
def test_hostile_texts_take_linear_time(unit: str, behind: str) -> None:
    short, long = (unit * (length // len(unit)) + behind for length in (10_000, 100_000))
    words("")  # builds the pattern
    seconds = min(_seconds(short) for _ in range(3))
    assert _seconds(long) < max(40 * seconds, 0.2), "10 times the text, 10 times the time; 100 would be quadratic"


def _seconds(text: str) -> float:
    started = time.process_time()
    words(text)
    return time.process_time() - started
