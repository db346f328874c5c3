"""Run a stock transformers network in torch, on CPU or GPU, without padding.

The texts of a batch are packed one behind the other: every layer but attention looks at each token alone, and attention
is told where a text begins. Networks whose attention cannot be replaced read texts of one length at a time instead.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from tagging.batching import runs
from tagging.positions import first_position

try:
    from torch.nn.attention.varlen import varlen_attn

    _HAS_VARLEN = "scale" in inspect.signature(varlen_attn).parameters
except ImportError:  # an older torch
    _HAS_VARLEN = False

PACKED = "tweetspan_packed"  # the name of our attention among those of transformers
_TOKEN_BUDGET = {"cpu": 2048, "cuda": 65_536}  # in one forward pass
_PACKABLE = ("bert", "electra", "roberta", "xlm-roberta", "camembert")  # every token attends to its whole text


class TorchRuntime:
    """A network in torch; `token_budget` is how many tokens it reads at once to begin with."""

    batches_at_once = 1

    def __init__(self, network: PreTrainedModel) -> None:
        self.network = network
        self.labels = [network.config.id2label[index] for index in range(network.config.num_labels)]
        self.equal_lengths = network.config._attn_implementation != PACKED
        self._first_position = first_position(network.config)

    @classmethod
    def packing(cls, network: PreTrainedModel) -> Self:
        """Run a network for inference alone: with our attention, where its kind allows that."""
        if network.config.model_type in _PACKABLE:
            network.set_attn_implementation(PACKED)
        return cls(network)

    @property
    def device(self) -> torch.device:
        """Where the network computes; it may be moved."""
        return self.network.device

    @property
    def token_budget(self) -> int:
        """Tokens of one forward pass that keep the device busy."""
        return _TOKEN_BUDGET[self.device.type]

    def start(self, windows: Sequence[Sequence[int]]) -> Callable[[], np.ndarray]:
        """Begin to read windows of token ids; return the function that waits for their logits.

        The logits are float32, (all tokens in order, labels). On a GPU the caller may prepare the next batch meanwhile.
        """
        with torch.inference_mode():
            logits = self._equal(windows) if self.equal_lengths else self._packed(windows)
            logits = logits.reshape(-1, len(self.labels)).float()
            if self.device.type == "cpu":
                return partial(np.asarray, logits)
            there = torch.empty(logits.shape, dtype=logits.dtype, pin_memory=True)
            there.copy_(logits, non_blocking=True)
            copied = torch.cuda.Event()
            copied.record(torch.cuda.current_stream(self.device))

        def wait() -> np.ndarray:
            copied.synchronize()
            return np.asarray(there)

        return wait

    def _equal(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        return self.network(input_ids=self._moved(torch.tensor(windows))).logits

    def _packed(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        lengths = [len(ids) for ids in windows]
        starts = np.cumsum([0, *lengths])
        ids = torch.tensor([token for ids in windows for token in ids])
        positions = torch.arange(len(ids)) - torch.from_numpy(np.repeat(starts[:-1], lengths)) + self._first_position
        packing = {"texts": runs(lengths), "starts": self._moved(torch.from_numpy(starts.astype(np.int32)))}
        moved = self._moved(ids)[None], self._moved(positions)[None]
        return self.network(input_ids=moved[0], position_ids=moved[1], **packing).logits

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor if self.device.type == "cpu" else tensor.pin_memory().to(self.device, non_blocking=True)


def _can_read_varlen(query: torch.Tensor) -> bool:
    """Tell whether torch's attention for packed texts computes this: half precision, and a card of Ampere or newer."""
    if not (_HAS_VARLEN and query.is_cuda and query.dtype in (torch.float16, torch.bfloat16)):
        return False
    return bool(query.shape[-1] % 8 == 0 and torch.cuda.get_device_capability(query.device) >= (8, 0))


def _packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None = None,
    texts: Sequence[tuple[int, int]] = (),
    starts: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each text; query, key and value are (1, heads, tokens, size), `texts` runs of equal length."""
    if _can_read_varlen(query):
        longest = max(length for _, length in texts)
        packed = (one[0].transpose(0, 1).contiguous() for one in (query, key, value))
        return varlen_attn(*packed, starts, starts, longest, longest, scale=scaling)[None], None
    answer = torch.empty_like(query[0].transpose(0, 1), memory_format=torch.contiguous_format)
    start = 0
    for count, length in texts:
        run = slice(start, start + count * length)
        own = (one[0, :, run].unflatten(1, (count, length)).transpose(0, 1) for one in (query, key, value))
        attended = torch.nn.functional.scaled_dot_product_attention(*own, scale=scaling)
        answer[run].view(count, length, *answer.shape[1:]).copy_(attended.transpose(1, 2))
        start = run.stop
    return answer[None], None


AttentionInterface.register(PACKED, _packed_attention)
AttentionMaskInterface.register(PACKED, lambda *_, **__: None)  # nothing is padded, so nothing is masked
