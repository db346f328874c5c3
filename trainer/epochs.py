"""What happens between the steps and epochs of a training: average, score, keep the best, save what a restart needs."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import TrainerCallback

from trainer.weight_average import WeightAverage

Scores = dict[str, Any]
Weights = dict[str, torch.Tensor]

_KEPT, _AVERAGE, _HISTORY = "kept.safetensors", "average.safetensors", "epochs.json"  # the last is written last


@dataclass(frozen=True)
class Listener:
    """What a caller may want to see while training goes on; each does nothing unless given."""

    on_start: Callable[[Any, Scores], None] = lambda tagger, baseline: None  # the untrained network
    on_step: Callable[[int, int], None] = lambda done, total: None  # optimizer steps
    on_epoch: Callable[[int, Scores], None] = lambda epoch, scores: None


QUIET = Listener()


class Epochs(TrainerCallback):
    """Scores the averaged weights after each epoch and keeps those of the best, on the CPU.

    `scores` are those of the epochs so far, `best` counts from 1. `score()` rates the network as it is. After the epoch
    `last` it stops.
    """

    def __init__(
        self,
        network: nn.Module,
        average: WeightAverage,
        score: Callable[[], Scores],
        best_by: str,
        listener: Listener,
        last: int | None = None,
    ) -> None:
        self.network, self.average, self.score, self.best_by, self.listener = network, average, score, best_by, listener
        self.scores: list[Scores] = []
        self.best = 0
        self.kept: Weights = {}
        self.last = last
        self.seconds = -time.monotonic()  # of this training so far, with what was done before it was cut off

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take the step into the average."""
        self.average.update()
        self.listener.on_step(state.global_step, state.max_steps)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Score the average, and keep it if it is the best so far."""
        self.average.swap()
        scores = self.score()
        self.scores.append(scores)
        if not self.best or scores[self.best_by] > self.scores[self.best - 1][self.best_by]:
            self.best = len(self.scores)
            weights = self.network.state_dict()
            self.kept = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights.items()}
        self.average.swap()
        self.listener.on_epoch(len(self.scores), scores)
        if len(self.scores) == self.last:
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write beside transformers' own files what this object knows; the file that says so comes last."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        save_file(self.kept, folder / _KEPT)
        save_file(self.average.average, folder / _AVERAGE)
        told = {"scores": self.scores, "best": self.best, "step": self.average.step, "seconds": self.spent}
        (folder / f"{_HISTORY}.part").write_text(json.dumps(told), encoding="utf-8")
        (folder / f"{_HISTORY}.part").rename(folder / _HISTORY)

    @property
    def spent(self) -> float:
        """Seconds that the training has taken so far."""
        return self.seconds + time.monotonic()

    def restore(self, folder: Path) -> None:
        """Take up what `on_save` wrote."""
        told = json.loads((folder / _HISTORY).read_text(encoding="utf-8"))
        self.scores, self.best, self.average.step = told["scores"], told["best"], told["step"]
        self.seconds += told["seconds"]
        self.kept = load_file(folder / _KEPT)
        for name, weight in load_file(folder / _AVERAGE).items():
            self.average.average[name].copy_(weight)


def last_complete(folder: Path) -> Path | None:
    """Find the newest checkpoint that was written to its end, None if there is none."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{_HISTORY}")]
    return max(whole, key=lambda path: int(path.name.partition("-")[2]), default=None)
