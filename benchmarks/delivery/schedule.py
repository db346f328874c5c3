"""The order of the faults: all kinds in shuffled order, again and again."""

import random
from collections import Counter, deque
from collections.abc import Sequence


class Schedule:
    """A bag of kinds that is filled again when it is empty."""

    def __init__(self, rng: random.Random, kinds: Sequence[str]) -> None:
        self.without_target: Counter[str] = Counter()
        self._rng = rng
        self._kinds = list(kinds)
        self._bag: deque[str] = deque()

    @property
    def next(self) -> str:
        """The kind whose turn it is."""
        if not self._bag:
            self._bag.extend(self._rng.sample(self._kinds, len(self._kinds)))
        return self._bag[0]

    def done(self) -> None:
        """The next kind was injected."""
        self._bag.popleft()

    def postpone(self) -> None:
        """There was no target for the next kind: another has its turn before."""
        self.without_target[self.next] += 1
        self._bag.rotate(-1)
