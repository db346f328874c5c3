"""The manifest of a model folder: what it notices and what it says."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tagging.calibration import Calibration
from tagging.checkpoint import MANIFEST_NAME, read_manifest, verify, write_manifest
from tagging.errors import CheckpointError

LABELS = ("O", "B-PER", "I-PER")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder with a manifest; its files need not be a real model's."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    write_manifest(tmp_path, "starter", LABELS, 128)
    return tmp_path


def refusal(folder: Path, expected_hash: str | None = None) -> str:
    with pytest.raises(CheckpointError) as caught:
        verify(folder, expected_hash)
    return str(caught.value)


def change(folder: Path, **fields: object) -> None:
    path = folder / MANIFEST_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_the_manifest_reads_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    written = write_manifest(tmp_path, "bert-base-cased", LABELS, 64)
    assert read_manifest(tmp_path) == verify(tmp_path) == verify(tmp_path, written.hash) == written
    assert (written.base_model, written.labels, written.max_length) == ("bert-base-cased", LABELS, 64)
    # printf '{}' | sha256sum
    assert written.files == {"config.json": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}


def test_a_copied_folder_has_the_same_hash(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("elsewhere")
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    verify(copy, read_manifest(folder).hash)


def test_a_changed_file_is_named(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"Weights")
    assert "model.safetensors differs" in refusal(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert "config.json is missing" in refusal(folder)


def test_an_extra_file_is_named(folder: Path) -> None:
    (folder / "adapter.safetensors").write_bytes(b"")
    assert "adapter.safetensors is not in the manifest" in refusal(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.pt", "a.pth", "a.pkl", "a.pickle", "last.ckpt"])
def test_a_pickle_is_refused_before_and_after_the_manifest(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    assert name in refusal(folder)
    with pytest.raises(CheckpointError, match=name):
        write_manifest(folder, "starter", LABELS, 128)


@pytest.mark.parametrize("field", [{"labels": ["O", "B-LOC", "I-LOC"]}, {"max_length": 64}, {"files": {}}])
def test_a_manifest_that_was_changed_has_another_hash(folder: Path, field: dict[str, object]) -> None:
    registered = read_manifest(folder).hash
    change(folder, **field)
    assert read_manifest(folder).hash != registered


def test_a_folder_that_is_not_the_registered_one_is_refused(folder: Path) -> None:
    registered = read_manifest(folder).hash
    (folder / "model.safetensors").write_bytes(b"other weights")
    other = write_manifest(folder, "starter", LABELS, 128)
    message = refusal(folder, registered)
    assert registered[:12] in message
    assert other.hash[:12] in message


@pytest.mark.parametrize("there_is_a_folder", [True, False])
def test_a_folder_without_a_manifest_is_no_model_folder(tmp_path: Path, there_is_a_folder: bool) -> None:
    folder = tmp_path if there_is_a_folder else tmp_path / "nowhere"
    assert f"{folder} is not a tweetspan model folder" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"labels": 3}'])
def test_an_unreadable_manifest_is_named(folder: Path, content: bytes) -> None:
    (folder / MANIFEST_NAME).write_bytes(content)
    assert f"{folder / MANIFEST_NAME} cannot be read" in refusal(folder)


@pytest.mark.parametrize("fields", [{"files": []}, {"files": None}, {"labels": [1]}, {"max_length": "long"}])
def test_a_manifest_with_fields_of_the_wrong_type_is_named(folder: Path, fields: dict[str, object]) -> None:
    change(folder, **fields)
    assert f"{folder / MANIFEST_NAME} cannot be read" in refusal(folder)


def test_another_format_says_so(folder: Path) -> None:
    change(folder, format=3)
    assert "has format 3" in refusal(folder)


def test_a_later_format_with_fields_of_its_own_says_so(folder: Path) -> None:
    change(folder, format=3, layers=[0.5])
    assert "has format 3" in refusal(folder)


def test_a_manifest_from_before_calibration_keeps_its_hash(folder: Path) -> None:
    path = folder / MANIFEST_NAME
    told = json.loads(path.read_text())
    assert told.pop("calibration") is None
    path.write_text(json.dumps({**told, "format": 1, "score": "smallest softmax probability"}))
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in told["files"]}
    hashed = {"files": files, "labels": LABELS, "max_length": 128}
    registered = hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()
    assert verify(folder, registered).score.endswith("not calibrated")


def test_a_calibration_is_kept_and_hashed(folder: Path) -> None:
    before = read_manifest(folder).hash
    calibration = Calibration(0.25, {"log-odds": 0.5, "label PER": -1.0}, folds=2, spans=400)
    written = write_manifest(folder, "starter", LABELS, 128, calibration)
    assert verify(folder, written.hash).calibration == calibration
    assert json.loads((folder / MANIFEST_NAME).read_text())["score"] == written.score
    assert "calibrated on 400 spans that 2 trainings" in written.score
    hashes = {before, written.hash}
    change(folder, calibration={**asdict(calibration), "intercept": 0.5})
    assert read_manifest(folder).hash not in hashes


@pytest.mark.parametrize("calibration", [[0.5], "yes", {"intercept": 0.5}, {"intercept": "x", "weights": {}}])
def test_a_calibration_that_cannot_be_read_is_named(folder: Path, calibration: object) -> None:
    change(folder, calibration=calibration)
    assert f"{folder / MANIFEST_NAME} cannot be read" in refusal(folder)
