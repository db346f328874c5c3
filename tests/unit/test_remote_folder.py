"""What a URI may look like, and what no message may hold."""

import pytest
from fsspec.registry import known_implementations

from tagging.checkpoint import is_safe_name
from tagging.errors import CheckpointError
from worker.remote_folder import RemoteFolder, scheme_of, shown


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/models/1", "s3://bucket/models/1"),
        ("https://models.example:8443/1", "https://models.example:8443/1"),
        ("https://ann:hunter2@models.example/1", "https://models.example/1"),
        ("https://token-hunter2@models.example/1", "https://models.example/1"),
        ("s3://key:hun/ter2@bucket/1", "s3://bucket/1"),
        ("https://models.example/1?sig=hunter2", "https://models.example/1"),
        ("https://models.example/1#hunter2", "https://models.example/1"),
        ("https://ann:hunter2@models.example/1?sig=hunter2", "https://models.example/1"),
        ("https://models.example/1?mail=ann@example&sig=hunter2", "https://…"),
        ("sftp://ann:hun?ter2@models.example/1", "sftp://…"),
    ],
)
def test_a_shown_uri_holds_no_secret(uri: str, expected: str) -> None:
    assert shown(uri) == expected


@pytest.mark.parametrize("uri", ["", "/mnt/models", "models", "simplecache::s3://k:hunter2@b/1", "://x", "s3:bucket"])
def test_a_place_is_one_uri(uri: str) -> None:
    with pytest.raises(CheckpointError, match="must be one URI; write s3://BUCKET/FOLDER") as caught:
        scheme_of(uri)
    assert "hunter2" not in str(caught.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"class": "no_such_driver.FileSystem", "err": "Install no_such_driver"}
    monkeypatch.setitem(known_implementations, "pigeon", missing)
    with pytest.raises(CheckpointError, match="no driver for pigeon:// is installed: Install no_such_driver;"):
        RemoteFolder("pigeon://ann:hunter2@models.example/1")
    with pytest.raises(CheckpointError, match="gopher:// is no scheme that fsspec knows"):
        RemoteFolder("gopher://models.example/1")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer_config.json", "model-00001-of-00002.safetensors"])
def test_a_model_s_own_names_are_safe(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "C:x", ".hidden", "a?b", "a#b", "a%2Fb", "a b", "a\nb", "x\n",
     "tweetspan.json", "weights.bin", "WEIGHTS.PKL", "é"],
)  # fmt: skip
def test_other_names_are_not(name: str) -> None:
    assert not is_safe_name(name)
