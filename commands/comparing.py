"""How `tweetspan models compare` finds the texts, has both versions tag them, and shows the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from answers.wording import counted
from commands.rendering import marked, print_table, progress_bar
from commands.version_corpus import corpus_for
from db.session import Database
from db.tables import ModelVersion
from settings import Settings
from tagging.errors import CorpusError
from tagging.spans import Span
from trainer.corpus import load_named, load_texts, with_validation
from trainer.examples import Example
from trainer.paired_comparison import Row, compare_predictions, differing
from worker.active_model import tagger_for

Versions = tuple[ModelVersion, ModelVersion]
Found = Sequence[Sequence[Span]]
_WANTED = "give --file with annotated texts, or --dataset"


@dataclass(frozen=True)
class Outcome:
    """What two versions found in the same texts, and how that compares."""

    numbers: tuple[int, int]
    examples: Sequence[Example]
    found: tuple[Found, Found]
    rows: Sequence[Row]
    differing: Sequence[int]

    def as_dict(self, show: int) -> dict[str, Any]:
        """Return it as JSON can hold it, with the first texts on which they differ."""
        return {
            "first": self.numbers[0],
            "second": self.numbers[1],
            "texts": len(self.examples),
            "scores": [asdict(row) | {"difference": row.difference._asdict()} for row in self.rows],
            "differing": len(self.differing),
            "shown": [
                {"position": position, "text": self.examples[position].text}
                | {name: [_span(one) for one in spans] for name, spans in self.readings(position)}
                for position in self.differing[:show]
            ],
        }

    def readings(self, position: int) -> Iterator[tuple[str, Sequence[Span]]]:
        """Yield the spans of a text as annotated and as found, under the names "gold", "first" and "second"."""
        yield "gold", self.examples[position].spans
        yield from zip(("first", "second"), (found[position] for found in self.found), strict=True)


def examples_for(versions: Versions, dataset: str | None, file: Path | None) -> Sequence[Example]:
    """Load the texts that are named, or else the validation split on which both versions were scored.

    Raises CorpusError if the two have no such split in common, or if it cannot be loaded again.
    """
    first, second = versions
    if file:
        return load_texts(file)
    if dataset:
        return _validation_of(dataset, versions)
    if first.corpus_fingerprint != second.corpus_fingerprint:
        raise CorpusError(f"model versions {first.id} and {second.id} were validated on different corpora; {_WANTED}")
    return corpus_for(first, None, None, None, wanted=_WANTED).splits["validation"]


def compare(settings: Settings, database: Database, versions: Versions, examples: Sequence[Example]) -> Outcome:
    """Have both versions tag the texts by their checkpoints, and compare what they found."""
    first, second = (_found(settings, database, version, examples) for version in versions)
    rows = compare_predictions(examples, first, second)
    numbers = versions[0].id, versions[1].id
    return Outcome(numbers, examples, (first, second), rows, differing(first, second))


def print_comparison(outcome: Outcome, show: int) -> None:
    """Print the scores as a table, and the first texts on which the two differ, marked."""
    first, second = (f"version {number}" for number in outcome.numbers)
    click.echo(f"F1 on {counted(len(outcome.examples), 'text')}; the difference is {second} less {first}")
    headings = ("figure", "label", "gold", first, second, "difference", "95 % interval", "p")
    print_table(headings, [_cells(row) for row in outcome.rows])
    click.echo(f"{len(outcome.differing)} of {counted(len(outcome.examples), 'text')} are read differently")
    names = {"gold": "gold", "first": first, "second": second}
    width = max(map(len, names.values()))
    for position in outcome.differing[:show]:
        click.echo(f"\ntext {position + 1}")
        for name, spans in outcome.readings(position):
            click.echo(f"  {names[name]:<{width}}  {marked(outcome.examples[position].text, spans)}")


def _validation_of(dataset: str, versions: Versions) -> Sequence[Example]:
    """Load a dataset's validation split, or draw it as both trainings did: drawn otherwise, it was trained on."""
    corpus = load_named(dataset)
    one, other = (int(version.config.get("seed", 1)) for version in versions)
    if one != other and not corpus.splits.get("validation"):
        raise CorpusError(
            f"{dataset} has no validation split, and model versions {versions[0].id} and {versions[1].id} would draw "
            f"different ones (seeds {one} and {other}); give --file with annotated texts"
        )
    return with_validation(corpus, one).splits["validation"]


def _found(settings: Settings, database: Database, version: ModelVersion, examples: Sequence[Example]) -> Found:
    itself = replace(settings, device=settings.single_device, runtime="torch")  # not a fast form of it
    with progress_bar() as progress:
        progress.add_task(f"tagging with version {version.id}", total=None)
        return tagger_for(database, version.id, itself).tag([example.text for example in examples])


def _cells(row: Row) -> list[Any]:
    value, low, high, p_value = row.difference
    shown = f"{value:+.4f}", f"{low:+.4f} to {high:+.4f}", f"{p_value:.3f}"
    return [row.figure, row.label or "all", row.gold, row.first, row.second, *shown]


def _span(one: Span) -> dict[str, Any]:
    return {"start": one.start, "end": one.end, "label": one.label, "score": round(one.score, 4)}
