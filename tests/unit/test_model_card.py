"""The model card: a front matter that the hubs read, and warnings that follow from what is known."""

from dataclasses import replace

import numpy as np
import pytest
from huggingface_hub import ModelCard

from trainer.card_scores import scores_of_counts, scores_without_counts
from trainer.entity_counts import EntityCounts
from trainer.model_card import ModelFacts, model_card


def counts(gold: int) -> EntityCounts:
    """Counts of 20 texts with so many entities in all, every second of which is found."""
    table = np.zeros((20, 1, 3), dtype=int)
    table[np.arange(gold) % 20, 0, 2] = 1
    table[np.arange(0, gold, 2) % 20, 0, :2] = 1
    return EntityCounts(("PER",), table)


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
    scores=scores_of_counts({"official": counts(20), "joined": counts(16), "plain": counts(10)}),
)
SAME_IN_ALL = scores_of_counts(dict.fromkeys(("official", "joined", "plain"), counts(9)))


def test_the_front_matter_follows_the_hubs_conventions() -> None:
    data = ModelCard(model_card(FACTS)).data
    assert (data.license, data.language, data.library_name) == ("apache-2.0", "en", "transformers")
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
        "| plain | PER | 0.667 | ",
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
        (
            replace(FACTS, scores=scores_of_counts(dict.fromkeys(("official", "joined", "plain"), counts(9)))),
            "@",
            False,
        ),
        (replace(FACTS, scores=[]), "handles, which", False),
    ],
)
def test_warnings_follow_from_what_is_known(facts: ModelFacts, warning: str, is_warned: bool) -> None:
    limits = model_card(facts).partition("## Limits")[2].partition("## Licence")[0]
    assert (warning in limits) == is_warned


def test_paths_of_the_machine_are_not_told() -> None:
    text = model_card(replace(FACTS, base_model="/home/ann/secret/encoder", corpus="/home/ann/secret/train.conll"))
    assert "secret" not in text
    assert "encoder, fine-tuned on train.conll." in text
    data = ModelCard(text).data
    assert (data.license, data.base_model, data.datasets, data.language) == ("unknown", None, None, None)
    assert "look it up before you pass the model on" in text


def test_a_version_without_counts_has_scores_without_intervals() -> None:
    scores = scores_without_counts({"overall_f1": 0.71, "plain_f1": 0.5, "LOC": {"f1": 0.3}})
    text = model_card(replace(FACTS, scores=scores))
    assert "| official | all labels | 0.710 | not kept | - | - | - |" in text
    assert [one.metric_value for one in ModelCard(text).data.eval_results] == [0.71, 0.5]
