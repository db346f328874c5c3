"""Token classifiers that others have trained, as a Tagger: what plain transformers loads, if its labels are IOB2."""

from pathlib import Path

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from tagging.checkpoint import MANIFEST_NAME
from tagging.devices import find_device
from tagging.errors import EncoderError
from tagging.positions import first_position
from tagging.spans import OUTSIDE
from tagging.tagger import Tagger
from tagging.torch_runtime import TorchRuntime
from trainer.base_model import find_base_model

_LONGEST = 512  # token ids of a window, if the model itself sets no limit


def load_model(source: str, device: str = "auto") -> Tagger:
    """Load one of our model folders, another folder with a token classifier, or one of the hub.

    Only ours has a manifest whose hashes are checked. Weights are safetensors only, and no code of the model's runs.
    Raises CheckpointError for a damaged folder of ours, EncoderError for a model that cannot be used,
    HubUnreachableError, DeviceError.
    """
    if (Path(source) / MANIFEST_NAME).is_file():
        return Tagger.load(Path(source), device)
    place = find_base_model(source)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, add_prefix_space=True)
        network = AutoModelForTokenClassification.from_pretrained(
            place, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise EncoderError(f"cannot load {source!r} as a token classifier: {error}") from error
    _refuse_other_labels(source, list(network.config.id2label.values()))
    longest = (getattr(network.config, "max_position_embeddings", None) or _LONGEST) - first_position(network.config)
    runtime = TorchRuntime.packing(network.to(find_device(device)).eval())
    return Tagger(runtime, tokenizer, min(longest, tokenizer.model_max_length, _LONGEST))


def _refuse_other_labels(source: str, labels: list[str]) -> None:
    wrong = [label for label in labels if label != OUTSIDE and label[:2] not in ("B-", "I-")]
    if wrong or OUTSIDE not in labels:
        raise EncoderError(
            f"the labels of {source!r} are not IOB2 ({', '.join(labels[:6])} ...); O, B-PER, I-PER ... are; "
            "take a model that was fine-tuned for named entities"
        )
