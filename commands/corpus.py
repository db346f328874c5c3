"""`tweetspan corpus`: look at an annotated corpus before training on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.corpus_changes import change_options

if TYPE_CHECKING:
    from trainer.examples import Corpus

_SPLITS = ("train", "validation", "test")
_PERCENTILES = {"median": 50, "p90": 90, "p99": 99, "most": 100}
_SHOWN, _LONGEST = 3, 60  # examples in a table, characters of each
_sources = click.argument("sources", nargs=-1, required=True)
_as_json = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group("corpus")
def corpus_command() -> None:
    """Count and check an annotated corpus before training on it."""


@corpus_command.command("check")
@_sources
@change_options
@_as_json
def check_corpus(sources: tuple[str, ...], changes: list[str], as_json: bool) -> None:
    """Look for faults: invalid IOB2, contradicting labels, duplicates within and across splits, odd characters.

    SOURCES are one dataset (`sample`, a Hub id, a folder of parquet files), or up to three CoNLL or JSONL files: the
    training, validation and test split. A token's labels contradict each other if it is often part of an entity and
    often outside, between neighbours of the same shapes.

    \b
    Examples:
      tweetspan corpus check train.conll dev.conll
      tweetspan corpus check train.conll dev.conll --repair drop-leaks --repair drop-duplicates
    """
    from dataclasses import asdict

    from commands.rendering import print_json, print_table
    from trainer.corpus_check import check

    findings = check(_load(sources, changes))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    elif not findings:
        click.echo("nothing found")
    else:
        rows = [[one.kind, one.where, one.count, one.of, _short(one.examples)] for one in findings]
        print_table(["what", "where", "count", "of", "such as"], rows)


@corpus_command.command("stats")
@_sources
@change_options
@_as_json
def corpus_stats(sources: tuple[str, ...], changes: list[str], as_json: bool) -> None:
    """Count texts, words and entities by label, and the lengths of texts in words, of each split.

    \b
    Example: tweetspan corpus stats sample
    """
    from collections import Counter

    import numpy as np

    from commands.rendering import print_json, print_table
    from tagging.words import words

    corpus = _load(sources, changes)
    rows = []
    for split_name, split in corpus.splits.items():
        lengths = [len(words(example.text)) for example in split]
        labels = Counter(span.label for example in split for span in example.spans)
        rows.append(
            {
                "split": split_name,
                "texts": len(split),
                "words": sum(lengths),
                "entities": labels.total(),
                **{label: labels[label] for label in corpus.entity_labels},
                **{
                    f"words, {name}": int(np.percentile(lengths or [0], share, method="lower"))
                    for name, share in _PERCENTILES.items()
                },
            }
        )
    if as_json:
        print_json(rows)
    else:
        print_table(list(rows[0]), [list(row.values()) for row in rows])


def _short(examples: tuple[str, ...]) -> str:
    return "; ".join(one if len(one) <= _LONGEST else f"{one[:_LONGEST]}…" for one in examples[:_SHOWN])


def _load(sources: tuple[str, ...], changes: list[str]) -> Corpus:
    from tagging.errors import CorpusError
    from trainer.corpus import load_files, load_named
    from trainer.corpus_repairs import change

    if len(sources) == 1 and not Path(sources[0]).is_file():
        if Path(sources[0]).suffix in (".conll", ".jsonl", ".txt"):
            raise CorpusError(f"there is no file {sources[0]}; check the path")
        return change(load_named(sources[0]), changes)
    if len(sources) > len(_SPLITS):
        raise CorpusError(f"{len(sources)} files are given; give the training, validation and test file at most")
    return change(load_files(*map(Path, sources)), changes)
