"""Texts to spans with one fine-tuned network."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from tagging.batching import fill_batches
from tagging.checkpoint import verify
from tagging.devices import find_device
from tagging.encoding import EncodedText, Encoder, Head, Window
from tagging.spans import OUTSIDE, Chunk, Span, chunks, chunks_to_spans

TOKEN_BUDGET = 2048  # padded tokens in one forward pass


class Tagger:
    """Tags texts with a network and its tokenizer; `max_length` is the window in token ids.

    Not for two threads at once. The entities of a text do not depend on the texts around it (scores to about 1e-6,
    the rounding of a padded batch).
    """

    def __init__(self, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.encoder = Encoder(tokenizer, max_length)
        self.labels = [network.config.id2label[index] for index in range(network.config.num_labels)]
        self._pad_id = tokenizer.pad_token_id or 0

    @classmethod
    def load(cls, folder: Path, device: str = "auto", expected_hash: str | None = None) -> Self:
        """Load a model folder after checking its hashes.

        Raises CheckpointError if a file is missing or differs, DeviceError if the device is not there.
        """
        manifest = verify(folder, expected_hash)
        network = AutoModelForTokenClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, add_prefix_space=True)
        return cls(network.to(find_device(device)).eval(), tokenizer, manifest.max_length)

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self.network.device

    def tag(self, texts: Sequence[str], progress: Callable[[], None] | None = None) -> list[list[Span]]:
        """Return the spans of each text, in rising order; offsets are code points into the text.

        `progress` is called after each forward pass.
        """
        encoded = self.encoder.encode(texts)
        windows = [window for text in encoded for window in text.windows]
        answers = self._answers(windows, progress)
        spans: list[list[Span]] = []
        position = 0
        for text, one in zip(texts, encoded, strict=True):
            own = range(position, position + len(one.windows))
            spans.append(self._spans(text, one, [answers[index] for index in own]))
            position = own.stop
        return spans

    def _answers(self, windows: Sequence[Window], progress: Callable[[], None] | None) -> list["Answer"]:
        answers: dict[int, Answer] = {}
        for batch in fill_batches([len(window.ids) for window in windows], TOKEN_BUDGET):
            answers.update(zip(batch, self._forward([windows[index] for index in batch]), strict=True))
            if progress:
                progress()
        return [answers[index] for index in range(len(windows))]

    @torch.inference_mode()
    def _forward(self, windows: Sequence[Window]) -> list["Answer"]:
        """Classify the heads of one batch of windows."""
        width = max(len(window.ids) for window in windows)
        ids = np.full((len(windows), width), self._pad_id, dtype=np.int64)
        mask = np.zeros((len(windows), width), dtype=np.int64)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids)] = window.ids
            mask[row, : len(window.ids)] = 1
        logits = self.network(
            input_ids=torch.from_numpy(ids).to(self.device), attention_mask=torch.from_numpy(mask).to(self.device)
        ).logits
        best = torch.softmax(logits.float(), dim=-1).max(dim=-1)
        scores, classes = best.values.cpu().numpy(), best.indices.cpu().numpy()
        answers: list[Answer] = []
        for row, window in enumerate(windows):
            positions = [head.position for head in window.heads]
            answers.append((window.heads, classes[row, positions].tolist(), scores[row, positions].tolist()))
        return answers

    def _spans(self, text: str, encoded: EncodedText, answers: Sequence["Answer"]) -> list[Span]:
        """Decode one text: the label of each word from the window where it has most context, then IOB2 to spans."""
        labels = [OUTSIDE] * len(encoded.words)
        scores = [1.0] * len(encoded.words)
        margins = [-1] * len(encoded.words)
        for heads, classes, probabilities in answers:
            for head, label, probability in zip(heads, classes, probabilities, strict=True):
                if head.margin > margins[head.word]:
                    margins[head.word] = head.margin
                    labels[head.word] = self.labels[label]
                    scores[head.word] = probability
        entities = (_without_leading_signs(chunk, text, encoded.words) for chunk in chunks(labels))
        return chunks_to_spans((chunk for chunk in entities if chunk), encoded.words, scores)


def _without_leading_signs(chunk: Chunk, text: str, offsets: Sequence[tuple[int, int]]) -> Chunk | None:
    """Begin an entity at its first word with a letter or digit; None if it has none (a lone "@", an emoji)."""
    for first in range(chunk.first, chunk.last + 1):
        if any(map(str.isalnum, text[slice(*offsets[first])])):
            return chunk._replace(first=first)
    return None


Answer = tuple[list[Head], list[int], list[float]]  # of one window: its heads, their classes, their probabilities
