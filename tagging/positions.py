"""Where the positions of a network's texts begin. Standard library only."""

from typing import Any

_BEHIND_PADDING = (
    "roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "roberta-prelayernorm",
)  # fmt: skip


def first_position(config: Any) -> int:
    """Return the position of a text's first token: 0, or behind the padding id for the kinds that count from there."""
    return int(config.pad_token_id) + 1 if config.model_type in _BEHIND_PADDING else 0
