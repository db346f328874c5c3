"""What `tweetspan train` shows while it works."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from commands.rendering import marked, paused, print_table, progress_bar
from tagging.tagger import Tagger
from trainer.config import TrainingConfig
from trainer.epochs import Listener, last_complete
from trainer.examples import Corpus
from trainer.finetune import TrainedModel, finetune
from trainer.training_set import token_labels


def show_corpus(corpus: Corpus) -> None:
    """Print the splits with their sizes and label counts."""
    changed = "".join(f", {change}" for change in corpus.changes)
    click.echo(f"corpus {corpus.name}{changed}, fingerprint {corpus.fingerprint[:12]}")
    labels = corpus.entity_labels
    rows = []
    for name, split in corpus.splits.items():
        counts = Counter(span.label for example in split for span in example.spans)
        rows.append([name, len(split), *(counts[label] for label in labels)])
    print_table(["split", "texts", *labels], rows)


def train(
    config: TrainingConfig, corpus: Corpus, sentence: str, checkpoints: Path | None, resume: bool
) -> TrainedModel:
    """Fine-tune with a progress bar; print an example, the baseline, each epoch, and `sentence` before and after."""
    last = last_complete(checkpoints) if checkpoints else None
    if last:
        click.echo(f"going on from {last.name}")
    elif resume:
        click.echo("nothing to go on from: no epoch of a training with these options is kept; it begins anew")
    with progress_bar() as progress:
        bar = progress.add_task("training", total=None)

        def on_start(tagger: Tagger, baseline: dict[str, Any]) -> None:
            before = tagger.tag([sentence])[0]
            with paused(progress):
                _show_example(tagger, corpus)
                click.echo(f"untrained: {marked(sentence, before)}")
                click.echo(_scores_line("untrained", baseline))

        def on_epoch(epoch: int, scores: dict[str, Any]) -> None:
            with paused(progress):
                click.echo(_scores_line(f"epoch {epoch}", scores))

        listener = Listener(
            on_start=on_start,
            on_step=lambda done, total: progress.update(bar, completed=done, total=total),
            on_epoch=on_epoch,
        )
        trained = finetune(config, corpus, listener=listener, checkpoints=checkpoints)
    click.echo(
        f"kept epoch {trained.best_epoch}, learning rate {trained.config.learning_rate}, {trained.seconds:.0f} s"
    )
    _show_by_label(trained.scores)
    click.echo(f"trained: {marked(sentence, trained.tagger.tag([sentence])[0])}")
    return trained


def _show_example(tagger: Tagger, corpus: Corpus) -> None:
    """Print one training text as the network meets it: words, sub-words, labels."""
    example = max(corpus.splits["train"][:50], key=lambda one: len({span.label for span in one.spans}))
    encoded = tagger.encoder.encode([example.text])[0]
    window = encoded.windows[0]
    click.echo(f"an example: {marked(example.text, example.spans)}")
    labels = token_labels(window, example.word_labels(), "first")
    rows = [
        [
            example.text[slice(*encoded.words[word])],
            " ".join(tagger.encoder.tokens(window.ids[head:end])),
            labels[head],
        ]
        for head, word, end in zip(window.heads, window.words, window.ends, strict=True)
    ]
    print_table(["word", "sub-words", "label"], rows[:30])


def _scores_line(name: str, scores: dict[str, Any]) -> str:
    return (
        f"{name}: entity F1 {scores['overall_f1']:.4f} (precision {scores['overall_precision']:.4f}, "
        f"recall {scores['overall_recall']:.4f}), without handles {scores['plain_f1']:.4f}, "
        f"token F1 {scores['token_f1_weighted']:.4f} weighted"
    )


def _show_by_label(scores: dict[str, Any]) -> None:
    by_label = {label: value for label, value in scores.items() if isinstance(value, dict)}
    columns = ("precision", "recall", "f1", "number")
    rows = [[label, *(values[column] for column in columns)] for label, values in by_label.items()]
    print_table(["label", *columns], rows)
