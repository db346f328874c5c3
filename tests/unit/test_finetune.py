"""Fine-tuning of tiny encoders: what it learns, what it leaves alone, what it keeps, what it refuses."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, ByT5Tokenizer

from tagging.errors import ConfigError, CorpusError, DeviceError, EncoderError
from tagging.spans import Span
from tagging.tagger import Tagger
from tagging.torch_runtime import TorchRuntime
from tests.readings import assert_same_reading
from tests.tiny import save_tiny_encoder
from trainer.config import TrainingConfig
from trainer.encoder import load_encoder
from trainer.epochs import Listener, Scores
from trainer.examples import Corpus, Example
from trainer.finetune import TrainedModel, finetune, training_precision
from trainer.scoring import score

Weights = dict[str, torch.Tensor]


def sentence(name: str, verb: str, place: str) -> Example:
    text = f"{name} {verb} in {place}"
    return Example(text, (Span(0, len(name), "PER"), Span(len(text) - len(place), len(text), "LOC")))


SENTENCES = [
    sentence(name, verb, place)
    for name in ("Ana", "Bob", "@ana_b", "Acme")
    for verb in ("met", "works", "jumps")
    for place in ("Paris", "London", "#London")
]
VALIDATION = SENTENCES[4::9]  # sentences of words that training saw, in a combination that it did not
TRAIN = [one for one in SENTENCES if one not in VALIDATION]
CORPUS = Corpus("trivial", {"train": tuple(TRAIN), "validation": tuple(VALIDATION)})


def config(folder: Path, **given: Any) -> TrainingConfig:
    """A training of seconds."""
    small = {"epochs": 1, "batch_size": 16, "learning_rate": 5e-3, "max_length": 32, "device": "cpu"}
    small |= {"train_words": True, "label_smoothing": 0.0}  # a random encoder has to learn its words
    return TrainingConfig(base_model=str(folder), **{**small, **given})


def validation_scores(tagger: Tagger) -> Scores:
    return score(tagger.tag, VALIDATION)


def no_scores(tagger: Tagger) -> Scores:
    return {"overall_f1": 0.0}


def weights(network: torch.nn.Module) -> Weights:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def changed(before: Weights, after: Weights) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe", "unigram"])
@pytest.mark.parametrize("label_subwords", ["first", "all"])
def test_a_trivial_corpus_is_learned(tmp_path: Path, kind: str, label_subwords: str) -> None:
    folder = save_tiny_encoder(tmp_path / "tiny", kind)
    trained = finetune(
        config(folder, epochs=14, batch_size=4, label_subwords=label_subwords), CORPUS, validation_scores
    )
    assert trained.baseline["overall_f1"] < 1
    assert trained.scores["overall_f1"] == 1
    assert validation_scores(trained.tagger)["overall_f1"] == 1, "the network holds the weights of the best epoch"
    assert trained.device == "cpu"
    assert trained.seconds > 0


def test_the_head_alone_can_train(tiny_encoder: Path) -> None:
    wanted = config(tiny_encoder, train_layers="head", wide_vocabulary=False)
    before = weights(load_encoder(wanted, CORPUS).network)
    after = weights(finetune(wanted, CORPUS, no_scores).tagger.network)
    assert changed(before, after) == {"classifier.weight", "classifier.bias"}


def test_the_last_layer_and_the_head_can_train(tiny_encoder: Path) -> None:
    wanted = config(tiny_encoder, train_layers="last-1", wide_vocabulary=False)
    before = weights(load_encoder(wanted, CORPUS).network)
    found = changed(before, weights(finetune(wanted, CORPUS, no_scores).tagger.network))
    last = {name for name in before if name.startswith("bert.encoder.layer.1.")}
    assert found == last | {"classifier.weight", "classifier.bias"}


def test_all_layers_train_unless_said_otherwise(tiny_encoder: Path) -> None:
    wanted = config(tiny_encoder)
    before = weights(load_encoder(wanted, CORPUS).network)
    assert changed(before, weights(finetune(wanted, CORPUS, no_scores).tagger.network)) == before.keys()


def test_the_vectors_of_sub_words_stay_unless_said_otherwise(tiny_encoder: Path) -> None:
    before = load_encoder(config(tiny_encoder), CORPUS).network.get_input_embeddings().weight
    trained = finetune(config(tiny_encoder, train_words=False), CORPUS, no_scores)
    kept = trained.tagger.network.get_input_embeddings().weight
    assert torch.equal(kept[: len(before)], before)
    small, capitalised = (trained.tagger.tokenizer.convert_tokens_to_ids(piece) for piece in ("a", "A"))
    assert not torch.equal(kept[small], kept[capitalised]), "what a capital means is learnt all the same"


def test_the_seed_sets_every_bit(tiny_encoder: Path) -> None:
    def train(seed: int) -> Weights:
        torch.seed()  # whatever came before must not matter
        return weights(finetune(config(tiny_encoder, seed=seed), CORPUS, no_scores).tagger.network)

    one, same, other = train(1), train(1), train(2)
    assert changed(one, same) == set()
    assert changed(one, other) > {"classifier.weight"}


class Judge:
    """A score function that gives figures prepared for each epoch and remembers the weights it saw."""

    def __init__(self, figures: list[float], name: str = "overall_f1") -> None:
        self.figures: Iterator[float] = iter(figures)
        self.name = name
        self.seen: list[Weights] = []

    def __call__(self, tagger: Tagger) -> Scores:
        assert not tagger.network.training, "scored without dropout"
        self.seen.append(weights(tagger.network))
        others = {"overall_f1": float(len(self.seen)), "token_f1_weighted": float(len(self.seen))}
        return {**others, self.name: next(self.figures)}


@pytest.mark.parametrize("best_by", ["overall_f1", "token_f1_weighted"])
def test_the_best_epoch_is_kept_by_the_score_that_was_asked_for(tiny_encoder: Path, best_by: str) -> None:
    judge = Judge([0.9, 0.2, 0.8, 0.5], best_by)  # the untrained network counts for nothing, however good
    trained = finetune(config(tiny_encoder, epochs=3, best_by=best_by, wide_vocabulary=False), CORPUS, judge)
    assert trained.best_epoch == 2
    assert [scores[best_by] for scores in trained.epochs] == [0.2, 0.8, 0.5]
    assert trained.baseline[best_by] == 0.9
    assert trained.scores[best_by] == 0.8
    kept = weights(trained.tagger.network)
    assert changed(judge.seen[2], kept) == set()
    assert changed(judge.seen[3], kept)


def test_scored_by_default_is_the_validation_split(tiny_encoder: Path) -> None:
    trained = finetune(config(tiny_encoder), CORPUS)
    assert trained.scores == validation_scores(trained.tagger)
    with pytest.raises(CorpusError, match=r"corpus trivial has no validation split .*with_validation\(corpus, seed\)"):
        finetune(config(tiny_encoder), Corpus("trivial", {"train": CORPUS.splits["train"]}))


def test_of_equal_epochs_the_first_is_kept(tiny_encoder: Path) -> None:
    trained = finetune(config(tiny_encoder, epochs=2), CORPUS, Judge([0, 0.5, 0.5]))
    assert trained.best_epoch == 1


def test_epochs_that_all_score_zero_still_give_a_model(tiny_encoder: Path) -> None:
    assert finetune(config(tiny_encoder, epochs=2), CORPUS, no_scores).best_epoch == 1


def test_a_listener_hears_the_start_every_step_and_every_epoch(tiny_encoder: Path) -> None:
    heard: list[tuple[Any, ...]] = []
    listener = Listener(
        on_start=lambda tagger, baseline: heard.append(("start", baseline["overall_f1"])),
        on_step=lambda done, total: heard.append(("step", done, total)),
        on_epoch=lambda epoch, scores: heard.append(("epoch", epoch, scores["overall_f1"])),
    )
    finetune(config(tiny_encoder, epochs=2, batch_size=16), CORPUS, Judge([0.1, 0.2, 0.3]), listener)
    assert heard == [
        ("start", 0.1),
        ("step", 1, 4),
        ("step", 2, 4),
        ("epoch", 1, 0.2),
        ("step", 3, 4),
        ("step", 4, 4),
        ("epoch", 2, 0.3),
    ]


def test_nothing_is_written_on_the_terminal(tiny_encoder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finetune(config(tiny_encoder), CORPUS, no_scores)
    assert capsys.readouterr().out == ""


def test_the_learning_rate_is_saved_as_a_number(tiny_encoder: Path) -> None:
    trained = finetune(config(tiny_encoder, learning_rate=None), CORPUS, no_scores)
    assert trained.config.learning_rate == 1e-3


def test_what_was_trained_is_what_is_saved_and_loaded(tiny_encoder: Path, tmp_path: Path) -> None:
    trained = finetune(config(tiny_encoder, epochs=3), CORPUS, validation_scores)
    manifest = trained.save(tmp_path / "saved")
    assert (manifest.base_model, manifest.max_length) == (str(tiny_encoder), 32)
    loaded = Tagger.load(tmp_path / "saved", device="cpu")
    assert changed(weights(trained.tagger.network), weights(loaded.network)) == set()
    texts = [example.text for example in TRAIN]
    assert_same_reading(loaded.tag(texts), trained.tagger.tag(texts))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"train_layers": "last-3"}, ConfigError, "'last-3': the encoder has 2 layers"),
        ({"max_length": 257}, ConfigError, "max length 257 is more than .* reads; give at most 256"),
        ({"device": "cuda:64"}, DeviceError, "device 'cuda:64'"),
        ({"precision": "fp16"}, DeviceError, "fp16 does not train on a CPU"),
        ({"precision": "fp8"}, DeviceError, "precision 'fp8' is not known"),
    ],
)
def test_what_the_encoder_or_device_cannot_do_is_refused(
    tiny_encoder: Path, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        finetune(config(tiny_encoder, **given), CORPUS, no_scores)


@pytest.mark.parametrize("kind", ["byte-bpe", "unigram"])
def test_positions_behind_the_padding_id_are_not_counted(tmp_path: Path, kind: str) -> None:
    folder = save_tiny_encoder(tmp_path / "tiny", kind)
    tagger = load_encoder(config(folder, max_length=256), CORPUS)
    [[span]] = Tagger(TorchRuntime(_always(tagger, "I-PER")), tagger.tokenizer, 256).tag(["fox " * 600])
    assert (span.start, span.end) == (0, 2399)
    with pytest.raises(ConfigError, match="give at most 256"):
        load_encoder(config(folder, max_length=257), CORPUS)


def _always(tagger: Tagger, label: str) -> Any:
    with torch.no_grad():
        tagger.network.classifier.bias[tagger.labels.index(label)] = 99
    return tagger.network


def test_a_tokenizer_without_a_padding_token_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "no-padding"
    shutil.copytree(tiny_encoder, folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(EncoderError, match=r"no-padding' has no padding token; use another base model"):
        load_encoder(config(folder), CORPUS)


def test_a_tokenizer_without_offsets_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bytes"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(tiny_encoder / name, folder)
    ByT5Tokenizer().save_pretrained(folder)
    with pytest.raises(EncoderError, match="gives no offsets"):
        load_encoder(config(folder), CORPUS)


@pytest.mark.parametrize("lacking", ["config.json", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_refused_by_name(tiny_encoder: Path, tmp_path: Path, lacking: str) -> None:
    folder = tmp_path / "torn"
    shutil.copytree(tiny_encoder, folder)
    (folder / lacking).unlink()
    with pytest.raises(EncoderError, match=r"cannot load the base model .*torn"):
        load_encoder(config(folder), CORPUS)


def test_pickled_weights_are_not_loaded(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_encoder, folder)
    (folder / "model.safetensors").unlink()
    torch.save(load_encoder(config(tiny_encoder), CORPUS).network.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="cannot load the base model"):
        load_encoder(config(folder), CORPUS)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe"])
def test_a_trivial_corpus_is_learned_on_a_gpu(tmp_path: Path, kind: str) -> None:
    folder = save_tiny_encoder(tmp_path / "tiny", kind)
    wanted = config(folder, epochs=10, batch_size=4, device="cuda", precision="auto")
    trained: TrainedModel = finetune(wanted, CORPUS, validation_scores)
    assert trained.scores["overall_f1"] == 1
    assert trained.device == torch.cuda.get_device_name()
    assert {parameter.dtype for parameter in trained.tagger.network.parameters()} == {torch.float32}
    trained.save(tmp_path / "saved")
    on_cpu = Tagger.load(tmp_path / "saved", device="cpu").tag([example.text for example in VALIDATION])
    assert [[(one.start, one.end, one.label) for one in spans] for spans in on_cpu] == [
        [(one.start, one.end, one.label) for one in example.spans] for example in VALIDATION
    ]


@pytest.mark.parametrize(
    ("width", "multiplies_in_bf16", "expected"), [(384, True, "bf16"), (384, False, "fp32"), (32, True, "fp32")]
)
def test_a_cpu_trains_in_bf16_where_that_is_quicker(
    monkeypatch: pytest.MonkeyPatch, tiny_encoder: Path, width: int, multiplies_in_bf16: bool, expected: str
) -> None:
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: multiplies_in_bf16)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: False)
    network = load_encoder(config(tiny_encoder), CORPUS).network
    network.config.hidden_size = width
    assert training_precision("auto", torch.device("cpu"), network) == expected
    assert training_precision("fp32", torch.device("cpu"), network) == "fp32"


def test_epochs_are_scored_and_the_network_is_left_in_full_precision(tiny_encoder: Path) -> None:
    seen = []

    def score_exactly(tagger: Tagger) -> Scores:
        window = tagger.encoder.encode(["Ana met Bob in Paris"])[0].windows[0]
        logits = torch.as_tensor(tagger.runtime.start([window.ids])())
        seen.append(torch.equal(logits, logits.bfloat16().float()))
        return {"overall_f1": 0.0}

    trained = finetune(config(tiny_encoder, precision="bf16", epochs=2), CORPUS, score_exactly)
    score_exactly(trained.tagger)
    assert seen == [False] * 4, "no logits are rounded to bf16"


def test_a_training_may_end_on_its_way(tiny_encoder: Path) -> None:
    scores = [{"overall_f1": value} for value in (0.1, 0.2, 0.3)]
    given = iter(scores)
    trained = finetune(config(tiny_encoder, epochs=5), CORPUS, lambda tagger: next(given), last_epoch=2)
    assert (trained.epochs, trained.best_epoch) == (scores[1:], 2)


@pytest.mark.parametrize("best_by", ["luck", "PER"])
def test_a_score_that_is_not_there_cannot_choose_the_epoch(tiny_encoder: Path, best_by: str) -> None:
    with pytest.raises(ConfigError, match=f"best by '{best_by}': there is no such score; use one of overall_precision"):
        finetune(config(tiny_encoder, best_by=best_by), CORPUS)


def test_a_step_may_be_read_in_parts(tiny_encoder: Path) -> None:
    steps = []
    listener = Listener(on_step=lambda done, total: steps.append((done, total)))
    finetune(config(tiny_encoder, batch_size=8, accumulation=4), CORPUS, no_scores, listener)
    expected = math.ceil(len(TRAIN) / 8)
    assert steps == [(step, expected) for step in range(1, expected + 1)]
