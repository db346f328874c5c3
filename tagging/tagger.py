"""Texts to spans with one fine-tuned network."""

import logging
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from tagging.batching import fill_batches
from tagging.calibration import Calibration
from tagging.checkpoint import ONNX_FILE, verify
from tagging.decoding import Decoder, Entity, log_softmax
from tagging.devices import find_device, find_precision
from tagging.encoding import EncodedText, Encoder, Window
from tagging.errors import CheckpointError, DeviceError, PoisonTweetError, UnfitProcessError
from tagging.runtime import Runtime
from tagging.spans import Chunk, Span
from tagging.torch_runtime import TorchRuntime

_PROBE = "Ann lives in London."  # a network that cannot read this can read nothing
_WORTH_A_BATCH = 128  # tokens
_ENCODED_AT_ONCE = 512  # texts, between two signs of progress
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

log = logging.getLogger(__name__)


class Tagger:
    """Tags texts with a network and its tokenizer; `max_length` is the window in token ids.

    Not for two threads at once. On a CPU the entities of a text do not depend on the texts around it (scores to about
    1e-6). On a GPU the network computes in half precision, where that was not measured.
    """

    def __init__(
        self,
        runtime: Runtime,
        tokenizer: PreTrainedTokenizerBase,
        max_length: int,
        calibration: Calibration | None = None,
    ) -> None:
        self.runtime = runtime
        self.tokenizer = tokenizer
        self.encoder = Encoder(tokenizer, max_length)
        self.labels = runtime.labels
        self.calibration = calibration  # of the spans' scores
        self._decoder = Decoder(self.labels)
        self.token_budget: int | None = None  # what the device holds, once it has run out of memory

    @classmethod
    def load(
        cls, folder: Path, device: str = "auto", expected_hash: str | None = None, threads: int | None = None
    ) -> Self:
        """Load a model folder, or the ONNX form of one, after checking its hashes.

        `threads` is how many compute on a CPU: all cores by default. Raises CheckpointError if a file is missing or
        differs, DeviceError if the device is not there, UnfitProcessError if it is out of order.
        """
        manifest = verify(folder, expected_hash)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, add_prefix_space=True)
        if ONNX_FILE in manifest.files:
            from tagging.onnx_runtime import OnnxRuntime  # noqa: PLC0415 (onnxruntime is not needed for the others)

            runtime = OnnxRuntime(folder / ONNX_FILE, list(manifest.labels), threads)
            return cls(runtime, tokenizer, manifest.max_length, manifest.calibration)
        if threads:
            torch.set_num_threads(threads)
        try:
            network = TorchRuntime.packing(_load_network(folder, find_device(device)))
            return cls(network, tokenizer, manifest.max_length, manifest.calibration)
        except torch.AcceleratorError as error:
            raise UnfitProcessError(_first_line(error)) from error

    @property
    def device(self) -> object:
        """Where the network computes."""
        return self.runtime.device

    @property
    def network(self) -> PreTrainedModel:
        """The stock network that torch runs; an ONNX form has none."""
        assert isinstance(self.runtime, TorchRuntime)
        return self.runtime.network

    def tag(self, texts: Sequence[str], progress: Callable[[], None] = lambda: None) -> list[list[Span]]:
        """Return the spans of each text, in rising order; offsets are code points into the text.

        A text that comes several times is read once. `progress` is called after each step. Raises PoisonTweetError
        that names the texts whose probabilities are not numbers, DeviceError if the device has no memory even for one
        window, UnfitProcessError if it is out of order.
        """
        distinct = list(dict.fromkeys(texts))
        encoded = list(self._encoded(distinct, progress))
        answers = iter(self._answers([window for text in encoded for window in text.windows], progress))
        own = [one.by_word([next(answers) for _ in one.windows], self._decoder.silent) for one in encoded]
        self._refuse_nan(texts, distinct, own)
        entities = self._decoder.decode(own)
        found = dict(zip(distinct, map(self._spans, distinct, encoded, entities), strict=True))
        return [list(found[text]) for text in texts]

    def _encoded(self, texts: Sequence[str], progress: Callable[[], None]) -> Iterator[EncodedText]:
        for start in range(0, len(texts), _ENCODED_AT_ONCE):
            yield from self.encoder.encode(texts[start : start + _ENCODED_AT_ONCE])
            progress()

    def _refuse_nan(self, texts: Sequence[str], distinct: Sequence[str], own: Sequence[np.ndarray]) -> None:
        poison = {text for text, answer in zip(distinct, own, strict=True) if np.isnan(answer).any()}
        if not poison:
            return
        if any(np.isnan(one).any() for one in self._answers(self.encoder.encode([_PROBE])[0].windows, lambda: None)):
            raise CheckpointError("the network answers NaN to any text; its weights are broken, train it again")
        named = (index for index, text in enumerate(texts) if text in poison)
        raise PoisonTweetError(dict.fromkeys(named, "the network's probabilities for this text are not numbers"))

    def _answers(self, windows: Sequence[Window], progress: Callable[[], None]) -> list[np.ndarray]:
        answers: dict[int, np.ndarray] = {}
        while not self._answer_the_rest(windows, answers, progress):
            self._halve_budget()  # only now: inside the except block the traceback would pin the tensors
        return [answers[index] for index in range(len(windows))]

    def _answer_the_rest(
        self, windows: Sequence[Window], answers: dict[int, np.ndarray], progress: Callable[[], None]
    ) -> bool:
        """Classify the windows without an answer; False if the device ran out of memory on the way."""
        rest = [index for index in range(len(windows)) if index not in answers]
        lengths = [len(windows[index].ids) for index in rest]
        budget = self._budget(sum(lengths))
        pending = deque[tuple[list[int], Callable[[], np.ndarray]]]()
        try:
            for batch in fill_batches(lengths, budget, self.runtime.equal_lengths):
                chosen = [rest[position] for position in batch]
                pending.append((chosen, self.runtime.start([windows[index].ids for index in chosen])))
                if len(pending) > self.runtime.batches_at_once:  # one more is prepared while these are read
                    self._read(windows, answers, *pending.popleft())
                progress()
            while pending:
                self._read(windows, answers, *pending.popleft())
        except RuntimeError as error:
            if _is_out_of_memory(error):
                return False
            if _is_out_of_order(error):  # nothing works on this device until the process is replaced
                raise UnfitProcessError(_first_line(error)) from error
            raise
        return True

    def _read(
        self,
        windows: Sequence[Window],
        answers: dict[int, np.ndarray],
        batch: Sequence[int],
        wait: Callable[[], np.ndarray],
    ) -> None:
        """Take the log-probabilities of each word of a batch from its logits, in one go."""
        heads: list[int] = []
        start = 0
        for index in batch:
            heads.extend([start + head for head in windows[index].heads])
            start += len(windows[index].ids)
        with np.errstate(invalid="ignore"):  # what is no number is noticed later
            found = log_softmax(wait()[heads])
        first = 0
        for index in batch:
            last = first + len(windows[index].heads)
            answers[index] = found[first:last]
            first = last

    def _budget(self, tokens: int) -> int:
        """How many of these tokens to read in one batch: where several are read side by side, none is to be idle."""
        most, at_once = self.token_budget or self.runtime.token_budget, self.runtime.batches_at_once
        return most if at_once == 1 else min(most, max(tokens // (2 * at_once), _WORTH_A_BATCH))

    def _halve_budget(self) -> None:
        budget = self.token_budget or self.runtime.token_budget
        if budget < self.encoder.max_length:
            raise DeviceError(
                f"{self.device} has no memory left for one window of {self.encoder.max_length} tokens; "
                "stop what else runs there, or use a smaller model"
            )
        self.token_budget = budget // 2
        torch.cuda.empty_cache()
        log.warning("%s is out of memory; from now on %d tokens at once", self.device, self.token_budget)

    def _spans(self, text: str, encoded: EncodedText, entities: Sequence[Entity]) -> list[Span]:
        spans: list[Span] = []
        for chunk, log_probability in entities:
            entity = _without_leading_signs(chunk, text, encoded.words)
            if entity:
                start, end = encoded.words[entity.first][0], encoded.words[entity.last][1]
                length = entity.last - entity.first + 1
                score = (
                    self.calibration.probability(log_probability, entity.label, length, text[start:end])
                    if self.calibration
                    else math.exp(log_probability)
                )
                spans.append(Span(start, end, entity.label, score))
        return spans


def _load_network(folder: Path, device: torch.device) -> PreTrainedModel:
    if device.type == "cuda":
        torch.cuda.set_device(device)  # else whatever names no card goes to the first
    dtype = _DTYPES[find_precision("auto", device)]
    network = AutoModelForTokenClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
    )
    return network.to(device, dtype).eval()


def _is_out_of_memory(error: RuntimeError) -> bool:
    """cuBLAS, cuDNN, pinned memory and the CPU have no error class of their own."""
    signs = ("_STATUS_ALLOC_FAILED", "out of memory", "can't allocate memory")
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in signs)


def _is_out_of_order(error: RuntimeError) -> bool:
    is_library = any(sign in str(error) for sign in ("CUDA error", "CUBLAS_STATUS_", "CUDNN_STATUS_", "cuDNN error"))
    return isinstance(error, torch.AcceleratorError) or is_library


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _without_leading_signs(chunk: Chunk, text: str, offsets: Sequence[tuple[int, int]]) -> Chunk | None:
    """Begin an entity at its first word with a letter or digit; None if it has none (a lone "@", an emoji)."""
    for first in range(chunk.first, chunk.last + 1):
        if any(map(str.isalnum, text[slice(*offsets[first])])):
            return chunk._replace(first=first)
    return None
