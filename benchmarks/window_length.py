"""How long a window should be: the F1 of long texts, made of the tweets of a corpus, at several window lengths.

Usage: python -m benchmarks.window_length MODEL_FOLDER --train-file F --validation-file F [--tweets-each 100]
       [--json FILE]

Fine-tuning has seen short texts only, so a network may read worse what stands far behind in a long window. The tweets
of the validation split are joined into long texts, whose gold spans are known, and tagged with each length.
"""

import argparse
from pathlib import Path

from benchmarks.machine import machine, report, table
from tagging import encoding
from tagging.quiet import hush_transformers
from tagging.spans import Span
from tagging.tagger import Tagger
from trainer.corpus import load_files
from trainer.examples import Example

LENGTHS = (32, 48, 64, 96, 128, 192, 256, 384, 512)

Mention = tuple[int, int, int, str]  # text, start, end, label


def joined(examples: list[Example]) -> Example:
    """Join texts by spaces into one, and move their spans along."""
    text, spans = "", list[Span]()
    for example in examples:
        spans += [Span(len(text) + one.start, len(text) + one.end, one.label) for one in example.spans]
        text += f"{example.text} "
    return Example(text, tuple(spans))


def mentions(tagged: list[list[Span]]) -> set[Mention]:
    """Return the entities of all texts, to be compared."""
    return {(index, one.start, one.end, one.label) for index, spans in enumerate(tagged) for one in spans}


def f1(gold: set[Mention], found: set[Mention]) -> float:
    """Return the micro-F1 of exact spans with their labels."""
    return 2 * len(gold & found) / (len(gold) + len(found))


def main() -> None:
    """Print F1 by window length, and that of the tweets read one by one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train-file", type=Path, required=True)
    parser.add_argument("--validation-file", type=Path, required=True)
    parser.add_argument("--tweets-each", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    hush_transformers()
    examples = list(load_files(arguments.train_file, arguments.validation_file).splits["validation"])
    size = arguments.tweets_each
    long = [joined(examples[start : start + size]) for start in range(0, len(examples), size)]
    tagger = Tagger.load(arguments.folder, "cpu")
    alone = f1(mentions([list(one.spans) for one in examples]), mentions(tagger.tag([one.text for one in examples])))
    gold = mentions([list(one.spans) for one in long])
    rows = []
    for length in (length for length in LENGTHS if length <= tagger.network.config.max_position_embeddings):
        encoding.LONG_WINDOW = length
        tagger.encoder = encoding.Encoder(tagger.tokenizer, length)
        rows.append([length, f1(gold, mentions(tagger.tag([one.text for one in long])))])
    print(f"{len(examples)} tweets, one by one: F1 {alone:.4f}; joined into {len(long)} texts of {size}:\n")
    print(table(["window, token ids", "F1"], [[length, f"{found:.4f}"] for length, found in rows]))
    report(machine(), arguments.json, {"alone": alone, "by_length": dict(rows)})


if __name__ == "__main__":
    main()
