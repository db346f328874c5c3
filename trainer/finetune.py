"""Fine-tune an encoder with a classifier over words: `finetune(config, corpus)`.

Imports torch and transformers alone, so that it runs wherever those two are.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset, Sampler
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from tagging.checkpoint import Manifest, write_manifest
from tagging.devices import find_device, find_precision
from tagging.errors import ConfigError, CorpusError, DeviceError
from tagging.tagger import Tagger
from trainer.batches import SimilarLengths
from trainer.collation import HidingCollator
from trainer.config import TrainingConfig
from trainer.encoder import freeze, load_encoder
from trainer.epochs import QUIET, Epochs, Listener, Scores, last_complete
from trainer.examples import Corpus
from trainer.training_set import TrainingSet, training_set
from trainer.weight_average import WeightAverage
from trainer.wide_vocabulary import with_wide_vocabulary, write_plain_embedding

_PAYS_FROM = 256  # the width of an encoder from which bf16 is quicker on a CPU

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


def finetune(
    config: TrainingConfig,
    corpus: Corpus,
    score: ScoreFunction | None = None,
    listener: Listener = QUIET,
    checkpoints: Path | None = None,
    last_epoch: int | None = None,
) -> TrainedModel:
    """Fine-tune on the corpus's training split and keep the epoch with the best validation score.

    `score` rates a tagger and must return `config.best_by` among its figures; left out, it is `trainer.scoring.score`
    on the corpus's validation split. With a folder for `checkpoints` the state of the last epochs is kept there, and a
    training that finds a whole one goes on from it. It ends after `last_epoch`, on the way to all. For a seed, the
    weights are the same to the bit on the same CPU, cut off or not.
    Raises CorpusError, EncoderError, HubUnreachableError, DeviceError, ConfigError.
    """
    score = score or _validation_score(corpus)
    config, tagger = _prepared(config, corpus)
    trained = TrainedModel(tagger, config, _scored(score, tagger), device=_device_name(torch.device(config.device)))
    _check_best_by(config, trained.baseline)
    listener.on_start(tagger, trained.baseline)
    rows = training_set(tagger.encoder, corpus.splits["train"], tagger.labels, config.label_subwords)
    steps = config.epochs * math.ceil(len(rows) / config.batch_size)
    average = WeightAverage(tagger.network, config.average * steps)
    epochs = Epochs(tagger.network, average, lambda: _scored(score, tagger), config.best_by, listener, last_epoch)
    with _folder(checkpoints) as folder:
        _train(config, tagger, rows, epochs, folder, keep=checkpoints is not None)
    tagger.network.load_state_dict(epochs.kept)
    write_plain_embedding(tagger.network)
    tagger.network.__dict__.pop("forward", None)  # Trainer's, in half precision
    tagger.network.eval()
    trained.epochs, trained.best_epoch = epochs.scores, epochs.best
    trained.seconds = epochs.spent
    return trained


def _check_best_by(config: TrainingConfig, scores: Scores) -> None:
    if not isinstance(scores.get(config.best_by), int | float):
        numbers = ", ".join(name for name, value in scores.items() if isinstance(value, int | float))
        raise ConfigError(f"best by {config.best_by!r}: there is no such score; use one of {numbers}")


def _prepared(config: TrainingConfig, corpus: Corpus) -> tuple[TrainingConfig, Tagger]:
    """Load the encoder onto its device, ready to train; return it with a configuration that leaves nothing open."""
    device = find_device(config.device)
    if device.index:
        raise DeviceError(
            f"training takes the first card that it sees; for {config.device} set CUDA_VISIBLE_DEVICES={device.index} "
            "and give --device cuda"
        )
    tagger = load_encoder(config, corpus)
    config = replace(
        config.with_learning_rate(tagger.network.base_model.num_parameters()),
        precision=training_precision(config.precision, device, tagger.network),
        device=str(device),
    )
    if config.wide_vocabulary:
        tagger = with_wide_vocabulary(tagger, config.hidden_capitals)
    tagger.network.to(device)
    freeze(tagger.network, config.train_layers, config.train_words)
    return config, tagger


def _train(config: TrainingConfig, tagger: Tagger, rows: TrainingSet, epochs: Epochs, folder: Path, keep: bool) -> None:
    """Run all epochs, or those that are left behind the last whole checkpoint in the folder."""
    trainer = _Trainer(
        model=tagger.network,
        args=_arguments(config, folder, keep),
        train_dataset=rows,
        data_collator=HidingCollator(tagger.tokenizer, config.hidden_words),
        callbacks=[epochs],
    )
    trainer.remove_callback(PrinterCallback)
    last = last_complete(folder)
    if last:
        epochs.restore(last)
    trainer.train(resume_from_checkpoint=str(last) if last else None)


class _Trainer(Trainer):
    """transformers' Trainer with our order of the rows."""

    train_dataset: TrainingSet

    def _get_train_sampler(self, train_dataset: Dataset[Any] | None = None) -> Sampler[int]:
        lengths = [len(row["input_ids"]) for row in self.train_dataset.rows]
        step = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return SimilarLengths(lengths, step, self.args.seed)


def _validation_score(corpus: Corpus) -> ScoreFunction:
    from trainer.scoring import score  # noqa: PLC0415 (it needs more than torch and transformers)

    examples = corpus.splits.get("validation")
    if not examples:
        raise CorpusError(
            f"corpus {corpus.name} has no validation split to score on; hold one back: with_validation(corpus, seed)"
        )
    return lambda tagger: score(tagger.tag, examples)


@contextmanager
def _folder(checkpoints: Path | None) -> Iterator[Path]:
    """Yield the folder to train in: the one given, or one that is gone at the end."""
    if checkpoints:
        checkpoints.mkdir(parents=True, exist_ok=True)
        yield checkpoints
    else:
        with tempfile.TemporaryDirectory(prefix="tweetspan-train-") as scratch:
            yield Path(scratch)


def _scored(score: ScoreFunction, tagger: Tagger) -> Scores:
    """Score the network as it will tag: without dropout, and without the half precision that Trainer wraps it in."""
    tagger.network.eval()  # Trainer puts it back into training mode at its next step
    wrapped = tagger.network.__dict__.pop("forward", None)
    try:
        return score(tagger)
    finally:
        if wrapped is not None:
            tagger.network.forward = wrapped


def training_precision(name: str, device: torch.device, network: PreTrainedModel) -> str:
    """Resolve `auto` for training: as for tagging, but bf16 also on a CPU that multiplies in it.

    There an encoder of common size takes half the time, a tiny one more. Tagging keeps fp32, so that no text depends
    on its batch.
    """
    pays = device.type == "cpu" and network.config.hidden_size >= _PAYS_FROM
    return "bf16" if name == "auto" and pays and _multiplies_in_bf16() else find_precision(name, device)


def _multiplies_in_bf16() -> bool:
    """Tell whether this CPU has AVX-512 BF16 or AMX; older PyTorch cannot say."""
    signs = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, sign, lambda: False)() for sign in signs)


def _arguments(config: TrainingConfig, folder: Path, keep: bool) -> TrainingArguments:
    device = torch.device(config.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size // config.accumulation,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        warmup_steps=config.warmup,  # below 1 it is a fraction of all steps
        lr_scheduler_type="linear",
        label_smoothing_factor=config.label_smoothing,
        bf16=config.precision == "bf16",
        fp16=config.precision == "fp16",
        use_cpu=device.type == "cpu",
        seed=config.seed,
        eval_strategy="no",  # scored from text to spans by `score`, the way the worker tags
        save_strategy="epoch" if keep else "no",
        save_total_limit=2,  # the last may be half written
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=device.type == "cuda",
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # one device, as asked: no silent DataParallel over all cards
    return arguments


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
