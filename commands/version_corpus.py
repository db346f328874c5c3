"""The corpus that a model version was trained and validated on, loaded again from where it came."""

from __future__ import annotations

from pathlib import Path

from db.tables import ModelVersion
from tagging.errors import CorpusError, HubUnreachableError
from trainer.corpus import load_corpus, load_files, load_named, with_validation
from trainer.corpus_repairs import change
from trainer.examples import Corpus


def corpus_for(
    version: ModelVersion,
    dataset: str | None,
    train_file: Path | None,
    validation_file: Path | None,
    wanted: str = "give --dataset, or --train-file and --validation-file",
) -> Corpus:
    """Load the corpus that is named, or else the one that the version was trained on.

    Raises CorpusError, which ends in what is `wanted`, if the latter cannot be loaded again, or is another one by now.
    """
    seed = int(version.config.get("seed", 1))
    if train_file:
        return with_validation(load_files(train_file, validation_file), seed)
    if dataset:
        return with_validation(load_named(dataset), seed)
    try:
        corpus = own_corpus(version)
    except (CorpusError, HubUnreachableError) as error:
        raise CorpusError(f"the corpus of model version {version.id} cannot be loaded: {error}; {wanted}") from error
    if corpus.fingerprint != version.corpus_fingerprint:
        raise CorpusError(
            f"{version.corpus} is not what model version {version.id} was trained and validated on any more "
            f"(fingerprint {corpus.fingerprint[:12]}, recorded is {version.corpus_fingerprint[:12]}); {wanted}"
        )
    return corpus


def own_corpus(version: ModelVersion) -> Corpus:
    """Load what a version was trained on, changed as it was then. Raises CorpusError, HubUnreachableError."""
    sources = version.config.get("corpus_sources") or _by_name(version.corpus)
    files = {kind: [Path(name) for name in names] for kind, names in sources.items() if kind != "datasets"}
    loaded = load_corpus(sources["datasets"], **files)
    corpus = with_validation(loaded, int(version.config.get("seed", 1)))
    return change(corpus, version.config.get("corpus_changes", []))


def _by_name(name: str) -> dict[str, list[str]]:
    """Say where the corpus of a version comes from that knows its name alone."""
    return {"datasets": [], "train_files": [name]} if Path(name).is_file() else {"datasets": [name]}
