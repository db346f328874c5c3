"""The average of weights."""

import torch
from torch import nn

from trainer.weight_average import WeightAverage


def test_the_average_of_a_step_or_less_is_the_weights_themselves() -> None:
    network = nn.Linear(2, 1)
    average = WeightAverage(network, 0)
    with torch.no_grad():
        network.weight.fill_(5.0)
    average.update()
    assert torch.equal(average.average["weight"], network.weight)


def test_the_average_lags_and_forgets_where_it_began() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 100.0)
    average = WeightAverage(network, 10)
    for step in range(1, 201):
        nn.init.constant_(network.weight, float(step))
        average.update()
    assert 189 < average.average["weight"].item() < 193  # the mean age of ten steps' average is nine steps


def test_swapping_twice_changes_nothing() -> None:
    network = nn.Linear(3, 2)
    average = WeightAverage(network, 50)
    nn.init.normal_(network.weight)
    average.update()
    before, other = network.weight.clone(), average.average["weight"].clone()
    average.swap()
    assert torch.equal(network.weight, other)
    average.swap()
    assert torch.equal(network.weight, before)


def test_weights_that_do_not_train_are_left_alone() -> None:
    network = nn.Linear(3, 2)
    network.bias.requires_grad_(False)
    assert WeightAverage(network, 5).average.keys() == {"weight"}
