"""Torch and ONNX Runtime, packed or by length: the same entities, whatever else is in the batch."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagging.errors import CheckpointError, OptimizeError
from tagging.onnx_form import write_onnx_form
from tagging.onnx_graph import quantised, smoothing
from tagging.spans import Span
from tagging.tagger import Tagger
from tagging.torch_runtime import PACKED, TorchRuntime
from tests.tiny import save_tiny_encoder
from trainer.config import TrainingConfig
from trainer.encoder import load_encoder
from trainer.examples import Corpus, Example
from trainer.finetune import TrainedModel

CORPUS = Corpus("two labels", {"train": (Example("Ana Paris", (Span(0, 3, "PER"), Span(4, 9, "LOC"))),)})
KINDS = ("wordpiece", "byte-bpe", "unigram", "mpnet")  # BERT, RoBERTa twice, MPNet
FORMS = ("torch, one length at a time", "torch", "onnx fp32", "onnx int8")
REAL_TWEETS = Path(__file__).parents[3] / "shared" / "tweets" / "btc_a.jsonl"

WORDS = (
    "Ana", "Bob", "Paris", "they", "don't", "work", "for", "Acme", "😀", "#London", "@ana_b", "https://t.co/abc", "fox",
    "東京", "THE",
)  # fmt: skip
texts = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)


@pytest.fixture(scope="module", params=KINDS)
def forms(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tagger]:
    """One random network in each form, with windows of 48 token ids."""
    folder = tmp_path_factory.mktemp(request.param)
    encoder = save_tiny_encoder(folder / "encoder", request.param)
    config = TrainingConfig(base_model=str(encoder), max_length=48, seed=3)
    tagger = load_encoder(config, CORPUS)
    torch.nn.init.normal_(tagger.network.classifier.weight, std=5, generator=torch.Generator().manual_seed(11))
    TrainedModel(tagger, config, {}).save(folder / "model")
    write_onnx_form(folder / "model", folder / "fp32", "fp32")
    write_onnx_form(folder / "model", folder / "int8", "int8", ["Ana met Bob in Paris 😀", "they don't work for #Acme"])
    plain = Tagger(TorchRuntime(tagger.network.eval()), tagger.tokenizer, 48)
    loaded = [Tagger.load(folder / name, "cpu") for name in ("model", "fp32", "int8")]
    return dict(zip(FORMS, [plain, *loaded], strict=True))


def keys(tagged: list[list[Span]]) -> list[list[tuple[int, int, str]]]:
    return [[(span.start, span.end, span.label) for span in spans] for spans in tagged]


def test_the_forms_are_what_they_say(forms: dict[str, Tagger]) -> None:
    plain, packed, *onnx = forms.values()
    assert plain.runtime.equal_lengths
    is_mpnet = packed.network.config.model_type == "mpnet"
    assert packed.runtime.equal_lengths == is_mpnet, "MPNet's attention cannot be replaced"
    assert (packed.network.config._attn_implementation == PACKED) != is_mpnet
    assert all("ONNX Runtime" in str(tagger.device) for tagger in onnx)


# The fixtures hold nothing that a run changes.
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=1, max_size=30), st.sampled_from([None, 1, 100]), st.randoms())
def test_entities_depend_on_nothing_but_the_text(
    forms: dict[str, Tagger], some: list[str], budget: int | None, shuffle: st.randoms
) -> None:
    shuffled = shuffle.sample(some, len(some))
    for tagger in forms.values():
        alone = {text: tagger.tag([text])[0] for text in some}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tagger, "token_budget", budget)
            found = tagger.tag(shuffled)
        assert keys(found) == keys([alone[text] for text in shuffled])
        scores = [span.score for spans in found for span in spans]
        assert scores == pytest.approx([span.score for text in shuffled for span in alone[text]], abs=1e-5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=1, max_size=20))
def test_all_runtimes_in_float32_find_the_same(forms: dict[str, Tagger], some: list[str]) -> None:
    plain, packed, onnx, _ = (tagger.tag(some) for tagger in forms.values())
    assert keys(plain) == keys(packed) == keys(onnx)


def test_int8_is_close_to_float32(forms: dict[str, Tagger]) -> None:
    ids = forms["torch"].encoder.encode(["Ana met Bob in Paris 😀"])[0].windows[0].ids
    exact, rounded = (forms[name].runtime.start([ids])() for name in ("torch", "onnx int8"))
    assert 0 < np.abs(exact - rounded).max() < 0.1 * np.abs(exact).max()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 9))
def test_int8_is_the_same_to_the_bit_in_any_batch(forms: dict[str, Tagger], others: int) -> None:
    ids = [window.ids for window in forms["torch"].encoder.encode(["Ana met Bob in Paris 😀"])[0].windows]
    other = [window[::-1] for window in ids]
    read = forms["onnx int8"].runtime
    beside_others = read.start(other * others + ids)()[-len(ids[0]) :]
    assert np.array_equal(read.start(ids)(), beside_others)


@pytest.mark.skipif(not REAL_TWEETS.exists(), reason="the real tweets are not here")
def test_real_tweets_are_read_the_same_in_any_batch(forms: dict[str, Tagger]) -> None:
    import json

    real = [json.loads(line)["text"] for line in REAL_TWEETS.read_text().splitlines()[:200]]
    for tagger in forms.values():
        together = keys(tagger.tag(real))
        assert sum(map(len, together)) > 25
        for size in (1, 50):
            parts = [tagger.tag(real[start : start + size]) for start in range(0, len(real), size)]
            assert keys([spans for part in parts for spans in part]) == together


def test_a_weight_is_rounded_to_a_scale_of_its_own_for_each_output() -> None:
    weight = np.array([[1.0, 0.0], [-0.4, 1e-3], [0.26, 0.0]], dtype=np.float32)
    rounded, scales = quantised(weight)
    assert rounded.tolist() == [[63, 0], [-25, 63], [16, 0]]
    assert scales == pytest.approx([1 / 63, 1e-3 / 63])


def test_smoothing_makes_large_channels_smaller_and_changes_no_product() -> None:
    chance = np.random.default_rng(1)
    inputs = chance.normal(size=(50, 8)) * [1, 1, 1, 40, 1, 1, 1, 1]
    weight = chance.normal(size=(8, 3))
    factors = smoothing(weight, inputs.min(axis=0), inputs.max(axis=0))
    smooth = inputs / factors
    assert smooth @ (weight * factors[:, None]) == pytest.approx(inputs @ weight, rel=1e-5)
    assert np.abs(smooth).max() / np.abs(smooth).mean() < 0.5 * np.abs(inputs).max() / np.abs(inputs).mean()


def test_int8_wants_texts_to_calibrate_on(tmp_path: Path) -> None:
    with pytest.raises(OptimizeError, match="needs texts to calibrate on"):
        write_onnx_form(tmp_path, tmp_path / "form", "int8")
    with pytest.raises(OptimizeError, match="'int4' is not known; use int8 or fp32"):
        write_onnx_form(tmp_path, tmp_path / "form", "int4")


def test_a_graph_that_is_none_is_refused(tmp_path: Path) -> None:
    from tagging.onnx_runtime import OnnxRuntime

    (tmp_path / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"cannot load .*models optimize"):
        OnnxRuntime(tmp_path / "model.onnx", ["O"])


def test_a_machine_without_memory_is_not_the_tweets_fault(forms: dict[str, Tagger]) -> None:
    class Session:
        def run(self, *_: object) -> None:
            raise RuntimeError("Failed to allocate memory for requested buffer of size 9")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms["onnx int8"].runtime, "_session", Session())
        with pytest.raises(MemoryError, match="of size 9"):
            forms["onnx int8"].tag(["Ana"])


def test_each_thread_reads_batches_of_its_own(forms: dict[str, Tagger]) -> None:
    runtime = forms["onnx fp32"].runtime
    both = threading.Barrier(2, timeout=10)  # opens only if two are read side by side

    class Session:
        def run(self, _: object, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            both.wait()
            return [np.zeros((*inputs["input_ids"].shape, len(runtime.labels)), dtype=np.float32)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "batches_at_once", 2)
        patch.setattr(runtime, "_threads", ThreadPoolExecutor(2))
        patch.setattr(runtime, "_session", Session())
        forms["onnx fp32"].tag(["Ana", "Ana met Bob in Paris"])


def test_onnx_runtime_reports_nothing_to_its_makers(tmp_path: Path) -> None:
    """It would keep an identifier and its reports under the home folder."""
    import os
    import subprocess
    import sys

    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    subprocess.run([sys.executable, "-c", "import tagging.onnx_runtime"], env=environment, check=True)
    assert list(tmp_path.rglob("*onnxruntime*")) == []


def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    from transformers import DistilBertConfig, DistilBertForTokenClassification

    from tagging.encoder_weights import read_weights

    network = DistilBertForTokenClassification(DistilBertConfig(dim=16, n_heads=2, n_layers=1, hidden_dim=16))
    with pytest.raises(
        OptimizeError, match=r"kind .distilbert. with another activation.*bert, roberta.*--runtime torch"
    ):
        read_weights(network, 16)
