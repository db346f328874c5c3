"""Rows to a batch of tensors, with some sub-words hidden, so that the network learns to read from what is around."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DataCollatorForTokenClassification, PreTrainedTokenizerBase


class HidingCollator:
    """Pads rows to the longest and replaces a share of their sub-words by the mask token, labels unchanged.

    Special tokens are never hidden; a tokenizer without a mask token hides nothing. Drawn from torch's generator.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, hidden: float) -> None:
        self.pad = DataCollatorForTokenClassification(tokenizer)
        self.mask = tokenizer.mask_token_id
        self.hidden = 0.0 if self.mask is None else hidden
        self.special = torch.tensor(tokenizer.all_special_ids)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Make a batch: input_ids, attention_mask and labels, each (rows, longest)."""
        batch: dict[str, torch.Tensor] = self.pad(rows)
        if self.hidden:
            ids = batch["input_ids"]
            is_hidden = (torch.rand(ids.shape) < self.hidden) & ~torch.isin(ids, self.special)
            batch["input_ids"] = ids.masked_fill(is_hidden, self.mask)
        return batch
