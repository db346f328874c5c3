"""Fine-tune an encoder with a classifier over words: `finetune(config, corpus, score)`.

Imports torch and transformers alone, so that it runs wherever those two are.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from tagging.checkpoint import Manifest, write_manifest
from tagging.devices import find_device, find_precision
from tagging.errors import ConfigError, EncoderError
from tagging.positions import first_position
from tagging.spans import label_list
from tagging.tagger import Tagger
from tagging.torch_runtime import TorchRuntime
from trainer.base_model import find_base_model
from trainer.config import TrainingConfig, trained_layers
from trainer.examples import Corpus
from trainer.training_set import training_set

Scores = dict[str, Any]
ScoreFunction = Callable[[Tagger], Scores]


@dataclass
class TrainedModel:
    """A fine-tuned network, at the weights of its best epoch, and how it came about.

    `config` has every hyperparameter resolved; `baseline` are the untrained network's scores, `epochs` those after
    each epoch (all on validation), `best_epoch` counts from 1; `seconds` is the wall-clock time on `device`.
    """

    tagger: Tagger
    config: TrainingConfig
    baseline: Scores
    epochs: list[Scores] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0
    device: str = "cpu"

    @property
    def scores(self) -> Scores:
        """The scores of the best epoch."""
        return self.epochs[self.best_epoch - 1]

    def save(self, folder: Path) -> Manifest:
        """Write a model folder that plain transformers loads, with its manifest."""
        folder.mkdir(parents=True)
        self.tagger.network.save_pretrained(folder)
        self.tagger.tokenizer.save_pretrained(folder)
        labels = tuple(self.tagger.labels)
        return write_manifest(folder, self.config.base_model, labels, self.config.max_length, self.tagger.calibration)


@dataclass(frozen=True)
class Listener:
    """What a caller may want to see while training goes on; each does nothing unless given."""

    on_start: Callable[[Tagger, Scores], None] = lambda tagger, baseline: None  # the untrained network
    on_step: Callable[[int, int], None] = lambda done, total: None  # optimizer steps
    on_epoch: Callable[[int, Scores], None] = lambda epoch, scores: None


def load_encoder(config: TrainingConfig, corpus: Corpus) -> Tagger:
    """Load an encoder and its tokenizer, with an untrained head for the corpus's labels; the seed sets its weights.

    Raises EncoderError for an encoder or tokenizer that cannot be used, HubUnreachableError for one that is not found.
    """
    source = find_base_model(config.base_model)
    labels = label_list(corpus.entity_labels)
    set_seed(config.seed)
    try:
        network_config = AutoConfig.from_pretrained(
            source, id2label=dict(enumerate(labels)), label2id={label: index for index, label in enumerate(labels)}
        )
        tokenizer = AutoTokenizer.from_pretrained(source, add_prefix_space=True)
        network = AutoModelForTokenClassification.from_pretrained(
            source, config=network_config, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise EncoderError(f"cannot load the base model {config.base_model!r}: {error}") from error
    if tokenizer.pad_token_id is None:
        raise EncoderError(f"the tokenizer of {config.base_model!r} has no padding token; use another base model")
    longest = _longest_input(network)
    if config.max_length > longest:
        raise ConfigError(
            f"max length {config.max_length} is more than {config.base_model!r} reads; give at most {longest}"
        )
    return Tagger(TorchRuntime(network), tokenizer, config.max_length)


def finetune(
    config: TrainingConfig,
    corpus: Corpus,
    score: ScoreFunction,
    listener: Listener = Listener(),
) -> TrainedModel:
    """Fine-tune on the corpus's training split and keep the epoch with the best validation score.

    `score` rates a tagger on the validation split and must return `config.best_by` among its figures.
    Deterministic for a seed on one machine and device.
    Raises EncoderError, HubUnreachableError, DeviceError, ConfigError.
    """
    started = time.monotonic()
    device = find_device(config.device)
    precision = find_precision(config.precision, device)
    tagger = load_encoder(config, corpus)
    network = tagger.network.to(device)
    config = replace(
        config.with_learning_rate(network.base_model.num_parameters()), precision=precision, device=str(device)
    )
    freeze(network, config.train_layers)
    trained = TrainedModel(tagger, config, score(_evaluating(tagger)), device=_device_name(device))
    listener.on_start(tagger, trained.baseline)
    keeper = _BestEpoch(trained, score, listener)
    with tempfile.TemporaryDirectory(prefix="tweetspan-train-") as scratch:
        trainer = Trainer(
            model=network,
            args=_arguments(config, scratch, device, precision),
            train_dataset=training_set(tagger.encoder, corpus.splits["train"], tagger.labels, config.label_subwords),
            data_collator=DataCollatorForTokenClassification(tagger.tokenizer),
            callbacks=[keeper],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    network.load_state_dict(keeper.best_weights)
    _evaluating(tagger)
    trained.seconds = time.monotonic() - started
    return trained


def freeze(network: PreTrainedModel, train_layers: str) -> None:
    """Leave only some layers trainable: all, the head, or the head and the last N layers of the encoder.

    Raises ConfigError if the encoder has fewer layers.
    """
    count = trained_layers(train_layers)
    if count is None:
        return
    network.base_model.requires_grad_(False)
    stacks = [module for module in network.base_model.modules() if isinstance(module, torch.nn.ModuleList)]
    layers = max(stacks, key=len, default=torch.nn.ModuleList())
    if count > len(layers):
        raise ConfigError(
            f"train layers {train_layers!r}: the encoder has {len(layers)} layers; use all or a smaller N"
        )
    for layer in list(layers)[len(layers) - count :]:
        layer.requires_grad_(True)


class _BestEpoch(TrainerCallback):
    """Scores the network after each epoch and keeps the best one's weights in memory."""

    def __init__(self, trained: TrainedModel, score: ScoreFunction, listener: Listener) -> None:
        self.trained, self.score, self.listener = trained, score, listener
        self.best_weights: dict[str, torch.Tensor] = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.listener.on_step(state.global_step, state.max_steps)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        trained = self.trained
        scores = self.score(_evaluating(trained.tagger))
        trained.epochs.append(scores)
        name = trained.config.best_by
        if not self.best_weights or scores[name] > trained.scores[name]:
            trained.best_epoch = len(trained.epochs)
            weights = trained.tagger.network.state_dict()
            self.best_weights = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights.items()}
        self.listener.on_epoch(len(trained.epochs), scores)


def _evaluating(tagger: Tagger) -> Tagger:
    tagger.network.eval()  # Trainer puts it back into training mode at its next step
    return tagger


def _arguments(config: TrainingConfig, scratch: str, device: torch.device, precision: str) -> TrainingArguments:
    if device.type == "cuda":
        torch.cuda.set_device(device)
    arguments = TrainingArguments(
        output_dir=scratch,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        warmup_steps=config.warmup,  # below 1 it is a fraction of all steps
        lr_scheduler_type="linear",
        train_sampling_strategy="group_by_length",
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=device.type == "cpu",
        seed=config.seed,
        eval_strategy="no",  # scored from text to spans by `score`, the way the worker tags
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=device.type == "cuda",
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # one device, as asked: no silent DataParallel over all cards
    return arguments


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _longest_input(network: PreTrainedModel) -> int:
    positions = int(getattr(network.config, "max_position_embeddings", None) or 512)
    return positions - first_position(network.config)
