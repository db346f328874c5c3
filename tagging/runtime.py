"""What runs a network: torch, or ONNX Runtime. The tagger sees only this."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np


class Runtime(Protocol):
    """Reads windows of token ids. `labels` are the names of the classes."""

    labels: list[str]
    equal_lengths: bool  # whether the windows of one batch must have one length
    batches_at_once: int  # that it reads side by side

    @property
    def device(self) -> object:
        """Where the network computes, for people to read."""

    @property
    def token_budget(self) -> int:
        """Tokens of one batch that keep the device busy."""

    def start(self, windows: Sequence[Sequence[int]]) -> Callable[[], np.ndarray]:
        """Begin to read windows; return the function that waits for the logits: float32, (tokens in order, labels)."""
