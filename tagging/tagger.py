"""Texts to spans with one fine-tuned network."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from tagging.batching import fill_batches
from tagging.checkpoint import verify
from tagging.devices import find_device
from tagging.encoding import EncodedText, Encoder, Head, Window
from tagging.errors import CheckpointError, DeviceError, PoisonTweetError, UnfitProcessError
from tagging.spans import OUTSIDE, Chunk, Span, chunks, chunks_to_spans

TOKEN_BUDGET = 2048  # padded tokens in one forward pass
_PROBE = "Ann lives in London."  # a network that cannot read this can read nothing
_ENCODED_AT_ONCE = 512  # texts, between two signs of progress

log = logging.getLogger(__name__)


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
        self.token_budget = TOKEN_BUDGET  # smaller for good once the device has run out of memory
        self._max_length = max_length
        self._pad_id = tokenizer.pad_token_id or 0

    @classmethod
    def load(cls, folder: Path, device: str = "auto", expected_hash: str | None = None) -> Self:
        """Load a model folder after checking its hashes.

        Raises CheckpointError if a file is missing or differs, DeviceError if the device is not there,
        UnfitProcessError if it is out of order.
        """
        manifest = verify(folder, expected_hash)
        network = AutoModelForTokenClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, add_prefix_space=True)
        try:
            return cls(network.to(find_device(device)).eval(), tokenizer, manifest.max_length)
        except torch.AcceleratorError as error:
            raise UnfitProcessError(_first_line(error)) from error

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self.network.device

    def tag(self, texts: Sequence[str], progress: Callable[[], None] = lambda: None) -> list[list[Span]]:
        """Return the spans of each text, in rising order; offsets are code points into the text.

        `progress` is called after each step. Raises PoisonTweetError that names the texts whose probabilities are not
        numbers, DeviceError if the device has no memory even for one window, UnfitProcessError if it is out of order.
        """
        encoded = list(self._encoded(texts, progress))
        windows = [window for text in encoded for window in text.windows]
        answers = iter(self._answers(windows, progress))
        own = [[next(answers) for _ in one.windows] for one in encoded]
        self._refuse_nan(own)
        return [self._spans(text, one, found) for text, one, found in zip(texts, encoded, own, strict=True)]

    def _encoded(self, texts: Sequence[str], progress: Callable[[], None]) -> Iterator[EncodedText]:
        for start in range(0, len(texts), _ENCODED_AT_ONCE):
            yield from self.encoder.encode(texts[start : start + _ENCODED_AT_ONCE])
            progress()

    def _refuse_nan(self, answers: Sequence[list["Answer"]]) -> None:
        poison = [index for index, own in enumerate(answers) if any(map(_has_nan, own))]
        if not poison:
            return
        if any(map(_has_nan, self._answers(self.encoder.encode([_PROBE])[0].windows, lambda: None))):
            raise CheckpointError("the network answers NaN to any text; its weights are broken, train it again")
        raise PoisonTweetError(dict.fromkeys(poison, "the network's probabilities for this text are not numbers"))

    def _answers(self, windows: Sequence[Window], progress: Callable[[], None]) -> list["Answer"]:
        answers: dict[int, Answer] = {}
        while not self._answer_the_rest(windows, answers, progress):
            self._halve_budget()  # only now: inside the except block the traceback would pin the tensors
        return [answers[index] for index in range(len(windows))]

    def _answer_the_rest(
        self, windows: Sequence[Window], answers: dict[int, "Answer"], progress: Callable[[], None]
    ) -> bool:
        """Classify the windows without an answer; False if the device ran out of memory on the way."""
        rest = [index for index in range(len(windows)) if index not in answers]
        try:
            for batch in fill_batches([len(windows[index].ids) for index in rest], self.token_budget):
                chosen = [rest[position] for position in batch]
                answers.update(zip(chosen, self._forward([windows[index] for index in chosen]), strict=True))
                progress()
        except RuntimeError as error:
            if _is_out_of_memory(error):
                return False
            if _is_out_of_order(error):  # nothing works on this device until the process is replaced
                raise UnfitProcessError(_first_line(error)) from error
            raise
        return True

    def _halve_budget(self) -> None:
        if self.token_budget < self._max_length:
            raise DeviceError(
                f"{self.device} has no memory left for one window of {self._max_length} tokens; "
                "stop what else runs there, or use a smaller model"
            )
        self.token_budget //= 2
        torch.cuda.empty_cache()
        log.warning("%s is out of memory; from now on %d tokens at once", self.device, self.token_budget)

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


def _is_out_of_memory(error: RuntimeError) -> bool:
    """cuBLAS and cuDNN have no error class of their own, and may be the first for whom nothing is left."""
    return isinstance(error, torch.OutOfMemoryError) or "_STATUS_ALLOC_FAILED" in str(error)


def _is_out_of_order(error: RuntimeError) -> bool:
    is_library = any(sign in str(error) for sign in ("CUDA error", "CUBLAS_STATUS_", "CUDNN_STATUS_", "cuDNN error"))
    return isinstance(error, torch.AcceleratorError) or is_library


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _has_nan(answer: "Answer") -> bool:
    return any(map(math.isnan, answer[2]))


def _without_leading_signs(chunk: Chunk, text: str, offsets: Sequence[tuple[int, int]]) -> Chunk | None:
    """Begin an entity at its first word with a letter or digit; None if it has none (a lone "@", an emoji)."""
    for first in range(chunk.first, chunk.last + 1):
        if any(map(str.isalnum, text[slice(*offsets[first])])):
            return chunk._replace(first=first)
    return None


Answer = tuple[list[Head], list[int], list[float]]  # of one window: its heads, their classes, their probabilities
