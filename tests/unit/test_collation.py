"""What a batch hides."""

from pathlib import Path

import torch
from transformers import AutoTokenizer

from tests.tiny import save_tiny_encoder
from trainer.base_model import starter_folder
from trainer.collation import HidingCollator

ROWS = [{"input_ids": [101, *range(2000, 2100), 102], "attention_mask": [1] * 102, "labels": list(range(102))}] * 50
SHORT = [{"input_ids": [101, 2000, 102], "attention_mask": [1] * 3, "labels": [-100, 1, -100]}]


def test_a_share_of_the_sub_words_is_hidden_and_labels_stay() -> None:
    tokenizer = AutoTokenizer.from_pretrained(starter_folder())
    torch.manual_seed(1)
    batch = HidingCollator(tokenizer, 0.1)([*ROWS, *SHORT])
    hidden = batch["input_ids"] == tokenizer.mask_token_id
    assert 400 < hidden.sum().item() < 600
    assert batch["input_ids"][:, 0].tolist() == [101] * 51
    assert (batch["input_ids"] == 102).sum() == 51
    assert not (hidden & (batch["attention_mask"] == 0)).any()
    assert batch["labels"][0].tolist() == ROWS[0]["labels"]


def test_nothing_is_hidden_where_nothing_should_or_can_be(tmp_path: Path) -> None:
    starter = AutoTokenizer.from_pretrained(starter_folder())
    without_mask = AutoTokenizer.from_pretrained(save_tiny_encoder(tmp_path / "tiny", "wordpiece"))
    assert without_mask.mask_token_id is None
    for collator in (HidingCollator(starter, 0.0), HidingCollator(without_mask, 0.9)):
        assert collator(SHORT)["input_ids"].tolist() == [[101, 2000, 102]]
