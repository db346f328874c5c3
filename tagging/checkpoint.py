"""A model folder and its manifest: labels, base model, window, calibration, and the hash of every file.

The folder is a stock Hugging Face one (config.json, model.safetensors, tokenizer files), so plain transformers loads
it; `tweetspan.json` beside them is the manifest. Weights are safetensors only, never pickle.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tagging.calibration import Calibration
from tagging.errors import CheckpointError

MANIFEST_NAME = "tweetspan.json"
CARD_NAME = "README.md"  # for readers alone: not part of the hash, and may be edited
ONNX_FILE = "model.onnx"  # in the ONNX form of a model folder, instead of the weights
_FORMAT = 2
_READABLE = (1, 2)  # 1 has no calibration, and says otherwise what a score is
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Manifest:
    """What a model folder says of itself.

    `max_length` is the window in token ids; `files` maps each file's name to its SHA-256.
    """

    base_model: str
    labels: tuple[str, ...]
    max_length: int
    files: dict[str, str]
    calibration: Calibration | None = None

    @property
    def score(self) -> str:
        """What a span's score means, in a sentence."""
        if self.calibration is None:
            return "the network's probability that the span begins, goes on and ends as it does; not calibrated"
        return (
            "the probability that the whole span and its label are right, calibrated on "
            f"{self.calibration.spans} spans that {self.calibration.folds} trainings found in texts they had not seen"
        )

    @property
    def hash(self) -> str:
        """SHA-256 over the names and hashes of all files and the fields that change what the tagger does."""
        told: dict[str, Any] = {"files": self.files, "labels": self.labels, "max_length": self.max_length}
        if self.calibration is not None:  # folders without one keep the hash that they were registered with
            told["calibration"] = asdict(self.calibration)
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def write_manifest(
    folder: Path, base_model: str, labels: tuple[str, ...], max_length: int, calibration: Calibration | None = None
) -> Manifest:
    """Hash the files of a model folder and write its manifest. Raises CheckpointError if a pickle lies in it."""
    manifest = Manifest(base_model, labels, max_length, _hash_files(folder), calibration)
    told = {**asdict(manifest), "score": manifest.score, "format": _FORMAT}
    (folder / MANIFEST_NAME).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return manifest


def is_safe_name(name: str) -> bool:
    """Tell whether a name in a manifest from elsewhere is a plain file's: no path, no URL's query, no pickle."""
    return bool(_PLAIN_NAME.fullmatch(name)) and name != MANIFEST_NAME and not name.lower().endswith(_PICKLES)


def read_manifest(folder: Path, expected_hash: str | None = None) -> Manifest:
    """Read the manifest of a model folder, and check it against the hash that was registered.

    Raises CheckpointError if there is none, if it cannot be read, or if it is another model's.
    """
    path = folder / MANIFEST_NAME
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] not in _READABLE:
            raise CheckpointError(f"{path} has format {told['format']}, this code reads {_FORMAT}; update tweetspan")
        calibration = told.get("calibration")
        fields = {name: value for name, value in told.items() if name not in ("format", "score")}
        fields["labels"] = tuple(told["labels"])
        fields["calibration"] = None if calibration is None else Calibration.from_dict(calibration)
        manifest = Manifest(**fields)
        _check_types(manifest)
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is not a tweetspan model folder: it has no {MANIFEST_NAME}; train one"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); train or fetch the model again") from error
    if expected_hash is not None and manifest.hash != expected_hash:
        raise CheckpointError(
            f"{folder} has hash {manifest.hash[:12]}…, registered is {expected_hash[:12]}…; restore or retrain it"
        )
    return manifest


def verify(folder: Path, expected_hash: str | None = None) -> Manifest:
    """Check every file against the manifest, and the manifest against the hash that was registered.

    Raises CheckpointError that names the file which differs.
    """
    manifest = read_manifest(folder, expected_hash)
    found = _hash_files(folder)
    for name in sorted(found.keys() | manifest.files.keys()):
        if found.get(name) != manifest.files.get(name):
            what = (
                "is missing"
                if name not in found
                else "is not in the manifest"
                if name not in manifest.files
                else "differs"
            )
            raise CheckpointError(
                f"{folder / name} {what}: the folder is not as it was registered; restore or retrain it"
            )
    return manifest


def _check_types(manifest: Manifest) -> None:
    texts = (manifest.base_model, *manifest.labels, *manifest.files.keys(), *manifest.files.values())
    if not isinstance(manifest.max_length, int) or not all(isinstance(text, str) for text in texts):
        raise TypeError("a field has the wrong type")


def _hash_files(folder: Path) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in _PICKLES:
            raise CheckpointError(f"{path} may be a pickle, which can run code when loaded; remove it")
        if path.name not in (MANIFEST_NAME, CARD_NAME) and path.is_file():
            with path.open("rb") as file:
                hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
