"""Write the ONNX form of a model folder: a folder of its own, with the same tokenizer, labels and window."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from tagging.batching import fill_batches
from tagging.checkpoint import ONNX_FILE, Manifest, read_manifest, write_manifest
from tagging.encoder_weights import read_weights
from tagging.encoding import Encoder
from tagging.errors import OptimizeError
from tagging.onnx_graph import INPUT, Range, build_graph
from tagging.silent_onnxruntime import onnxruntime
from tagging.tagger import Tagger

PRECISIONS = ("int8", "fp32")
_WEIGHTS = ".safetensors"
_TOKEN_BUDGET = 4096  # in one run
_MOST_PARAMETERS = 500_000_000  # an ONNX file holds 2 GiB


def write_onnx_form(
    folder: Path, into: Path, precision: str, calibration: Sequence[str] = (), expected_hash: str | None = None
) -> Manifest:
    """Write the ONNX form of the model folder `folder` to the new folder `into`; return its manifest.

    The precision is "int8", whose fixed scales are found on the calibration texts, or "fp32". Raises CheckpointError
    for a folder that is not whole or has another hash, OptimizeError for a network that has no such form.
    """
    if precision not in PRECISIONS:
        raise OptimizeError(f"precision {precision!r} is not known; use {' or '.join(PRECISIONS)}")
    if precision == "int8" and not calibration:
        raise OptimizeError("int8 needs texts to calibrate on; name the corpus that the version was trained on")
    tagger = Tagger.load(folder, "cpu", expected_hash)
    network, manifest = tagger.network, read_manifest(folder)
    if network.num_parameters() > _MOST_PARAMETERS:
        raise OptimizeError(
            f"there is no faster form for a network of {network.num_parameters():,} parameters, at most "
            f"{_MOST_PARAMETERS:,}; tag with --runtime torch"
        )
    weights = read_weights(network, manifest.max_length)
    ranges = None
    if precision == "int8":
        ranges = _ranges(build_graph(weights, observed=True), tagger.encoder, calibration)
    into.mkdir(parents=True)
    for name in manifest.files:
        if not name.endswith(_WEIGHTS) and name != ONNX_FILE:
            shutil.copy2(folder / name, into / name)
    onnx.save(build_graph(weights, ranges), into / ONNX_FILE)
    return write_manifest(into, manifest.base_model, manifest.labels, manifest.max_length, manifest.calibration)


def _ranges(model: onnx.ModelProto, encoder: Encoder, texts: Sequence[str]) -> dict[str, Range]:
    """Find the lowest and highest input of each dense layer, by channel, over all texts."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()][1:]
    windows = [window.ids for text in encoder.encode(texts) for window in text.windows]
    found: dict[str, Range] = {name: (np.array(np.inf), np.array(-np.inf)) for name in names}
    for batch in fill_batches([len(ids) for ids in windows], _TOKEN_BUDGET, equal_lengths=True):
        values = session.run(names, {INPUT: np.array([windows[index] for index in batch], dtype=np.int64)})
        for name, array in zip(names, values, strict=True):
            low, high = found[name]
            found[name] = np.minimum(low, array.min(axis=(0, 1))), np.maximum(high, array.max(axis=(0, 1)))
    return found
