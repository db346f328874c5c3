"""Load an encoder with an untrained head for a corpus's labels, and say which of its layers train."""

import torch
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel, set_seed

from tagging.errors import ConfigError, EncoderError
from tagging.positions import first_position
from tagging.spans import label_list
from tagging.tagger import Tagger
from tagging.torch_runtime import TorchRuntime
from trainer.base_model import find_base_model
from trainer.config import TrainingConfig, trained_layers
from trainer.examples import Corpus
from trainer.wide_vocabulary import WideEmbedding


def load_encoder(config: TrainingConfig, corpus: Corpus) -> Tagger:
    """Load an encoder and its tokenizer, with an untrained head for the corpus's labels; the seed sets its weights.

    Raises EncoderError for an encoder or tokenizer that cannot be used, HubUnreachableError for one that is not found.
    """
    source = find_base_model(config.base_model)
    labels = label_list(corpus.entity_labels)
    set_seed(config.seed)
    try:
        network_config = AutoConfig.from_pretrained(
            source, id2label=dict(enumerate(labels)), label2id={label: index for index, label in enumerate(labels)}
        )
        tokenizer = AutoTokenizer.from_pretrained(source, add_prefix_space=True)
        network = AutoModelForTokenClassification.from_pretrained(
            source, config=network_config, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise EncoderError(f"cannot load the base model {config.base_model!r}: {error}") from error
    if tokenizer.pad_token_id is None:
        raise EncoderError(f"the tokenizer of {config.base_model!r} has no padding token; use another base model")
    longest = _longest_input(network)
    if config.max_length > longest:
        raise ConfigError(
            f"max length {config.max_length} is more than {config.base_model!r} reads; give at most {longest}"
        )
    return Tagger(TorchRuntime(network), tokenizer, config.max_length)


def freeze(network: PreTrainedModel, train_layers: str, train_words: bool) -> None:
    """Leave only some layers trainable: all, the head, or the head and the last N layers of the encoder.

    The vectors of the sub-words stay as they are, too, unless `train_words`; what stands for capitals always trains.
    Raises ConfigError if the encoder has fewer layers.
    """
    words = network.get_input_embeddings()
    narrow = words.narrow if isinstance(words, WideEmbedding) else words
    narrow.requires_grad_(train_words)
    count = trained_layers(train_layers)
    if count is None:
        return
    network.base_model.requires_grad_(False)
    if isinstance(words, WideEmbedding):
        words.shared.requires_grad_(True)  # else capitals would never mean anything
    stacks = [module for module in network.base_model.modules() if isinstance(module, torch.nn.ModuleList)]
    layers = max(stacks, key=len, default=torch.nn.ModuleList())
    if count > len(layers):
        raise ConfigError(
            f"train layers {train_layers!r}: the encoder has {len(layers)} layers; use all or a smaller N"
        )
    for layer in list(layers)[len(layers) - count :]:
        layer.requires_grad_(True)


def _longest_input(network: PreTrainedModel) -> int:
    positions = int(getattr(network.config, "max_position_embeddings", None) or 512)
    return positions - first_position(network.config)
