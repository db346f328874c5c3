"""The rate of tagging on a CPU: each runtime of ours against transformers' pipeline and against the arithmetic.

Usage: python -m benchmarks.tagging MODEL_FOLDER TWEETS.jsonl [MORE.jsonl] [--train-file F --validation-file F]
       [--rounds 5] [--threads N] [--json FILE] [--plot FILE.png]

All contenders read the same real tweets, each once, with the same weights, in turn, in each of several rounds; the
medians of their rates are compared. Two more read one batch of a worker's size: distinct tweets, and as many of which
40 % are copies of others. With the corpus the int8 form is calibrated on its training split, and the F1 that it costs
is told.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from transformers import pipeline

from benchmarks.arithmetic import bounds
from benchmarks.machine import machine, report, table
from benchmarks.operations import operations
from benchmarks.pipeline_agreement import read_texts
from db.ledger import BATCH_SIZE
from tagging.encoding import Encoder
from tagging.onnx_form import write_onnx_form
from tagging.quiet import hush_transformers
from tagging.tagger import Tagger
from trainer.corpus import load_files
from trainer.scoring import score
from worker import collector

PIPELINE_BATCHES = (None, 4, 8, 16, 64)  # None: as it comes
PIPELINE_TEXTS = 500  # it is slow
FORMS = ("torch fp32", "onnx fp32", "onnx int8")
BATCH, COPIES = "onnx int8, one batch", "onnx int8, one batch, 40 % copies"

Run = Callable[[], object]


def load_forms(folder: Path, calibration: list[str], scratch: Path, threads: int) -> dict[str, Tagger]:
    """Load the model as it is and in its two ONNX forms."""
    write_onnx_form(folder, scratch / "fp32", "fp32")
    write_onnx_form(folder, scratch / "int8", "int8", calibration)
    folders = (folder, scratch / "fp32", scratch / "int8")
    return {name: Tagger.load(one, "cpu", threads=threads) for name, one in zip(FORMS, folders, strict=True)}


def tag_all(tagger: Tagger, texts: list[str]) -> list[Any]:
    """Tag as a worker does, which meets most words for the first time."""
    tagger.encoder = Encoder(tagger.tokenizer, tagger.encoder.max_length)
    starts = range(0, len(texts), BATCH_SIZE)
    return [spans for start in starts for spans in tagger.tag(texts[start : start + BATCH_SIZE])]


def with_copies(texts: list[str], share: float = 0.4) -> list[str]:
    """Replace a share of the texts by copies of others, in random order: as retweets, read as their originals, come."""
    chance = random.Random(1)
    kept = chance.sample(texts, round(len(texts) * (1 - share)))
    stream = kept + chance.choices(kept, k=len(texts) - len(kept))
    return chance.sample(stream, len(stream))


def pipelines(folder: Path, texts: list[str]) -> Iterator[tuple[str, Run, int]]:
    """Give transformers' own pipeline at each batch size, with how many texts it reads."""
    tag = pipeline("token-classification", str(folder), aggregation_strategy="first", device="cpu")
    some = texts[:PIPELINE_TEXTS]
    for size in PIPELINE_BATCHES:
        named = {"batch_size": size} if size else {}
        yield f"pipeline, batch size {size or 'default'}", lambda named=named: list(tag(some, **named)), len(some)


def measure(contenders: list[tuple[str, Run, int]], rounds: int) -> dict[str, list[float]]:
    """Run all in turn, so that a slow minute of the machine meets each; return the rates in texts a second."""
    rates: dict[str, list[float]] = {name: [] for name, _, _ in contenders}
    for _ in range(rounds):
        for name, run, count in contenders:
            started = time.perf_counter()
            run()
            rates[name].append(count / (time.perf_counter() - started))
    return rates


def entities(tagger: Tagger, texts: list[str]) -> list[set[tuple[int, int, str]]]:
    """Tag, and keep what must be the same everywhere."""
    return [{(span.start, span.end, span.label) for span in spans} for spans in tagger.tag(texts)]


def dependent(tagger: Tagger, texts: list[str]) -> int:
    """Count the texts whose entities change with the texts beside them."""
    together = dict(zip(texts, entities(tagger, texts), strict=True))
    changed = set()
    for size, seed in ((1, 1), (16, 2), (256, 3)):
        shuffled = random.Random(seed).sample(texts, len(texts))
        for start in range(0, len(shuffled), size):
            some = shuffled[start : start + size]
            changed |= {
                text for text, found in zip(some, entities(tagger, some), strict=True) if found != together[text]
            }
    return len(changed)


def main() -> None:
    """Print the rates, the ratios that are promised, and what int8 costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("tweets", type=Path, nargs="+")
    parser.add_argument("--train-file", type=Path)
    parser.add_argument("--validation-file", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    hush_transformers()
    about = machine()
    texts = list(dict.fromkeys(text for file in arguments.tweets for text in read_texts(file, 10_000)))
    splits = load_files(arguments.train_file, arguments.validation_file).splits if arguments.train_file else {}
    calibration = [example.text for example in splits.get("train", ())][:1000] or texts[:1000]
    with tempfile.TemporaryDirectory() as scratch:
        taggers = load_forms(arguments.folder, calibration, Path(scratch), arguments.threads)
        needed = operations(taggers["torch fp32"], texts)
        limits = bounds(needed, arguments.threads, arguments.rounds)
        ours = [(name, lambda tagger=tagger: tag_all(tagger, texts), len(texts)) for name, tagger in taggers.items()]
        batch = texts[:BATCH_SIZE]
        for name, some in ((BATCH, batch), (COPIES, with_copies(batch))):
            ours.append((name, lambda some=some: tag_all(taggers["onnx int8"], some), len(some)))
        contenders = [*ours, *pipelines(arguments.folder, texts)]
        collector.settle()  # as a worker does when it has loaded its model
        rates = measure(contenders, arguments.rounds)
        figures = {
            "texts": len(texts),
            "threads": arguments.threads,
            "rounds": arguments.rounds,
            "rates": rates,
            "bounds": limits,
            "differing": _differing(taggers, texts),
            "dependent": {name: dependent(tagger, texts) for name, tagger in taggers.items()},
            "f1": {name: score(tagger.tag, splits["validation"])["overall_f1"] for name, tagger in taggers.items()}
            if splits
            else {},
        }
    show(figures)
    if arguments.plot:
        plot(figures, arguments.plot)
    report(about, arguments.json, figures)


def _differing(taggers: dict[str, Tagger], texts: list[str]) -> dict[str, int]:
    exact = entities(taggers["torch fp32"], texts)
    return {
        name: sum(one != other for one, other in zip(exact, entities(tagger, texts), strict=True))
        for name, tagger in taggers.items()
    }


def plot(figures: dict[str, Any], file: Path) -> None:
    """Draw the rates as bars, with the range of the rounds and the bound in float32."""
    rates = dict(reversed(figures["rates"].items()))
    middle = [median(one) for one in rates.values()]
    spread = [[value - min(one) for value, one in zip(middle, rates.values(), strict=True)],
              [max(one) - value for value, one in zip(middle, rates.values(), strict=True)]]  # fmt: skip
    colours = ["tab:gray" if name.startswith("pipeline") else "tab:blue" for name in rates]
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.barh(list(rates), middle, xerr=spread, color=colours, ecolor="black", capsize=3)
    axes.axvline(figures["bounds"]["fp32"], color="tab:red", linestyle="--", label="bound of float32")
    axes.set_xlabel(f"tweets/s, median and range of {figures['rounds']} rounds")
    axes.set_title(f"Tagging {figures['texts']} real tweets with MiniLM, {figures['threads']} threads")
    axes.legend()
    figure.savefig(file, dpi=110)


def show(figures: dict[str, Any]) -> None:
    """Print the figures as tables."""
    medians = {name: median(rates) for name, rates in figures["rates"].items()}
    default = medians["pipeline, batch size default"]
    best = max(rate for name, rate in medians.items() if name.startswith("pipeline"))
    rows = []
    for name, rate in medians.items():
        limit = figures["bounds"].get(name.rpartition(" ")[2])
        spread = f"{min(figures['rates'][name]):,.0f}-{max(figures['rates'][name]):,.0f}"
        rows.append([name, rate, spread, rate / best, rate / default, f"{rate / limit:.2f}" if limit else ""])
    print(f"{figures['texts']} real tweets, {figures['threads']} threads, medians of {figures['rounds']} rounds\n")
    print(table(["", "tweets/s", "range", "x pipeline at its best", "x its default", "of the bound"], rows))
    print(f"\nwith 40 % copies against all distinct: {medians[COPIES] / medians[BATCH]:.2f} (at most 1.67)")
    print("bound, tweets/s: " + ", ".join(f"{name} {limit:,.0f}" for name, limit in figures["bounds"].items()))
    print(f"texts whose entities differ from torch's: {figures['differing']}")
    print(f"texts whose entities change with the texts beside them (batches of 1, 16, 256): {figures['dependent']}")
    if figures["f1"]:
        print("F1 on the validation split: " + ", ".join(f"{name} {f1:.4f}" for name, f1 in figures["f1"].items()))


if __name__ == "__main__":
    main()
