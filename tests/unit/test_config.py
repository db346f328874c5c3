"""Hyperparameters: what is refused and why, recipes, the rule for the learning rate."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagging.errors import ConfigError
from trainer.config import RECIPES, TrainingConfig, default_learning_rate, read_values, trained_layers


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("epochs", 0, "epochs 0"),
        ("epochs", 1001, "epochs 1001"),
        ("batch_size", -3, "batch size -3"),
        ("learning_rate", 0.0, "learning rate 0.0"),
        ("learning_rate", 1.5, "learning rate 1.5"),
        ("learning_rate", float("nan"), "learning rate nan"),
        ("weight_decay", -0.1, "weight decay -0.1"),
        ("warmup", 1.0, "warmup 1.0"),
        ("max_length", 15, "max length 15"),
        ("seed", -1, "seed -1"),
        ("seed", 2**32, "seed 4294967296"),
        ("label_subwords", "last", "'last'"),
        ("train_layers", "some", "'some'"),
    ],
)
def test_a_value_out_of_range_is_named(field: str, value: object, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        TrainingConfig(**{field: value})  # type: ignore[arg-type]


def test_the_edges_of_the_ranges_are_allowed() -> None:
    TrainingConfig(epochs=1, batch_size=1, weight_decay=0, warmup=0, max_length=16, seed=0)
    TrainingConfig(epochs=1000, batch_size=4096, learning_rate=1, weight_decay=1, warmup=0.99, seed=2**32 - 1)


def test_a_configuration_can_be_saved_as_json_and_read_back() -> None:
    config = TrainingConfig.from_recipe("tutorial", epochs=7)
    assert TrainingConfig(**json.loads(json.dumps(config.as_dict()))) == config


def test_the_tutorial_trains_the_head_alone_and_goes_by_token_f1() -> None:
    config = TrainingConfig.from_recipe("tutorial")
    assert (config.recipe, config.train_layers, config.best_by) == ("tutorial", "head", "token_f1_weighted")
    assert (config.learning_rate, config.batch_size, config.warmup) == (5e-5, 16, 0.0)


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_the_user_says_wins_over_the_recipe(recipe: str) -> None:
    given: dict[str, Any] = {"learning_rate": 1e-4, "train_layers": "last-2", "epochs": None}
    config = TrainingConfig.from_recipe(recipe, **given)
    assert (config.learning_rate, config.train_layers, config.epochs) == (1e-4, "last-2", TrainingConfig.epochs)


def test_zero_counts_as_said() -> None:
    assert TrainingConfig.from_recipe("default", warmup=0.0).warmup == 0.0


def test_an_unknown_recipe_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="'best' is not known; use one of default, tutorial"):
        TrainingConfig.from_recipe("best")


@pytest.mark.parametrize(
    ("parameters", "rate"),
    [(22_600_000, 2e-4), (108_000_000, 4.2e-5), (1_000, 1e-3), (0, 1e-3), (10**10, 1e-5)],
)
def test_the_learning_rate_shrinks_with_the_encoder(parameters: int, rate: float) -> None:
    assert default_learning_rate(parameters) == rate


@settings(deadline=None)
@given(st.integers(0, 10**10), st.integers(0, 10**10))
def test_no_larger_encoder_learns_faster(one: int, other: int) -> None:
    assert default_learning_rate(min(one, other)) >= default_learning_rate(max(one, other))


def test_the_rule_fills_in_only_what_was_not_said() -> None:
    assert TrainingConfig().with_learning_rate(22_600_000).learning_rate == 2e-4
    assert TrainingConfig(learning_rate=0.01).with_learning_rate(22_600_000).learning_rate == 0.01


@pytest.mark.parametrize(("name", "layers"), [("all", None), ("head", 0), ("last-1", 1), ("last-12", 12)])
def test_trained_layers(name: str, layers: int | None) -> None:
    assert trained_layers(name) == layers


@pytest.mark.parametrize("name", ["", "last", "last-", "last-0", "last--1", "last-1.5", "first-1", "Head", "last-²"])
def test_other_layers_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"train layers .* is not known; use all, head or last-N"):
        trained_layers(name)


@pytest.mark.parametrize(("field", "value"), [("precision", "fp8"), ("best_by", "luck"), ("device", "gpu")])
def test_values_checked_later_are_kept_as_given(field: str, value: str) -> None:
    assert TrainingConfig(**{field: value}).as_dict()[field] == value  # type: ignore[arg-type]


def test_a_batch_is_read_in_equal_parts() -> None:
    assert TrainingConfig(batch_size=32, accumulation=4).accumulation == 4
    with pytest.raises(ConfigError, match="a batch size of 32 cannot be read in 5 equal parts"):
        TrainingConfig(batch_size=32, accumulation=5)


def test_hyperparameters_are_read_by_their_type() -> None:
    texts = [
        "label_smoothing=0.05",
        "wide_vocabulary=no",
        "train_words = Yes",
        "epochs=4",
        "learning_rate=1e-4",
        "device=cpu",
    ]
    assert read_values(texts) == {
        "label_smoothing": 0.05, "wide_vocabulary": False, "train_words": True, "epochs": 4, "learning_rate": 1e-4,
        "device": "cpu",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("label_smooth=1", "'label_smooth' is no hyperparameter; there are: base_model, epochs"),
        ("recipe=tutorial", "'recipe' is no hyperparameter"),
        ("wide_vocabulary=maybe", "'wide_vocabulary=maybe' sets no wide_vocabulary; give yes or no"),
        ("epochs=2.5", "'epochs=2.5' sets no epochs; give a whole number"),
        ("average", "'average' sets no average; give a number"),
    ],
)
def test_what_sets_no_hyperparameter_is_named(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        read_values([text])
