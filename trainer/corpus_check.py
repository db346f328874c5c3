"""What is wrong with an annotated corpus: pure functions from its splits to findings."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from tagging.spans import OUTSIDE
from tagging.words import words
from trainer.examples import HANDLE, Corpus, Example
from trainer.folding import folded

_SHOWN = 5  # examples of a finding
_FEWEST = 10  # occurrences of a token with its rarer reading, before that counts as a conflict
_SMALLEST_SHARE = 0.1  # of all its occurrences in such contexts
_ODD = {"Cc": "control", "Cs": "lone surrogate", "Co": "private use"}
_ODD_CHARACTERS = {
    "\ufffd": "replacement",
    **dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "bidi"),
}

Labelled = list[tuple[str, str]]  # tokens of a text with their IOB2 labels


@dataclass(frozen=True)
class Finding:
    """One kind of fault: how often it was seen, among how many, where, and some examples."""

    kind: str
    where: str
    count: int
    of: int
    examples: tuple[str, ...]


def check(corpus: Corpus) -> list[Finding]:
    """Look for invalid IOB2, contradicting labels, words without annotation, duplicates and odd characters.

    Returns what was found.
    """
    findings: list[Finding] = []
    for name, split in corpus.splits.items():
        labelled = [labelled_tokens(example) for example in split]
        findings += [_invalid_iob2(name, labelled), *conflicts(name, labelled)]
        findings += [_unannotated(name, split), _duplicates(name, split), _odd_characters(name, split)]
    findings += [_leaks(corpus, *names) for names in combinations(corpus.splits, 2)]
    return [finding for finding in findings if finding.count]


def labelled_tokens(example: Example) -> Labelled:
    """Return the corpus's own tokens with their labels, or our words where it has none."""
    if example.tokens:
        surfaces = (example.text[start:end] for start, end in example.tokens)
        return list(zip(surfaces, example.token_labels, strict=True))
    surfaces = (example.text[start:end] for start, end in words(example.text))
    return list(zip(surfaces, example.word_labels(), strict=True))


def conflicts(where: str, labelled: Sequence[Labelled]) -> list[Finding]:
    """Find tokens that are now part of an entity, now outside, between neighbours of the same shapes.

    Counted is the rarer of the two readings in each context. What is counted often and is a large share of all
    occurrences is seldom the language: two annotators, or two rules.
    """
    readings: dict[tuple[str, str, str], Counter[bool]] = defaultdict(Counter)
    for token, before, after, label in _in_context(labelled):
        readings[token, before, after][label != OUTSIDE] += 1
    rarer, occurrences, shown = Counter[str](), Counter[str](), defaultdict[str, list[str]](list)
    for (token, before, after), counted in sorted(readings.items(), key=lambda item: -min(item[1].values())):
        occurrences[token] += counted.total()
        if len(counted) == 2:
            rarer[token] += min(counted.values())
            shown[token].append(f"{before} {token} {after}: {counted[True]} in an entity, {counted[False]} outside")
    return [
        Finding(f"contradicting labels of {token!r}", where, count, occurrences[token], tuple(shown[token][:_SHOWN]))
        for token, count in rarer.most_common()
        if count >= _FEWEST and count >= _SMALLEST_SHARE * occurrences[token]
    ]


def shape(token: str) -> str:
    """Name the outward form of a token, as coarsely as neighbours should be alike.

    >>> [shape(token) for token in ("Ana", "NASA", "dog", "3-2", "!")]
    ['Capital', 'CAPITALS', 'lower', 'number', 'sign']
    """
    if any(map(str.isdigit, token)) and not any(map(str.isalpha, token)):
        return "number"
    if not any(map(str.isalpha, token)):
        return "sign"
    if token.isupper() and len(token) > 1:
        return "CAPITALS"
    return "Capital" if token[:1].isupper() else "lower"


def _in_context(labelled: Iterable[Labelled]) -> Iterator[tuple[str, str, str, str]]:
    for tokens in labelled:
        shapes = ["(start)", *(shape(token) for token, _ in tokens), "(end)"]
        for place, (token, label) in enumerate(tokens):
            yield token, shapes[place], shapes[place + 2], label


def _invalid_iob2(where: str, labelled: Sequence[Labelled]) -> Finding:
    wrong = [
        f"{before} {token}/{label}"
        for tokens in labelled
        for (before, previous), (token, label) in pairwise([("", OUTSIDE), *tokens])
        if label.startswith("I-") and previous[2:] != label[2:]
    ]
    inside = sum(label.startswith("I-") for tokens in labelled for _, label in tokens)
    return Finding("I- that continues nothing", where, len(wrong), inside, tuple(wrong[:_SHOWN]))


def _unannotated(where: str, split: Sequence[Example]) -> Finding:
    found = [example.text[start:end] for example in split for start, end in sorted(example.unannotated)]
    handles = sum(HANDLE.fullmatch(one.text[start:end]) is not None for one in split for start, end in words(one.text))
    return Finding("handles left as one token, never labelled", where, len(found), handles, tuple(found[:_SHOWN]))


def _duplicates(where: str, split: Sequence[Example]) -> Finding:
    counted = Counter(map(_plain, split))
    again = [text for text, count in counted.most_common() if count > 1]
    return Finding("texts that come again", where, len(split) - len(counted), len(split), tuple(again[:_SHOWN]))


def _leaks(corpus: Corpus, first: str, second: str) -> Finding:
    known = set(map(_plain, corpus.splits[first]))
    both = [text for text in map(_plain, corpus.splits[second]) if text in known]
    where = f"{second}, of {first}"
    return Finding("texts of another split", where, len(both), len(corpus.splits[second]), tuple(both[:_SHOWN]))


def _plain(example: Example) -> str:
    return folded(example.text)


def _odd_characters(where: str, split: Sequence[Example]) -> Finding:
    kinds = Counter(kind for example in split for character in example.text if (kind := _odd(character)))
    texts = sum(any(map(_odd, example.text)) for example in split)
    told = tuple(f"{kind}: {count}" for kind, count in kinds.most_common())
    return Finding("texts with odd characters", where, texts, len(split), told)


def _odd(character: str) -> str | None:
    if character in "\t\n\r":
        return None
    return _ODD_CHARACTERS.get(character) or _ODD.get(unicodedata.category(character))
