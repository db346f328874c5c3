"""The weights of a BERT-like network as plain arrays, whatever its kind names them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import PreTrainedModel

from tagging.errors import OptimizeError
from tagging.positions import first_position

_NAMES_OF_BERT = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
}
_NAMES_OF_MPNET = {
    "query": "attention.attn.q",
    "key": "attention.attn.k",
    "value": "attention.attn.v",
    "attended": "attention.attn.o",
    "attention_norm": "attention.LayerNorm",
}
_NAMES = {**dict.fromkeys(("bert", "roberta", "xlm-roberta", "camembert"), _NAMES_OF_BERT), "mpnet": _NAMES_OF_MPNET}


class Linear(NamedTuple):
    """A dense layer: `inputs @ weight + bias`, the weight (inputs, outputs)."""

    weight: np.ndarray
    bias: np.ndarray


class Norm(NamedTuple):
    """A layer normalisation."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Layer:
    """One layer of the encoder; query, key and value stand side by side in one dense layer."""

    query_key_value: Linear
    attended: Linear
    attention_norm: Norm
    intermediate: Linear
    output: Linear
    output_norm: Norm


@dataclass(frozen=True)
class EncoderWeights:
    """All that a network for token classification computes with, in float32.

    `words` and `positions` are embeddings (of token ids, of places in a text), those of the token type are added to
    the latter. `attention_bias` is (heads, places, places), for networks that know how far apart two tokens are.
    """

    words: np.ndarray
    positions: np.ndarray
    embedding_norm: Norm
    layers: tuple[Layer, ...]
    classifier: Linear
    heads: int
    epsilon: float
    attention_bias: np.ndarray | None


def read_weights(network: PreTrainedModel, max_length: int) -> EncoderWeights:
    """Read the weights of a network that is to read windows of at most `max_length` token ids.

    Raises OptimizeError for a kind of network that is not known here.
    """
    config = network.config
    names, activation = _NAMES.get(config.model_type), getattr(config, "hidden_act", "another activation")
    if names is None or activation != "gelu":
        raise OptimizeError(
            f"there is no faster form for networks of the kind {config.model_type!r} with {activation}; known are "
            f"{', '.join(_NAMES)} with gelu. Tag with --runtime torch"
        )
    stored = _Stored(network.state_dict(), network.base_model_prefix)
    return EncoderWeights(
        stored.array("embeddings.word_embeddings.weight"),
        _positions(stored, config, max_length),
        stored.norm("embeddings.LayerNorm"),
        tuple(_layer(stored, f"encoder.layer.{index}", names) for index in range(config.num_hidden_layers)),
        Linear(stored.whole["classifier.weight"].numpy().T, stored.whole["classifier.bias"].numpy()),
        config.num_attention_heads,
        config.layer_norm_eps,
        _attention_bias(network, max_length) if config.model_type == "mpnet" else None,
    )


class _Stored:
    def __init__(self, weights: dict[str, torch.Tensor], prefix: str) -> None:
        self.whole = {name: tensor.detach().float().cpu() for name, tensor in weights.items()}
        self._prefix = prefix

    def array(self, name: str) -> np.ndarray:
        array: np.ndarray = self.whole[f"{self._prefix}.{name}"].numpy()
        return array

    def norm(self, name: str) -> Norm:
        return Norm(self.array(f"{name}.weight"), self.array(f"{name}.bias"))

    def linear(self, *names: str) -> Linear:
        """Read dense layers as one, side by side."""
        weights = [self.array(f"{name}.weight").T for name in names]
        return Linear(np.concatenate(weights, axis=1), np.concatenate([self.array(f"{name}.bias") for name in names]))


def _layer(stored: _Stored, at: str, names: dict[str, str]) -> Layer:
    return Layer(
        stored.linear(*(f"{at}.{names[one]}" for one in ("query", "key", "value"))),
        stored.linear(f"{at}.{names['attended']}"),
        stored.norm(f"{at}.{names['attention_norm']}"),
        stored.linear(f"{at}.intermediate.dense"),
        stored.linear(f"{at}.output.dense"),
        stored.norm(f"{at}.output.LayerNorm"),
    )


def _positions(stored: _Stored, config: Any, max_length: int) -> np.ndarray:
    first = first_position(config)
    positions = stored.array("embeddings.position_embeddings.weight")[first : first + max_length]
    has_types = config.model_type != "mpnet"
    return positions + stored.array("embeddings.token_type_embeddings.weight")[0] if has_types else positions


def _attention_bias(network: PreTrainedModel, max_length: int) -> np.ndarray:
    with torch.inference_mode():
        bias = network.base_model.encoder.compute_position_bias(torch.empty(1, max_length, 1))
    array: np.ndarray = bias[0].float().numpy()
    return array
