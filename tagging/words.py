"""Raw text to tweet words with offsets: the one definition of a word. Standard library only.

A handle, a hashtag, a URL, an emoji sequence and a number are one word each. A clitic ("'s", "n't", "'ll") is cut off,
as the Broad Twitter Corpus does. Scripts that write no spaces (Han, Kana, Thai, ...) give a word for each character.
Training and tagging both pass through `words`, so that a model meets the same words in both.
"""

import re
import sys
import unicodedata
from functools import cache
from itertools import groupby

_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21ff\u2300-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
_SPACELESS = (  # Thai, Lao, Tibetan, Myanmar; Khmer; Kana, Bopomofo; Han; Yi; more Han
    "\u0e00-\u109f\u1780-\u17ff\u3040-\u312f\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOP_DOMAINS = "com|org|net|gov|edu|co|ly|io|me|tv|be|eu|uk|us|de|fr|nl|info"
_CLITIC = r"(?:n['’]t|['’](?:s|m|d|re|ve|ll))"
_CLITIC_AT_END = re.compile(rf"{_CLITIC}\Z", re.IGNORECASE)


def words(text: str) -> list[tuple[int, int]]:
    """Cut a text into words: (start, end) code-point offsets in rising order. Only white space is left out.

    >>> text = "@ana_b's dog isn't here"
    >>> [text[start:end] for start, end in words(text)]
    ['@ana_b', "'s", 'dog', 'is', "n't", 'here']
    """
    found: list[tuple[int, int]] = []
    for match in _pattern().finditer(text):
        if match.lastgroup == "word":
            found.extend(_cut_clitics(text, *match.span()))
        else:
            found.append(match.span())
    return found


def _cut_clitics(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut the clitics off the end of a word: "don't" gives "do" and "n't". A clitic alone stays whole."""
    pieces: list[tuple[int, int]] = []
    while clitic := _CLITIC_AT_END.search(text, max(start, end - 3), end):
        if clitic.start() == start or text[clitic.start() - 1] in "'’-":
            break
        pieces.append(clitic.span())
        end = clitic.start()
    return [(start, end), *reversed(pieces)]


@cache
def _pattern() -> re.Pattern[str]:
    """Build the pattern of a word: its kinds in order, the first that fits wins.

    Repetitions that could be tried again from many places are bounded, so that hostile text takes linear time.
    """
    marks = _combining_marks()
    keycap = r"[0-9#*]\ufe0f?\u20e3"
    digit = rf"(?:(?!{keycap})\d)"
    letter = rf"(?!{keycap})[^\W{_SPACELESS}][{marks}\u200c\u200d]*"  # the joiners stand inside Persian and Indic words
    emoji = rf"[{_EMOJI}][\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u20e3]*"
    label = r"\w{1,63}"
    kinds = (
        r"[A-Za-z]+(?=\s|\Z)",  # the common case first, for speed; every kind below would read it so, too
        r"(?:https?://|www\.)[^\s<>\"“”]*[\w/#&=~-]",  # URL, without the punctuation behind it
        rf"[\w.+-]{{1,64}}@{label}(?:\.{label}){{1,4}}",  # e-mail address
        rf"{label}(?:[.-]{label}){{0,4}}\.(?:{_TOP_DOMAINS})\b(?:/[\w/?=&.~-]*[\w/])?",  # bare domain
        keycap,
        r"[\U0001f1e6-\U0001f1ff]{2}",  # flag
        rf"{emoji}(?:\u200d{emoji})*",
        r"(?<![\w@＠])[@＠][A-Za-z0-9_]+",  # handle
        rf"(?<!\w)[#＃][\w{marks}\u200c\u200d]+",  # hashtag
        r"[:;=][-^o]?(?:[)(\]\[}{|\\*]+|[DPp3](?!\w))|<3+",  # emoticon
        r"(?:[^\W\d_]\.){2,}",  # initials: U.S.
        rf"{digit}+(?:[.,:/-]{digit}+)*(?:%|(?:{letter})*)",  # number, with its unit
        rf"{_CLITIC}(?!\w)",  # a clitic that stands alone, or behind a handle
        rf"(?P<word>(?:{letter})+(?:['’-](?:{letter})+)*)",  # with apostrophes and hyphens inside
        rf"[{_SPACELESS}][{marks}]*",
        r"(?P<sign>[^\w\s])(?P=sign)*",  # a run of one sign: "...", "!!!"
        r"\S",
    )
    return re.compile("|".join(kinds), re.IGNORECASE)


def _combining_marks() -> str:
    """List the combining marks (Unicode category M), which `\\w` leaves out, as ranges of a character class."""
    points = (point for point in range(min(sys.maxunicode, 0x1FFFF)) if unicodedata.category(chr(point))[0] == "M")
    runs = ([point for _, point in run] for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0]))
    return "".join(rf"\U{run[0]:08x}-\U{run[-1]:08x}" for run in runs)
