"""What a training is: frozen, validated, saved with the version that comes of it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from tagging.errors import ConfigError

# Overrides of the defaults below. "tutorial" is the article's: only the classifier layer trains, and the epoch is
# chosen by weighted token F1.
RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    "tutorial": {
        "learning_rate": 5e-5,
        "batch_size": 16,
        "warmup": 0.0,
        "train_layers": "head",
        "label_smoothing": 0.0,
        "hidden_words": 0.0,
        "wide_vocabulary": False,
        "average": 0.0,
        "best_by": "token_f1_weighted",
    },
}


_WORDS = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class TrainingConfig:
    """The hyperparameters of one fine-tuning.

    A step reads `batch_size` texts, in `accumulation` parts where the device cannot hold them at once.
    `learning_rate` None means the rule of `default_learning_rate`; `warmup` is a fraction of all steps; `max_length`
    is the window in token ids; `train_layers` is all, head or last-N; `label_subwords` says whether only the first
    sub-word of a word carries its label or all do; `best_by` names the validation score that picks the epoch.
    `label_smoothing` is the share of each label that is spread over all; `train_words` lets the vectors of the
    sub-words train, too; `hidden_words` is the share of sub-words that training hides (trainer/collation.py).
    `wide_vocabulary` lets the encoder read capitals and parts of names (trainer/wide_vocabulary.py), capitals but for
    the share `hidden_capitals` of the texts; `average` is the share of all steps over which the weights are averaged
    (trainer/weight_average.py), 0 for no average.
    Raises ConfigError for a value out of range.
    """

    base_model: str = "bert-base-cased"
    recipe: str = "default"
    epochs: int = 3
    batch_size: int = 32
    accumulation: int = 1
    learning_rate: float | None = None
    weight_decay: float = 0.01
    warmup: float = 0.1
    max_length: int = 128
    seed: int = 1
    precision: str = "auto"
    device: str = "auto"
    train_layers: str = "all"
    label_subwords: str = "first"
    label_smoothing: float = 0.05
    train_words: bool = False
    hidden_words: float = 0.05
    wide_vocabulary: bool = True
    hidden_capitals: float = 0.1
    average: float = 0.15
    best_by: str = "overall_f1"

    def __post_init__(self) -> None:
        _check("epochs", self.epochs, 1, 1000)
        _check("batch size", self.batch_size, 1, 4096)
        _check("accumulation", self.accumulation, 1, self.batch_size)
        _check("learning rate", 1e-3 if self.learning_rate is None else self.learning_rate, 1e-9, 1)
        _check("weight decay", self.weight_decay, 0, 1)
        _check("warmup", self.warmup, 0, 0.99)
        _check("max length", self.max_length, 16, 100_000)
        _check("label smoothing", self.label_smoothing, 0, 0.9)
        _check("hidden words", self.hidden_words, 0, 0.9)
        _check("hidden capitals", self.hidden_capitals, 0, 1)
        _check("average", self.average, 0, 1)
        _check("seed", self.seed, 0, 2**32 - 1)
        if self.batch_size % self.accumulation:
            raise ConfigError(
                f"a batch size of {self.batch_size} cannot be read in {self.accumulation} equal parts; "
                "give an accumulation that divides it"
            )
        if self.label_subwords not in ("first", "all"):
            raise ConfigError(f"label subwords {self.label_subwords!r} is not known; use first or all")
        trained_layers(self.train_layers)

    @classmethod
    def from_recipe(cls, recipe: str, **given: Any) -> Self:
        """Make a configuration from a recipe's name and what the user said; a None counts as not said."""
        if recipe not in RECIPES:
            raise ConfigError(f"recipe {recipe!r} is not known; use one of {', '.join(RECIPES)}")
        said = {name: value for name, value in given.items() if value is not None}
        return cls(**{"recipe": recipe, **RECIPES[recipe], **said})

    def with_learning_rate(self, parameters: int) -> Self:
        """Fill in the learning rate for an encoder of so many parameters, so that it is saved as a number."""
        return self if self.learning_rate else replace(self, learning_rate=default_learning_rate(parameters))

    def as_dict(self) -> dict[str, Any]:
        """Return the hyperparameters as JSON can hold them."""
        return asdict(self)


def read_values(texts: Iterable[str]) -> dict[str, Any]:
    """Read hyperparameters as `name=value`, each by the type of its default. Raises ConfigError for what is none.

    >>> read_values(["label_smoothing=0.05", "wide_vocabulary=no"])
    {'label_smoothing': 0.05, 'wide_vocabulary': False}
    """
    defaults: dict[str, Any] = {one.name: one.default for one in fields(TrainingConfig) if one.name != "recipe"}
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        if name not in defaults:
            raise ConfigError(f"{name!r} is no hyperparameter; there are: {', '.join(defaults)}")
        kind = float if defaults[name] is None else type(defaults[name])
        try:
            found[name] = _WORDS[value.lower()] if kind is bool else kind(value)
        except (KeyError, ValueError):
            wanted = {bool: "yes or no", int: "a whole number", float: "a number"}[kind]
            raise ConfigError(f"{text!r} sets no {name}; give {wanted}") from None
    return found


def default_learning_rate(parameters: int) -> float:
    """Give the learning rate for an encoder of so many parameters: 4,500 / parameters, within 1e-5 and 1e-3.

    Bigger encoders want smaller steps. The constant puts MiniLM (22.6 M) at 2e-4, where it was seen to train well, and
    BERT-base (108 M) at 4.2e-5.
    """
    return float(f"{min(max(4_500 / max(parameters, 1), 1e-5), 1e-3):.2g}")


def trained_layers(name: str) -> int | None:
    """Read `train_layers`: None for all, otherwise how many encoder layers train beside the head (0 for head)."""
    if name == "all":
        return None
    if name == "head":
        return 0
    prefix, _, count = name.partition("-")
    if prefix != "last" or not count.isdecimal() or int(count) < 1:
        raise ConfigError(f"train layers {name!r} is not known; use all, head or last-N, such as last-2")
    return int(count)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} {value} is out of range; give a number from {low} to {high}")
