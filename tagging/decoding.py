"""Word log-probabilities to entities: the likeliest valid IOB2 labels, and how likely each entity is. Numpy alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tagging.spans import OUTSIDE, Chunk


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

        An entity's probability is that of its words' labels and of the next word's not going on with it.
        """
        lengths = [len(text) for text in texts]
        words = np.concatenate([self.silent[:0], *texts])
        text_of = np.repeat(np.arange(len(lengths)), lengths)
        classes = self._classes(words, text_of)
        goes_on = self._inside[classes] & (self._entity[self._before(classes, text_of)] == self._entity[classes])
        firsts = np.flatnonzero((classes != self._outside) & ~goes_on)
        breaks = np.append(np.flatnonzero(~goes_on), len(classes))
        ends = breaks[np.searchsorted(breaks, firsts, side="right")]
        starts = (np.cumsum(lengths) - lengths)[text_of[firsts]]
        found: list[list[Entity]] = [[] for _ in lengths]
        columns = (text_of[firsts], firsts - starts, ends - 1 - starts, classes[firsts])
        likelihoods = self._log_probabilities(words, text_of, classes, firsts, ends)
        for text, first, last, kind, likelihood in zip(*(one.tolist() for one in (*columns, likelihoods)), strict=True):
            found[text].append(Entity(Chunk(first, last, self._names[kind]), likelihood))
        return found

    def _log_probabilities(
        self, words: np.ndarray, text_of: np.ndarray, classes: np.ndarray, firsts: np.ndarray, ends: np.ndarray
    ) -> np.ndarray:
        sums = np.append(0.0, np.cumsum(words[np.arange(len(words)), classes], dtype=np.float64))
        found: np.ndarray = sums[ends] - sums[firsts]
        inside = self._inside_of[classes[firsts]]
        open_ended = np.flatnonzero((np.append(text_of, -1)[ends] == text_of[firsts]) & (inside >= 0))
        going_on = words[ends[open_ended], inside[open_ended]].astype(np.float64)
        found[open_ended] += np.log1p(-np.exp(np.minimum(going_on, -1e-9)))
        return found

    def _before(self, classes: np.ndarray, text_of: np.ndarray) -> np.ndarray:
        """Return the class before each word; before a text stands an O."""
        before = np.append(self._outside, classes)[:-1]
        before[1:][text_of[1:] != text_of[:-1]] = self._outside
        return before

    def _classes(self, words: np.ndarray, text_of: np.ndarray) -> np.ndarray:
        classes: np.ndarray = words.argmax(axis=1)
        wrong = np.unique(text_of[self._penalty[self._before(classes, text_of), classes] < 0])
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
