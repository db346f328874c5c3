"""Calibration: what is learnt from found spans, on which texts, and what becomes of the scores."""

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.calibration import Calibration, features
from tagging.onnx_form import write_onnx_form
from tagging.spans import Span
from tagging.tagger import Tagger
from tests.unit.test_finetune import CORPUS, SENTENCES, config, no_scores
from trainer import calibration as calibrating
from trainer.calibration import LEAST, Judged, calibrate, cut, fit, judge
from trainer.examples import Corpus, Example
from trainer.finetune import TrainedModel, finetune, load_encoder

LABELS = ("PER", "LOC")


def judged(spans: int, slope: float, handle: float, seed: int = 1) -> list[Judged]:
    """Spans whose true log-odds are `slope` times the network's, plus `handle` for those that are one."""
    random = np.random.default_rng(seed)
    found = []
    for log_odds in random.normal(1, 2, size=spans):
        is_handle = random.random() < 0.5
        is_right = random.random() < 1 / (1 + math.exp(-slope * log_odds - handle * is_handle))
        surface, label = "@ana" if is_handle else "Ana", random.choice(LABELS)
        found.append((features(-math.log1p(math.exp(-log_odds)), label, 1, surface), bool(is_right)))
    return found


def test_the_log_odds_come_back() -> None:
    for log_odds in (-5.0, 0.0, 3.0):
        found = features(-math.log1p(math.exp(-log_odds)), "PER", 2, "@ana b")
        assert found == pytest.approx({"log-odds": log_odds, "log words": math.log(2), "handle": 1.0, "label PER": 1.0})


@given(st.floats(max_value=0, allow_nan=False), st.sampled_from(LABELS), st.integers(1, 40), st.sampled_from("@Aé＠"))
def test_any_span_has_a_probability(log_probability: float, label: str, words: int, surface: str) -> None:
    calibration = Calibration(3.0, {"log-odds": 2.0, "handle": -1.0, "label PER": 9.0}, folds=2, spans=100)
    assert 0 <= calibration.probability(log_probability, label, words, surface) <= 1


def test_a_network_that_is_too_sure_is_corrected() -> None:
    found = fit(judged(20_000, slope=0.5, handle=-1.0), folds=2)
    assert found is not None
    assert (found.folds, found.spans) == (2, 20_000)
    assert found.weights["log-odds"] == pytest.approx(0.5, abs=0.05)
    assert found.weights["handle"] == pytest.approx(-1.0, abs=0.1)
    assert found.probability(math.log(0.9), "PER", 1, "Ana") == pytest.approx(0.75, abs=0.02)  # log-odds 2.2, halved
    assert found.probability(math.log(0.9), "PER", 1, "@ana") == pytest.approx(0.52, abs=0.03)


def test_a_network_that_is_right_about_itself_is_left_alone() -> None:
    found = fit(judged(20_000, slope=1.0, handle=0.0), folds=2)
    assert found is not None
    for probability in (0.2, 0.6, 0.95):
        assert found.probability(math.log(probability), "LOC", 1, "Ana") == pytest.approx(probability, abs=0.03)


def test_few_spans_are_not_enough() -> None:
    some = judged(4 * LEAST, slope=1.0, handle=0.0)
    right, wrong = ([one for one in some if one[1] is is_right] for is_right in (True, False))
    assert fit(right + wrong[: LEAST - 1], 2) is None
    assert fit(wrong + right[: LEAST - 1], 2) is None
    assert fit(right + wrong[:LEAST], 2) is not None


@given(number=st.integers(0, 50), folds=st.integers(2, 5), seed=st.integers(0, 9))
def test_each_text_is_in_one_fold(number: int, folds: int, seed: int) -> None:
    found = cut(number, folds, seed)
    assert sorted(index for fold in found for index in fold) == list(range(number))
    sizes = [len(fold) for fold in found]
    assert len(sizes) == folds
    assert max(sizes) - min(sizes) <= 1
    assert found == cut(number, folds, seed)


def test_a_span_is_right_if_both_ends_and_the_label_are() -> None:
    text = "@ana met Bob Lee in Paris"
    gold = (Span(0, 4, "PER"), Span(9, 16, "PER"), Span(20, 25, "LOC"))
    told = [Span(0, 4, "PER", 0.5), Span(9, 12, "PER", 0.25), Span(20, 25, "ORG", 0.0)]
    rows = list(judge(lambda texts: [told], [Example(text, gold)]))
    assert [is_right for _, is_right in rows] == [True, False, False]
    assert [found["handle"] for found, _ in rows] == [1.0, 0.0, 0.0]
    assert [found["log-odds"] for found, _ in rows[:2]] == pytest.approx([0.0, math.log(1 / 3)])
    assert rows[2][0]["label ORG"] == 1.0


def test_what_nobody_annotated_is_neither_right_nor_wrong() -> None:
    example = Example("@ana met @bob", (Span(0, 4, "PER"),), unannotated=frozenset({(9, 13)}))
    rows = list(judge(lambda texts: [[Span(0, 4, "PER", 0.5), Span(9, 13, "PER", 0.5)]], [example]))
    assert [is_right for _, is_right in rows] == [True]


def test_each_text_is_judged_by_a_training_that_has_not_seen_it_at_the_epoch_that_was_kept(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings: list[tuple[set[int], TrainedModel]] = []
    held_back: list[set[int]] = []

    def training(config: Any, fold: Corpus, score: Any, listener: Any, last_epoch: int) -> TrainedModel:
        trained = finetune(config, fold, score, listener, last_epoch=last_epoch)
        trainings.append((set(map(id, fold.splits["train"])), trained))
        return trainings[-1][1]

    def judging(tag: object, examples: tuple[Example, ...]) -> list[Judged]:
        held_back.append(set(map(id, examples)))
        return judged(LEAST * 4, slope=1.0, handle=0.0)

    monkeypatch.setattr(calibrating, "finetune", training)
    monkeypatch.setattr(calibrating, "judge", judging)
    corpus = Corpus("distinct", {"train": tuple(replace(one) for one in SENTENCES * 3)})
    tagger = load_encoder(config(tiny_encoder), corpus)
    model = TrainedModel(tagger, config(tiny_encoder, epochs=3, seed=5), {}, best_epoch=2)
    found = calibrate(model, corpus, folds=3)
    assert found is not None
    assert (found.folds, found.spans) == (3, 3 * LEAST * 4)
    everything = set(map(id, corpus.splits["train"]))
    for (seen, other), unseen in zip(trainings, held_back, strict=True):
        assert seen | unseen == everything
        assert not seen & unseen
        assert (len(other.epochs), other.best_epoch, other.config.seed) == (2, 2, 5)


def test_a_small_corpus_is_not_trained_on(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrating, "finetune", None)
    model = TrainedModel(load_encoder(config(tiny_encoder), CORPUS), config(tiny_encoder), {})
    assert calibrate(model, CORPUS, folds=2) is None


def test_scores_are_the_same_after_saving_and_in_the_fast_form(tiny_encoder: Path, tmp_path: Path) -> None:
    trained = finetune(config(tiny_encoder, epochs=4), CORPUS, no_scores)
    texts = [example.text for example in SENTENCES]
    raw = trained.tagger.tag(texts)
    assert any(raw)
    trained.tagger.calibration = Calibration(-1.0, {"log-odds": 0.5, "label LOC": 1.0}, folds=2, spans=100)
    manifest = trained.save(tmp_path / "model")
    expected = trained.tagger.tag(texts)
    for text, before, after in zip(texts, raw, expected, strict=True):
        assert [replace(span, score=0) for span in before] == [replace(span, score=0) for span in after]
        for one, other in zip(before, after, strict=True):
            length = len(one.surface(text).split())
            wanted = trained.tagger.calibration.probability(math.log(one.score), one.label, length, one.surface(text))
            assert other.score == pytest.approx(wanted)
    form = write_onnx_form(tmp_path / "model", tmp_path / "form", "fp32", expected_hash=manifest.hash)
    assert form.calibration == manifest.calibration == trained.tagger.calibration
    for folder in ("model", "form"):
        found = Tagger.load(tmp_path / folder, "cpu").tag(texts)
        assert [[asdict(span) for span in spans] for spans in found] == [
            [pytest.approx(asdict(span), abs=1e-5) for span in spans] for spans in expected
        ]
