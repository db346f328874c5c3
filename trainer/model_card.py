"""The card of a registered version, as the model hubs read it: Markdown behind a front matter of YAML."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from trainer.card_limits import limits
from trainer.card_scores import Measured, calibration_sentence, scores_section
from trainer.entity_counts import FIGURES
from trainer.origins import Origin, base_model_origin, corpus_origins, named

_TASK = "token-classification"
_METRICS = ("precision", "recall", "f1")
# Told elsewhere, or nobody's business: the sources are paths.
_NOT_THE_RECIPE = ("base_model", "device", "corpus_sources", "corpus_changes", "train_fingerprint")


@dataclass(frozen=True)
class ModelFacts:
    """What a card tells. `is_uncased`: "US" and "us" are the same to the encoder; `score` says what a span's score
    means; of `measured` the first is the evaluation that counts.
    """

    version: int
    created: str
    base_model: str
    corpus: str
    fingerprint: str
    split_sizes: Mapping[str, int]
    config: Mapping[str, Any]
    labels: Sequence[str]
    libraries: Mapping[str, str]
    device: str
    seconds: float
    max_length: int
    score: str
    is_uncased: bool
    measured: Sequence[Measured]


def model_card(facts: ModelFacts) -> str:
    """Write the card: front matter, use, scores with intervals, data, recipe, intended use, limits, licence."""
    base, corpora = base_model_origin(facts.base_model), corpus_origins(facts.corpus)
    first = facts.measured[0] if facts.measured else None
    calibration = calibration_sentence(first) if first else ""
    sections = {
        "How to load it": _LOADING + _DIFFERENCE,
        "Scores": scores_section(facts.measured),
        "What the score of a span means": f"{facts.score[:1].upper()}{facts.score[1:]}.{calibration}",
        "Data": _data(facts, corpora),
        "Recipe": _recipe(facts),
        "Intended use": _INTENDED,
        "Limits": _bullets(limits(first, facts.labels, facts.max_length, facts.is_uncased)),
        "Licence": _licence(base, corpora),
    }
    title = f"# {_name(facts)}\n\nFinds {_listed(facts.labels)} in tweets: {base.name}, fine-tuned on {named(corpora)}."
    body = "\n\n".join([title, *(f"## {heading}\n\n{text}" for heading, text in sections.items())])
    return f"---\n{_front_matter(facts, base, corpora)}\n---\n\n{body}\n"


def _front_matter(facts: ModelFacts, base: Origin, corpora: Sequence[Origin]) -> str:
    languages = sorted({corpus.language for corpus in corpora if corpus.language})
    return ModelCardData(
        language=languages or None,
        license=base.licence or "unknown",
        library_name="transformers",
        pipeline_tag=_TASK,
        tags=["named-entity-recognition", "tweets", "tweetspan"],
        base_model=base.hub_id,
        datasets=[corpus.hub_id for corpus in corpora if corpus.hub_id] or None,
        metrics=list(_METRICS),
        model_name=_name(facts),
        eval_results=[result for one in facts.measured for result in _results(one)] or None,
    ).to_yaml()


def _results(measured: Measured) -> Iterator[EvalResult]:
    corpora = corpus_origins(measured.corpus)
    for figure in FIGURES:
        for metric in _METRICS:
            yield EvalResult(
                task_type=_TASK,
                dataset_name=named(corpora),
                dataset_type=" + ".join(corpus.hub_id or corpus.name for corpus in corpora),
                dataset_split=measured.split,
                metric_type=metric,
                metric_name=f"{metric}, {figure}",
                metric_value=round(measured.micro(figure)[metric]["value"], 4),
            )


def _name(facts: ModelFacts) -> str:
    return f"tweetspan model version {facts.version}"


def _data(facts: ModelFacts, corpora: Sequence[Origin]) -> str:
    sizes = ", ".join(f"{size} texts for {name}" for name, size in facts.split_sizes.items())
    changes = ", ".join(f"`{change}`" for change in facts.config.get("corpus_changes", ()))
    changed = f" Changed before training, in this order: {changes}." if changes else ""
    return (
        f"{named(corpora)}: {sizes}.{changed} The fingerprint of all texts and labels is `{facts.fingerprint}` "
        "(SHA-256). The validation split also chose the epoch, which makes its scores a little too high. No test "
        "split was trained on."
    )


def _recipe(facts: ModelFacts) -> str:
    config = {name.replace("_", " "): value for name, value in facts.config.items() if name not in _NOT_THE_RECIPE}
    libraries = ", ".join(f"{name} {version}" for name, version in facts.libraries.items())
    told = f"Trained in {facts.seconds:.0f} s on {facts.device}, registered {facts.created}, with {libraries}."
    rows = [f"| {name} | {value} |" for name, value in config.items()]
    return "\n".join(["| hyperparameter | value |", "| --- | --- |", *rows, "", told])


def _licence(base: Origin, corpora: Sequence[Origin]) -> str:
    unknown = "its licence is not known here: look it up before you pass the model on"
    data = ", ".join(f"{corpus.name} ({corpus.licence or unknown})" for corpus in corpora)
    told = [
        f"The weights are derived from {base.name} ({base.licence or unknown}).",
        f"They were trained on {data}; the texts are not in this folder.",
        *(corpus.citation for corpus in corpora if corpus.citation),
    ]
    return " ".join(told)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels)


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


_LOADING = """With tweetspan, which checks every file against its hash (offsets are Unicode code points, end exclusive):

```python
from pathlib import Path

from tagging.tagger import Tagger

tagger = Tagger.load(Path("FOLDER"))
[spans] = tagger.tag(["Zachary Raicik works for Corvus and lives in San Diego"])
```

With transformers alone (`aggregation_strategy="first"`, because a word's label was trained on its first sub-word):

```python
from transformers import pipeline

tag = pipeline("token-classification", "FOLDER", aggregation_strategy="first")
tag("Zachary Raicik works for Corvus and lives in San Diego")
```

"""

_DIFFERENCE = (
    "The network is the same in both. tweetspan takes a handle or a hashtag for one word, reads long texts in "
    "overlapping windows, and takes the likeliest labels that are valid; the pipeline cuts at every sign and does "
    "neither. So the two differ in some texts, and the scores below are tweetspan's."
)

_INTENDED = (
    "To find mentions in many public tweets, and to count, search and summarise them, where a single error does no "
    "harm. It finds names, and does not know whose they are: it is not meant for decisions about persons, or for "
    "finding out who somebody is. Measure it on tweets of your own before you rely on a figure."
)
