"""Words to token ids, and back from the network's answers to words.

Words are cut by `tagging.words` before the tokenizer sees them, so no sub-word ever spans two words. The label of a
word sits on its first sub-word. A text longer than the window is read in overlapping windows, never truncated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from tagging.errors import EncoderError
from tagging.words import words

LONG_WINDOW = 64  # token ids; what fine-tuning on short texts has not seen is read worse in longer ones
_KNOWN_WORDS = 100_000  # about 30 MB; beyond that all are forgotten
_COMMON = 40  # characters; longer words do not come again


@dataclass(frozen=True, slots=True)
class Window:
    """What the network reads at once: token ids, special tokens included, and the words that begin in it.

    `heads` are the positions in `ids` of the words' first sub-words, `words` their indices among those of the text;
    `end` is where the sub-words end and the closing special tokens begin. The text may go on on either side.
    """

    ids: list[int]
    heads: list[int]
    words: list[int]
    end: int
    goes_on_left: bool = False
    goes_on_right: bool = False

    @property
    def ends(self) -> list[int]:
        """Where the sub-words of each word end."""
        return [*self.heads[1:], self.end] if self.heads else []

    @property
    def margins(self) -> list[int]:
        """How much context each word has: sub-words to the nearer end of the window, where the text goes on there."""
        length = len(self.ids)
        left, right = self.goes_on_left, self.goes_on_right
        return [min(head if left else length, length - head if right else length) for head in self.heads]


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text cut into words (code-point offsets) and read as one or more windows."""

    words: list[tuple[int, int]]
    windows: list[Window]

    def by_word(self, answers: Sequence[np.ndarray], silent: np.ndarray) -> np.ndarray:
        """Give each word the answer of the window in which it has most context: (words, classes).

        `answers` are (words of the window, classes), by window; `silent`, (1, classes), is for words without sub-words.
        """
        if len(answers) == 1 and len(answers[0]) == len(self.words):
            return answers[0]
        found = np.repeat(silent, len(self.words), axis=0)
        margins = np.full(len(self.words), -1)
        for window, answer in zip(self.windows, answers, strict=True):
            words, own_margins = np.array(window.words, dtype=int), np.array(window.margins, dtype=int)
            better = own_margins > margins[words]
            margins[words[better]] = own_margins[better]
            found[words[better]] = answer[better]
        return found


class Encoder:
    """Encodes texts for one tokenizer.

    A text of at most `max_length` token ids, special tokens included, is read whole; a longer one in overlapping
    windows of LONG_WINDOW. Raises EncoderError for a tokenizer without offsets (a Python one) or a `max_length` too
    short to hold a word and its context.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise EncoderError(
                f"the tokenizer {type(tokenizer).__name__} gives no offsets, so labels cannot be put back on words; "
                "use a base model with a fast tokenizer (one that has a tokenizer.json)"
            )
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_truncation()  # some tokenizer.json files have 128 baked in
        self._backend.no_padding()
        self._prefix, self._suffix = _special_ids(tokenizer)
        self._known: dict[str, list[int]] = {}  # words met before, and their sub-words
        self.max_length = max_length
        special = len(self._prefix) + len(self._suffix)
        self._budget = max_length - special
        self._long_budget = min(max_length, LONG_WINDOW) - special
        if self._budget < 8:
            raise EncoderError(f"max length {max_length} leaves {self._budget} sub-words for text; set at least 16")

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts in one batch; a text's encoding does not depend on its neighbours."""
        offsets = [words(text) for text in texts]
        pieces = self._pieces([text[start:end] for text, cut in zip(texts, offsets, strict=True) for start, end in cut])
        encoded: list[EncodedText] = []
        first = 0
        for cut in offsets:
            encoded.append(EncodedText(cut, self._windows(pieces[first : first + len(cut)])))
            first += len(cut)
        return encoded

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """Name token ids, for people to read."""
        return [self._backend.id_to_token(token) for token in ids]

    def _pieces(self, surfaces: Sequence[str]) -> list[list[int]]:
        """Return the sub-word ids of each word; a word that was met before is not tokenized again.

        A word gets at most half a window: its label sits on its first sub-word, so nothing is lost by the cut.
        """
        if len(self._known) > _KNOWN_WORDS:
            self._known.clear()
        new = [surface for surface in dict.fromkeys(surfaces) if surface not in self._known]
        storable = [[surface.encode("utf-8", "replace").decode()] for surface in new]  # no lone surrogates
        encodings = self._backend.encode_batch_fast(storable, is_pretokenized=True, add_special_tokens=False)
        half = self._budget // 2
        met = {surface: encoding.ids[:half] for surface, encoding in zip(new, encodings, strict=True)}
        self._known.update((surface, ids) for surface, ids in met.items() if len(surface) <= _COMMON)
        return [met[surface] if surface in met else self._known[surface] for surface in surfaces]

    def _windows(self, pieces: Sequence[list[int]]) -> list[Window]:
        if sum(map(len, pieces)) <= self._budget:
            return [self._window(pieces, 0, len(pieces))]
        shorter = [ids[: self._long_budget // 2] for ids in pieces]
        cuts = _cuts([len(ids) for ids in shorter], self._long_budget)
        return [self._window(shorter, first, last) for first, last in cuts]

    def _window(self, pieces: Sequence[list[int]], first: int, last: int) -> Window:
        ids = list(self._prefix)
        heads: list[int] = []
        found: list[int] = []
        for word in range(first, last):
            piece = pieces[word]
            if piece:  # a zero-width character may have no sub-word: it has no head and stays outside
                heads.append(len(ids))
                found.append(word)
                ids += piece
        end = len(ids)
        ids += self._suffix
        return Window(ids, heads, found, end, first > 0, last < len(pieces))


def _cuts(lengths: Sequence[int], budget: int) -> list[tuple[int, int]]:
    """Cut words of these lengths (sub-words) into windows [first, last) of at most `budget`, each overlapping the
    one before by about a quarter."""
    cuts: list[tuple[int, int]] = []
    first = 0
    while True:
        last, filled = first, 0
        while last < len(lengths) and filled + lengths[last] <= budget:
            filled += lengths[last]
            last += 1
        cuts.append((first, last))
        if last == len(lengths):
            return cuts
        back = 0
        step = last
        while step > first + 1 and back + lengths[step - 1] <= budget // 4:
            step -= 1
            back += lengths[step]
        first = step


def _special_ids(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Find the ids that the tokenizer puts before and behind a text."""
    encoding = tokenizer.backend_tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=True)
    inner = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
    if not inner:
        raise EncoderError("the tokenizer turns the letter 'a' into nothing; its files are damaged or not for text")
    return encoding.ids[: inner[0]], encoding.ids[inner[-1] + 1 :]
