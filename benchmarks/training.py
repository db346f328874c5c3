"""How fast training is: ours against transformers' Trainer as it comes (random batches, padded to their longest).

Usage: python -m benchmarks.training TRAIN.conll VALIDATION.conll [--base-model starter] [--texts N] [--epochs 3]
       [--rounds 1] [--json FILE]

All train the same encoder on the same texts with the same hyperparameters, in turn; scoring is left out of the time.
Ours runs twice: in float32, and as it comes, which is bf16 where the machine multiplies in it.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from transformers import DataCollatorForTokenClassification, PrinterCallback, Trainer, TrainingArguments

from benchmarks.machine import machine, report, table
from tagging.quiet import hush_transformers
from tagging.tagger import Tagger
from trainer.config import TrainingConfig
from trainer.corpus import load_files
from trainer.encoder import load_encoder
from trainer.examples import Corpus
from trainer.finetune import finetune
from trainer.scoring import Scores, score
from trainer.training_set import training_set

PLAIN = "plain Trainer"

Trained = tuple[float, Scores]  # seconds of training alone, scores on the validation split


def train_plainly(config: TrainingConfig, corpus: Corpus) -> Trained:
    """Train with transformers' Trainer, with nothing of ours but the words and their labels."""
    tagger = load_encoder(config, corpus)
    rows = training_set(tagger.encoder, corpus.splits["train"], tagger.labels, "first")
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            num_train_epochs=config.epochs,
            per_device_train_batch_size=config.batch_size,
            learning_rate=config.with_learning_rate(tagger.network.base_model.num_parameters()).learning_rate,
            weight_decay=config.weight_decay,
            warmup_steps=config.warmup,
            seed=config.seed,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        collator = DataCollatorForTokenClassification(tagger.tokenizer)
        trainer = Trainer(tagger.network, arguments, collator, rows)
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    tagger.network.eval()
    return seconds, score(tagger.tag, corpus.splits["validation"])


def train_ours(config: TrainingConfig, corpus: Corpus) -> Trained:
    """Train as `tweetspan train` does; what passes outside of scoring and loading is the time."""
    ended: list[float] = []
    aside = 0.0

    def timed(tagger: Tagger) -> Scores:
        nonlocal aside
        started = time.perf_counter()
        scores = score(tagger.tag, corpus.splits["validation"])
        ended.append(time.perf_counter())
        aside += ended[-1] - started if len(ended) > 1 else 0  # the first is of the untrained network
        return scores

    trained = finetune(config, corpus, timed)
    return ended[-1] - ended[0] - aside, trained.scores


def main() -> None:
    """Print rates, ratios and scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--base-model", default="starter")
    parser.add_argument("--texts", type=int)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    hush_transformers()
    about = machine()
    corpus = load_files(arguments.train, arguments.validation)
    train = corpus.splits["train"][: arguments.texts]
    corpus = replace(corpus, splits={**corpus.splits, "train": train})
    config = TrainingConfig(base_model=arguments.base_model, epochs=arguments.epochs)
    contenders: dict[str, Callable[[], Trained]] = {
        PLAIN: lambda: train_plainly(config, corpus),
        "ours, fp32": lambda: train_ours(replace(config, precision="fp32"), corpus),
        "ours": lambda: train_ours(config, corpus),
    }
    runs: dict[str, list[Trained]] = {name: [] for name in contenders}
    for _ in range(arguments.rounds):
        for name, run in contenders.items():
            runs[name].append(run())
    rates = {name: [len(train) * config.epochs / seconds for seconds, _ in done] for name, done in runs.items()}
    show(rates, {name: done[-1][1] for name, done in runs.items()}, len(train), arguments)
    report(about, arguments.json, {"rates": rates, "scores": {name: done[-1][1] for name, done in runs.items()}})


def show(rates: dict[str, list[float]], scores: dict[str, Scores], texts: int, arguments: argparse.Namespace) -> None:
    """Print a row for each way to train."""
    rows: list[list[Any]] = []
    for name, own in rates.items():
        figures = [f"{scores[name][figure]:.4f}" for figure in ("overall_f1", "joined_f1", "plain_f1")]
        rows.append([name, median(own), f"{median(own) / median(rates[PLAIN]):.2f}", *figures])
    print(f"{texts} texts, {arguments.epochs} epochs, medians of {arguments.rounds} rounds; F1 of the last round\n")
    print(table(["", "texts/s", "x plain", "official F1", "joined", "plain F1"], rows))


if __name__ == "__main__":
    main()
