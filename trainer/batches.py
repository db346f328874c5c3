"""In which order the rows of a training set come: texts of similar length together, their batches in random order."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

_SORTED_AT_ONCE = 50  # batches


class SimilarLengths(Sampler[int]):
    """Yields indices so that each `batch_size` in turn have similar lengths; another order in each epoch.

    Rows are shuffled, sorted by length within some 50 batches, and the batches shuffled again: with the long texts
    first in each stretch, as transformers' own sampler has them, an epoch ended on the shortest and learnt less (see
    docs/experiments.md). The order follows from the seed and the epoch alone, so that a resumed training goes on in it.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch, counted from 0."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        shuffled = torch.randperm(len(self.lengths), generator=generator).tolist()
        stretch = _SORTED_AT_ONCE * self.batch_size
        batches: list[list[int]] = []
        for start in range(0, len(shuffled), stretch):
            ordered = sorted(shuffled[start : start + stretch], key=self.lengths.__getitem__)
            batches += [ordered[at : at + self.batch_size] for at in range(0, len(ordered), self.batch_size)]
        whole = [batch for batch in batches if len(batch) == self.batch_size]
        rest = [index for batch in batches if len(batch) < self.batch_size for index in batch]
        for position in torch.randperm(len(whole), generator=generator).tolist():
            yield from whole[position]
        yield from rest  # the one batch that is not full comes last, or all others would be cut anew
