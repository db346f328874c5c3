"""Texts of 25,000 characters: every planted entity is found at its place, on every runtime."""

import random
from pathlib import Path

import pytest

from tagging.onnx_form import write_onnx_form
from tagging.spans import Span
from tagging.tagger import Tagger
from tests.tiny import save_tiny_encoder
from trainer.config import TrainingConfig
from trainer.examples import Corpus, Example
from trainer.finetune import finetune

# Each word of a name is one token of the tiny tokenizer.
NAMES = {"Ana": "PER", "Bob Brown": "PER", "Paris": "LOC", "Acme": "ORG", "Quick Lazy Fox": "ORG"}
FILLERS = (
    "they", "work", "for", "the", "and", "don't", "jumps", "over", "any", "more,", "😀", "#London", "3-2", "東京",
    "!!!", "https://t.co/abc",
)  # fmt: skip
LENGTH = 25_000  # characters
WINDOW = 64  # token ids


def planted(chance: random.Random, length: int, share: float) -> Example:
    """Make a text of so many characters, into which names are planted, two never side by side."""
    text, spans = "", []
    while len(text) < length:
        name = chance.choice(list(NAMES)) if chance.random() < share else ""
        if name:
            spans.append(Span(len(text), len(text) + len(name), NAMES[name]))
        text += f"{name} " if name else ""
        text += f"{' '.join(chance.choices(FILLERS, k=chance.randint(1, 3)))} "
    return Example(text, tuple(spans))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny network that is certain of the names, in each form."""
    folder = tmp_path_factory.mktemp("certain")
    chance = random.Random(5)
    examples = tuple(planted(chance, 120, 0.4) for _ in range(400))
    encoder = save_tiny_encoder(folder / "encoder", "wordpiece")
    config = TrainingConfig(
        base_model=str(encoder), max_length=WINDOW, epochs=12, learning_rate=5e-3, batch_size=16, device="cpu",
        train_words=True, label_smoothing=0.0,
    )  # fmt: skip
    corpus = Corpus("planted", {"train": examples})
    trained = finetune(config, corpus, LaterIsBetter())
    trained.save(folder / "torch")
    texts = [example.text for example in examples]
    write_onnx_form(folder / "torch", folder / "onnx fp32", "fp32")
    write_onnx_form(folder / "torch", folder / "onnx int8", "int8", texts)
    return {name: folder / name for name in ("torch", "onnx fp32", "onnx int8")}


class LaterIsBetter:
    """Scores each epoch higher than the one before, so that the last is kept."""

    def __init__(self) -> None:
        self.epoch = 0

    def __call__(self, tagger: Tagger) -> dict[str, float]:
        self.epoch += 1
        return {"overall_f1": float(self.epoch)}


@pytest.mark.parametrize("form", ["torch", "onnx fp32", "onnx int8"])
def test_planted_entities_are_found_at_every_position(folders: dict[str, Path], form: str) -> None:
    chance = random.Random(9)
    examples = [planted(chance, LENGTH, 0.3) for _ in range(50)]
    tagger = Tagger.load(folders[form], "cpu")
    assert len(tagger.encoder.encode([examples[0].text])[0].windows) > 100, "each text is read in many windows"
    for example, spans in zip(examples, tagger.tag([one.text for one in examples]), strict=True):
        assert [(span.start, span.end, span.label) for span in spans] == [
            (span.start, span.end, span.label) for span in example.spans
        ]
