"""The average of a network's weights over the last steps of its training, which reads better than any one of them."""

import torch
from torch import nn


class WeightAverage:
    """An exponential moving average of the weights that train, over about the last `steps` steps.

    A step's share is 1 / steps; over the first steps it is larger, 9 / (10 + step) as in TensorFlow's average, so that
    the untrained weights are soon forgotten. With one step or less the average is the weights themselves.
    """

    def __init__(self, network: nn.Module, steps: float) -> None:
        self.decay = 1 - 1 / max(steps, 1)
        self.step = 0
        self.trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
        self.average = {name: weight.detach().clone() for name, weight in self.trained.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights of one more step into the average."""
        self.step += 1
        decay = min(self.decay, (1 + self.step) / (10 + self.step))
        for name, weight in self.trained.items():
            self.average[name].lerp_(weight, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the network's weights and the average."""
        for name, weight in self.trained.items():
            now = weight.clone()
            weight.copy_(self.average[name])
            self.average[name] = now
