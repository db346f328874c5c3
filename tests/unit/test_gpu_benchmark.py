"""The logic of benchmarks/gpu.py, on the CPU; and our packed attention on a card, where there is one."""

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig

from benchmarks import gpu
from tagging.tagger import Tagger

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    """Some texts out of a file, none of them twice."""
    file = tmp_path / "tweets.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in ("Ana met Bob", "Paris!", "they don't work")))
    return gpu.distinct_texts([file], 40)


@pytest.fixture
def folder(tmp_path: Path, tiny_encoder: Path) -> Path:
    """A small random network as the benchmark makes a big one."""
    gpu.save_model(tiny_encoder, tmp_path / "model", BertConfig(**SMALL))
    return tmp_path / "model"


def test_no_text_comes_twice(texts: list[str]) -> None:
    assert len(set(texts)) == 40
    assert texts[3] == "Ana met Bob 1"


def test_the_parts_are_measured(folder: Path, texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_ROWS", 64)
    figures = gpu.measure(folder, texts, "cpu", 1)
    assert figures["packed"]
    assert figures["precision"] == "torch.float32"
    assert figures["network_share_of_product_rate"] > 0
    parts = figures["microseconds_per_tweet"]
    assert parts["whole"] == pytest.approx(1e6 / figures["tweets_per_second"])
    assert sum(value for name, value in parts.items() if name != "whole") == pytest.approx(parts["whole"])
    assert list(figures["pipeline_tweets_per_second"]) == ["torch.float32"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_card_in_half_precision_is_close_to_the_cpu(folder: Path, texts: list[str]) -> None:
    exact, rounded = Tagger.load(folder, "cpu"), Tagger.load(folder, "cuda")
    assert rounded.network.dtype in (torch.bfloat16, torch.float16)
    windows = [window.ids for text in exact.encoder.encode(texts) for window in text.windows]
    difference = exact.runtime.start(windows)() - rounded.runtime.start(windows)()
    assert abs(difference).max() < 0.05
