"""The rate of tagging on a GPU against transformers' pipeline, and what bounds it.

Usage: python -m benchmarks.gpu TOKENIZER_FOLDER TWEETS.jsonl [MORE.jsonl] [--texts 50000] [--rounds 5] [--device cuda]
       [--json FILE]

A network of BERT-base's shape with random weights reads real tweets, repeated with a number behind them so that none
comes twice. Needs torch, transformers and numpy alone, so that it runs where nothing else is installed.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import AutoTokenizer, BertConfig, BertForTokenClassification, pipeline, set_seed

from benchmarks.operations import Operations, operations
from tagging.batching import fill_batches
from tagging.checkpoint import write_manifest
from tagging.encoding import Window
from tagging.spans import label_list
from tagging.tagger import Tagger

LABELS = tuple(label_list(["PER", "LOC", "ORG"]))
AT_ONCE = 8192  # tweets that a worker on a GPU gets with one batch
PIPELINE_TEXTS = 2000  # it is slow
_ROWS = 32_768  # tokens of one matrix product


def save_model(tokenizer_folder: Path, folder: Path, config: BertConfig) -> None:
    """Save a random network of a shape, with the tokenizer of another."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    set_seed(1)
    config.vocab_size = len(tokenizer)
    config.id2label = dict(enumerate(LABELS))
    BertForTokenClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_manifest(folder, "random", LABELS, 128)


def distinct_texts(files: list[Path], count: int) -> list[str]:
    """Repeat the texts of tweet files, each time with another number."""
    lines = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    texts = list(dict.fromkeys(line.get("full_text") or line["text"] for line in lines))
    return [f"{texts[index % len(texts)]} {index // len(texts)}" for index in range(count)]


def seconds(run: Callable[[], object], device: torch.device, rounds: int) -> float:
    """Return the median time of a run, after one to warm up."""
    taken = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - started)
    return median(taken[1:])


def product_rate(needed: Operations, device: torch.device, dtype: torch.dtype, rounds: int) -> float:
    """Return operations a second of matrix products, in the shares that the network's dense layers have of its work."""
    total = 0.0
    for (inputs, outputs), count in needed.dense.items():
        left = torch.randn(_ROWS, inputs, device=device, dtype=dtype)
        right = torch.randn(inputs, outputs, device=device, dtype=dtype)
        taken = seconds(lambda left=left, right=right: left @ right, device, 4 * rounds)
        total += count * taken / (2.0 * _ROWS * inputs * outputs)
    return sum(needed.dense.values()) / total


def run_network(tagger: Tagger, windows: list[Window]) -> None:
    """Read windows as the tagger does, and drop the logits."""
    budget = tagger.token_budget or tagger.runtime.token_budget
    batches = fill_batches([len(window.ids) for window in windows], budget, tagger.runtime.equal_lengths)
    waiting = [tagger.runtime.start([windows[index].ids for index in batch]) for batch in batches]
    for wait in waiting:
        wait()


def tag_all(tagger: Tagger, texts: list[str]) -> None:
    """Tag as a worker does, batch by batch."""
    for start in range(0, len(texts), AT_ONCE):
        tagger.tag(texts[start : start + AT_ONCE])


def measure(folder: Path, texts: list[str], device: str, rounds: int) -> dict[str, Any]:
    """Measure the whole and its parts, and the pipeline on the same card."""
    tagger = Tagger.load(folder, device)
    network, where = tagger.network, tagger.network.device
    needed = operations(tagger, texts)
    some = texts[:AT_ONCE]
    windows = [window for text in tagger.encoder.encode(some) for window in text.windows]
    whole = seconds(lambda: tag_all(tagger, texts), where, rounds) / len(texts)
    network_alone = seconds(lambda: run_network(tagger, windows), where, rounds) / len(some)
    encoding = seconds(lambda: tagger.encoder.encode(some), where, rounds) / len(some)
    rate = product_rate(needed, where, network.dtype, rounds)
    figures: dict[str, Any] = {
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "precision": str(network.dtype),
        "packed": not tagger.runtime.equal_lengths,
        "texts": len(texts),
        "rounds": rounds,
        "tweets_per_second": 1 / whole,
        "network_tweets_per_second": 1 / network_alone,
        "product_tflops": rate / 1e12,
        "network_share_of_product_rate": (sum(needed.dense.values()) + needed.attention) / network_alone / rate,
        "microseconds_per_tweet": {
            "whole": whole * 1e6,
            "network and copies": network_alone * 1e6,
            "words and sub-words": encoding * 1e6,
            "decoding and the rest": (whole - network_alone - encoding) * 1e6,
        },
        "pipeline_tweets_per_second": {},
    }
    for dtype in dict.fromkeys((torch.float32, network.dtype)):
        tag = pipeline("token-classification", str(folder), aggregation_strategy="first", device=where, dtype=dtype)
        taken = seconds(lambda tag=tag: list(tag(texts[:PIPELINE_TEXTS], batch_size=64)), where, max(rounds // 2, 1))
        figures["pipeline_tweets_per_second"][str(dtype)] = min(PIPELINE_TEXTS, len(texts)) / taken
    return figures


def main() -> None:
    """Print the figures, as JSON too where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("tweets", type=Path, nargs="+")
    parser.add_argument("--texts", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        save_model(arguments.tokenizer, Path(scratch), BertConfig())
        texts = distinct_texts(arguments.tweets, arguments.texts)
        figures = measure(Path(scratch), texts, arguments.device, arguments.rounds)
    best = max(figures["pipeline_tweets_per_second"].values())
    for name, value in figures.items():
        print(f"{name:32} {value}")
    print(f"{'times the pipeline at its best':32} {figures['tweets_per_second'] / best:.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
