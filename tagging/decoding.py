"""Word log-probabilities to entities: the likeliest valid IOB2 labels, and how likely each entity is. Numpy alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tagging.spans import OUTSIDE, Chunk

_TINY = 1e-300  # instead of 0, whose logarithm is none


class Entity(NamedTuple):
    """A run of words of one entity, and the natural logarithm of its probability by the network."""

    chunk: Chunk
    log_probability: float


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (words, classes) into log-probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    likelihoods: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return likelihoods


class Decoder:
    """Decodes many texts at once; `labels` are the IOB2 labels by class.

    An I-X may only follow a B-X or an I-X. The network judges each word by itself, so its likeliest classes are the
    best answer wherever they are valid; Viterbi's algorithm reads the other texts.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._names = [label.partition("-")[2] for label in labels]
        self._outside = labels.index(OUTSIDE)
        self.silent = np.full((1, len(labels)), -np.inf, dtype=np.float32)  # of a word that the network does not see
        self.silent[0, self._outside] = 0.0
        self._entity = np.array([self._names.index(name) for name in self._names])  # a number for each entity label
        self._inside = np.array([label.startswith("I-") for label in labels])
        begun = self._inside & np.array([f"B-{name}" in labels for name in self._names])
        self._penalty = np.where(begun & (self._entity[:, None] != self._entity), -np.inf, 0.0)  # [before, behind]
        positions = {label: position for position, label in enumerate(labels)}
        self._inside_of = np.array([positions.get(f"I-{name}", -1) for name in self._names])

    def decode(self, texts: Sequence[np.ndarray]) -> list[list[Entity]]:
        """Return the entities of each text, given as log-probabilities (words, classes).

        An entity's probability is that of its words' labels and of the next word's not going on with it, each among the
        labels that are valid behind the word before; before its first word stand all labels, as probable as they are.
        It is close to the exact one of forward and backward sums, at a fraction of the work.
        """
        lengths = [len(text) for text in texts]
        words = np.concatenate([self.silent[:0], *texts])
        text_of = np.repeat(np.arange(len(lengths)), lengths)
        begins = np.ones(len(words) + 1, dtype=bool)  # whether a text begins at a word, or all ends
        begins[1:-1] = text_of[1:] != text_of[:-1]
        classes = self._classes(words, text_of, begins)
        before = self._before(classes, begins)
        goes_on = self._inside[classes] & (self._entity[before] == self._entity[classes])
        firsts = np.flatnonzero((classes != self._outside) & ~goes_on)
        breaks = np.append(np.flatnonzero(~goes_on), len(classes))
        ends = breaks[np.searchsorted(breaks, firsts, side="right")]
        starts = (np.cumsum(lengths) - lengths)[text_of[firsts]]
        log_probabilities = self._log_probabilities(words, classes, before, begins, firsts, ends)
        found: list[list[Entity]] = [[] for _ in lengths]
        columns = (text_of[firsts], firsts - starts, ends - 1 - starts, classes[firsts], log_probabilities)
        for text, first, last, kind, log_probability in zip(*(one.tolist() for one in columns), strict=True):
            found[text].append(Entity(Chunk(first, last, self._names[kind]), log_probability))
        return found

    def _log_probabilities(
        self,
        words: np.ndarray,
        classes: np.ndarray,
        before: np.ndarray,
        begins: np.ndarray,
        firsts: np.ndarray,
        ends: np.ndarray,
    ) -> np.ndarray:
        """Score the entities that reach from the words `firsts` to before the words `ends`."""
        probable = np.exp(words, dtype=np.float64)
        allowed = np.exp(self._penalty)
        valid = np.maximum((probable * allowed[before]).sum(axis=1), _TINY)
        inside = self._inside_of[classes[firsts]]
        may_go_on = np.flatnonzero(~begins[ends] & (inside >= 0))
        beyond = ends[may_go_on]
        going_on = probable[beyond, inside[may_go_on]] / valid[beyond]
        contexts = np.where(begins[firsts, None], allowed[self._outside], probable[firsts - 1] @ allowed)
        valid[firsts] = np.maximum((probable[firsts] * contexts).sum(axis=1), _TINY)
        chosen = words[np.arange(len(words)), classes] - np.log(valid)
        sums = np.append(0.0, np.cumsum(chosen))
        found = sums[ends] - sums[firsts]
        found[may_go_on] += np.log(np.maximum(1 - going_on, _TINY))
        log_probabilities: np.ndarray = np.minimum(found, 0.0)  # no rounding above certainty
        return log_probabilities

    def _before(self, classes: np.ndarray, begins: np.ndarray) -> np.ndarray:
        """Return the class before each word; before a text stands an O."""
        before = np.append(self._outside, classes)[:-1]
        before[begins[:-1]] = self._outside
        return before

    def _classes(self, words: np.ndarray, text_of: np.ndarray, begins: np.ndarray) -> np.ndarray:
        classes: np.ndarray = words.argmax(axis=1)
        wrong = np.unique(text_of[self._penalty[self._before(classes, begins), classes] < 0])
        for text in wrong:
            own = slice(*np.searchsorted(text_of, [text, text + 1]))
            classes[own] = self._viterbi(words[own])
        return classes

    def _viterbi(self, words: np.ndarray) -> np.ndarray:
        """Find the likeliest valid classes of a text's words."""
        best = words[0] + self._penalty[self._outside]
        came_from = []
        for answer in words[1:]:
            paths = best[:, None] + self._penalty
            came_from.append(paths.argmax(axis=0))
            best = paths.max(axis=0) + answer
        classes = [int(best.argmax())]
        for step in reversed(came_from):
            classes.append(int(step[classes[-1]]))
        return np.array(classes[::-1])
