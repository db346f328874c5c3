"""The model card: a front matter that the hubs read, and warnings that follow from what is known."""

from dataclasses import replace
from typing import Any

import pytest
from huggingface_hub import ModelCard

from trainer.card_scores import Measured
from trainer.model_card import ModelFacts, model_card


def rates(gold: int) -> dict[str, Any]:
    """Rates of so many gold entities, of which half are found and nothing else."""
    estimates = {
        name: {"value": value, "low": value - 0.1, "high": value + 0.05}
        for name, value in (("precision", 1.0), ("recall", 0.5), ("f1", 2 / 3))
    }
    return {"gold": gold, **estimates}


def measured(official: int, joined: int, plain: int, split: str = "validation", **groups: Any) -> Measured:
    """An evaluation with so many gold entities in each figure."""
    gold = {"official": official, "joined": joined, "plain": plain}
    figures = {figure: {"micro": rates(number), "by_label": {"PER": rates(number)}} for figure, number in gold.items()}
    return Measured("GateNLP/broad_twitter_corpus", split, 20, {"figures": figures, "calibration": groups})


FACTS = ModelFacts(
    version=3,
    created="2026-01-02",
    base_model="starter",
    corpus="GateNLP/broad_twitter_corpus",
    fingerprint="f" * 64,
    split_sizes={"train": 100, "validation": 20},
    config={"base_model": "starter", "recipe": "default", "learning_rate": 3e-4, "device": "cpu"},
    labels=["LOC", "PER"],
    libraries={"torch": "2.13.0"},
    device="cpu",
    seconds=99.6,
    max_length=128,
    score="smallest softmax probability; not calibrated",
    is_uncased=True,
    measured=[measured(20, 16, 10)],
)


def test_the_front_matter_follows_the_hubs_conventions() -> None:
    data = ModelCard(model_card(FACTS)).data
    assert (data.license, data.language, data.library_name) == ("apache-2.0", ["en"], "transformers")
    assert (data.pipeline_tag, data.metrics) == ("token-classification", ["precision", "recall", "f1"])
    assert data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    assert data.datasets == ["GateNLP/broad_twitter_corpus"]
    official = {one.metric_type: one.metric_value for one in data.eval_results if "official" in one.metric_name}
    assert official == {"precision": 1.0, "recall": 0.5, "f1": 0.6667}
    assert len(data.eval_results) == 9
    assert {one.dataset_split for one in data.eval_results} == {"validation"}


def test_the_text_tells_all_that_a_reader_needs() -> None:
    text = ModelCard(model_card(FACTS)).text
    for said in (
        "# tweetspan model version 3",
        "Finds LOC, PER in tweets: sentence-transformers/all-MiniLM-L6-v2, fine-tuned on the Broad Twitter Corpus.",
        'aggregation_strategy="first"',
        "Tagger.load",
        "| plain | PER | 0.667 (0.567 to 0.717) | 1.000 (0.900 to 1.050) | 0.500 (0.400 to 0.550) | 10 |",
        "Smallest softmax probability; not calibrated.",
        "100 texts for train, 20 texts for validation",
        f"`{'f' * 64}`",
        "| learning rate | 0.0003 |",
        "Trained in 100 s on cpu, registered 2026-01-02, with torch 2.13.0.",
        "## Intended use",
        "(cc-by-4.0)",
        "COLING 2016",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("facts", "warning", "is_warned"),
    [
        (FACTS, '"US" and "us" are the same', True),
        (replace(FACTS, is_uncased=False), '"US" and "us" are the same', False),
        (FACTS, "6 of 16 gold entities are handles", True),
        (FACTS, 'labels a lone "@" as an entity, beside its handle: 4 more gold entities', True),
        (replace(FACTS, measured=[measured(9, 9, 9)]), "@", False),
        (replace(FACTS, measured=[]), "handles, which", False),
    ],
)
def test_warnings_follow_from_what_is_known(facts: ModelFacts, warning: str, is_warned: bool) -> None:
    limits = model_card(facts).partition("## Limits")[2].partition("## Licence")[0]
    assert (warning in limits) == is_warned


def test_paths_of_the_machine_are_not_told() -> None:
    sources = {"datasets": [], "train_files": ["/home/ann/secret/train.conll"]}
    config = {**FACTS.config, "base_model": "/home/ann/secret/encoder", "corpus_sources": sources}
    told = {"base_model": config["base_model"], "corpus": "/home/ann/secret/train.conll", "config": config}
    text = model_card(replace(FACTS, **told))
    assert "secret" not in text
    assert "corpus sources" not in text
    assert "encoder, fine-tuned on train.conll." in text
    data = ModelCard(text).data
    assert (data.license, data.base_model, data.datasets, data.language) == ("unknown", None, None, None)
    assert "look it up before you pass the model on" in text


def test_changes_of_the_corpus_are_data_and_no_hyperparameter() -> None:
    config = {**FACTS.config, "corpus_changes": ["map-label group=ORG", "repair drop-leaks"]}
    text = model_card(replace(FACTS, config=config))
    assert "Changed before training, in this order: `map-label group=ORG`, `repair drop-leaks`." in text
    assert "corpus changes" not in text
    assert "Changed before training" not in model_card(replace(FACTS, config={**config, "corpus_changes": []}))


def test_a_version_that_was_not_evaluated_has_no_scores() -> None:
    text = model_card(replace(FACTS, measured=[]))
    assert "No evaluation of this version was kept." in text
    assert ModelCard(text).data.eval_results is None


def test_every_evaluation_is_told_the_first_one_first() -> None:
    card = ModelCard(model_card(replace(FACTS, measured=[measured(20, 16, 10), measured(20, 16, 10, "test")])))
    assert [one.dataset_split for one in card.data.eval_results] == ["validation"] * 9 + ["test"] * 9
    assert "On 20 texts of the Broad Twitter Corpus (validation):" in card.text
    assert "On 20 texts of the Broad Twitter Corpus (test):" in card.text


def test_the_meaning_of_a_score_comes_with_how_well_it_is_calibrated() -> None:
    found = {"ece": 0.1234, "ece_low": 0.1, "ece_high": 0.2, "floor": 0.01, "spans": 33}
    text = model_card(replace(FACTS, measured=[measured(20, 16, 10, **{"all entities": found})]))
    assert "the expected calibration error is 0.123 (0.100 to 0.200; 33 spans;" in text


def test_corpora_that_were_joined_are_told_one_by_one() -> None:
    text = model_card(replace(FACTS, corpus="sample + /home/ann/secret/train.conll + GateNLP/broad_twitter_corpus"))
    assert "the sample corpus of tweetspan and train.conll and the Broad Twitter Corpus" in text
    assert ModelCard(text).data.datasets == ["GateNLP/broad_twitter_corpus"]
    assert "(cc0-1.0), train.conll (its licence is not known here" in text
