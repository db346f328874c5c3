"""Answers that took long, kept for those who ask the same while nothing has changed."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

_MOST = 128  # answers; the story of a common entity takes some ten thousand bytes
_LASTS = 300.0  # seconds, should something change that no count tells of


@dataclass(frozen=True)
class Kept:
    """What was answered, by what was asked and the state of the ledger; what was asked for long ago is forgotten."""

    _answers: OrderedDict[Hashable, tuple[float, Any]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: Hashable) -> Any:
        """Return an answer, None if there is none that is still good."""
        with self._lock:
            until, answer = self._answers.get(key, (0.0, None))
            if time.monotonic() >= until:
                return None
            self._answers.move_to_end(key)
            return answer

    def put(self, key: Hashable, answer: Any) -> None:
        """Keep an answer."""
        with self._lock:
            self._answers[key] = (time.monotonic() + _LASTS, answer)
            self._answers.move_to_end(key)
            while len(self._answers) > _MOST:
                self._answers.popitem(last=False)
