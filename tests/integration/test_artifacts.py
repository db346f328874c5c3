"""Models that lie elsewhere: fetched through a real web server and fsspec's memory, cached, checked, uploaded."""

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import fsspec
import pytest

from settings import Settings, read_settings
from tagging.checkpoint import MANIFEST_NAME, Manifest, read_manifest, verify, write_manifest
from tagging.errors import CheckpointError
from tests.web import Web, serving
from worker import artifacts
from worker.artifacts import load_artifact, upload

SECRET = "hunter2"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A model folder as a trainer leaves it; its files need not be a real model's."""
    folder = tmp_path / "origin" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 50_000)  # more than one block
    write_manifest(folder, "tiny", ("O", "B-PER", "I-PER"), 64)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cache" / "models"


@pytest.fixture
def web(origin: Path) -> Iterator[Web]:
    with serving(origin.parent) as web:
        yield web


@pytest.fixture
def memory() -> Iterator[str]:
    """URI of an empty folder in fsspec's memory."""
    yield "memory://models/1"
    fsspec.filesystem("memory").store.clear()


def checked(expected_hash: str) -> Callable[[Path], Path]:
    """Do what Tagger.load does first."""

    def load(folder: Path) -> Path:
        verify(folder, expected_hash)
        return folder

    return load


def home_of(cache: Path) -> Settings:
    return read_settings({"TWEETSPAN_HOME": str(cache.parents[1])})


def fetched(uri: str, expected_hash: str, cache: Path) -> Path:
    return load_artifact(uri, expected_hash, home_of(cache), checked(expected_hash))


def refusal(uri: str, expected_hash: str, cache: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        fetched(uri, expected_hash, cache)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None, "a driver's own words may hold secrets"
    assert not cache.is_dir() or not any(cache.iterdir()), "something is left in the cache"
    return str(caught.value)


def test_a_folder_on_this_machine_is_used_in_place(origin: Path, cache: Path) -> None:
    assert fetched(origin.as_uri(), read_manifest(origin).hash, cache) == origin
    assert not cache.exists()


def test_a_folder_of_another_machine_says_how_to_share_it(tmp_path: Path, cache: Path) -> None:
    said = refusal((tmp_path / "elsewhere").as_uri(), "0" * 64, cache)
    assert f"{tmp_path / 'elsewhere'} is not on this machine; run `tweetspan models upload VERSION URI`" in said


def test_a_restored_home_holds_it_under_its_hash(origin: Path, cache: Path) -> None:
    registered = read_manifest(origin).hash
    restored = cache.parents[1] / "models" / registered[:16]
    shutil.copytree(origin, restored)
    assert fetched(origin.as_uri(), registered, cache) == origin
    shutil.rmtree(origin)
    assert fetched(origin.as_uri(), registered, cache) == restored
    (restored / "config.json").write_text("something else")
    assert "not as it was registered" in refusal(origin.as_uri(), registered, cache)


def test_a_model_is_fetched_once_with_the_manifest_first(web: Web, origin: Path, cache: Path) -> None:
    registered = read_manifest(origin).hash
    folder = fetched(f"{web.url}/model", registered, cache)
    assert folder == cache / registered
    assert verify(folder) == verify(origin)
    assert web.asked == ["/model/tweetspan.json", "/model/config.json", "/model/model.safetensors"]
    assert fetched(f"{web.url}/model/", registered, cache) == folder
    assert len(web.asked) == 3
    assert [path.name for path in cache.iterdir()] == [registered]


def test_fetching_shows_life(web: Web, origin: Path, cache: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    registered = read_manifest(origin).hash
    load_artifact(f"{web.url}/model", registered, home_of(cache), checked(registered), lambda *told: calls.append(told))
    size = (origin / "model.safetensors").stat().st_size
    assert (size, size) in calls
    assert any(0 < moved < size for moved, of in calls if of == size)


def test_a_signed_url_asks_for_each_file_with_its_signature(web: Web, origin: Path, cache: Path) -> None:
    fetched(f"{web.url}/model?sig={SECRET}", read_manifest(origin).hash, cache)
    assert web.asked[0] == f"/model/tweetspan.json?sig={SECRET}"


@pytest.mark.parametrize("damage", ["changed", "missing", "extra", "pickle", "no manifest"])
def test_a_damaged_cache_is_fetched_again(web: Web, origin: Path, cache: Path, damage: str) -> None:
    registered = read_manifest(origin).hash
    folder = fetched(f"{web.url}/model", registered, cache)
    if damage == "changed":
        (folder / "model.safetensors").write_bytes(b"0")
    elif damage in ("missing", "no manifest"):
        (folder / ("config.json" if damage == "missing" else MANIFEST_NAME)).unlink()
    else:
        (folder / ("extra.json" if damage == "extra" else "weights.bin")).write_bytes(b"")
    assert fetched(f"{web.url}/model", registered, cache) == folder
    assert len(web.asked) == 6
    assert [path.name for path in cache.iterdir()] == [registered]


def test_another_model_is_refused_before_its_files_are_fetched(web: Web, origin: Path, cache: Path) -> None:
    said = refusal(f"{web.url}/model", "1" * 64, cache)
    other = read_manifest(origin).hash
    assert said == f"{web.url}/model has hash {other[:12]}…, registered is 111111111111…; restore or retrain it"
    assert web.asked == ["/model/tweetspan.json"]


def test_a_file_that_is_damaged_at_its_origin_is_refused(web: Web, origin: Path, cache: Path) -> None:
    (origin / "config.json").write_text('{"x": 1}')
    said = refusal(f"{web.url}/model?sig={SECRET}", read_manifest(origin).hash, cache)
    assert f"{web.url}/model/config.json differs" in said


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "a/../../escaped", "weights.pkl", "pytorch_model.bin"])
def test_a_manifest_with_an_evil_name_is_refused(memory: str, cache: Path, name: str) -> None:
    content = b"evil"
    manifest = Manifest("tiny", ("O",), 64, {name: hashlib.sha256(content).hexdigest()})
    told = {"base_model": "tiny", "labels": ["O"], "max_length": 64, "files": manifest.files, "format": 1}
    with fsspec.open(f"{memory}/{MANIFEST_NAME}", "wb") as file:
        file.write(json.dumps(told).encode())
    with fsspec.open(f"{memory}/{name}", "wb") as file:
        file.write(content)
    assert f"memory://models/1 names the file {name!r}, which is refused" in refusal(memory, manifest.hash, cache)
    assert not list(cache.parent.rglob("*escaped*"))


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"format": 2}'])
def test_what_is_no_manifest_is_refused(memory: str, cache: Path, content: bytes) -> None:
    with fsspec.open(f"{memory}/{MANIFEST_NAME}", "wb") as file:
        file.write(content)
    assert refusal(memory, "1" * 64, cache).startswith(f"{memory}/{MANIFEST_NAME} ")


@pytest.mark.parametrize("registered", ["", "../../x", "A" * 64])
def test_what_is_no_hash_names_no_folder(memory: str, cache: Path, registered: str) -> None:
    assert "is no SHA-256" in refusal(memory, registered, cache)


def test_nothing_there(web: Web, cache: Path) -> None:
    said = refusal(f"{web.url}/nothing?sig={SECRET}", "1" * 64, cache)
    assert said.startswith(f"nothing is found at {web.url}/nothing; check it and its bucket, or run")


@pytest.mark.parametrize(
    ("status", "said"), [(401, "refuses access"), (403, "refuses access"), (500, "cannot be used"), (503, "cannot be")]
)
def test_a_server_that_refuses(web: Web, cache: Path, status: int, said: str) -> None:
    web.refuse = lambda path: status
    told = refusal(f"{web.url}/model?sig={SECRET}", "1" * 64, cache)
    assert told.startswith(f"{web.url}/model {said}")
    assert f"(ClientResponseError, status {status})" in told


def test_a_host_that_does_not_answer(cache: Path) -> None:
    with socket.socket() as taken:  # bound, not listening: refused at once
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        said = refusal(f"http://ann:{SECRET}@{place}/model?sig={SECRET}", "1" * 64, cache)
    assert f"http://{place}/model cannot be used (ClientConnectorError, Connection refused)" in said


def test_a_failure_in_the_middle_leaves_nothing(web: Web, origin: Path, cache: Path) -> None:
    web.refuse = lambda path: 500 if path.endswith("model.safetensors") else None
    refusal(f"{web.url}/model", read_manifest(origin).hash, cache)


def test_what_a_killed_process_left_is_no_cache_and_goes_in_time(web: Web, origin: Path, cache: Path) -> None:
    old, new = cache / ".partial-old", cache / ".partial-new"
    for left in (old, new):
        shutil.copytree(origin, left)
    os.utime(old, (0, 0))
    registered = read_manifest(origin).hash
    fetched(f"{web.url}/model", registered, cache)
    assert {path.name for path in cache.iterdir()} == {registered, ".partial-new"}


@pytest.mark.parametrize("damaged", [False, True])
def test_two_may_fetch_at_once(web: Web, origin: Path, cache: Path, damaged: bool) -> None:
    registered = read_manifest(origin).hash
    if damaged:
        (cache / registered).mkdir(parents=True)
    both = Barrier(2)

    def meet(path: str) -> None:
        if path.endswith("model.safetensors"):
            both.wait(60)

    web.refuse = meet
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: fetched(f"{web.url}/model", registered, cache), range(2)))
    assert folders == [cache / registered] * 2
    assert [path.name for path in cache.iterdir()] == [registered]
    verify(cache / registered, registered)


def test_a_home_that_cannot_be_written(web: Web, origin: Path, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file in the way")  # permissions would not stop root
    with pytest.raises(CheckpointError, match=f"cannot write the cache of models {cache}: .*; set TWEETSPAN_HOME"):
        fetched(f"{web.url}/model", read_manifest(origin).hash, cache)


def test_an_upload_is_complete_and_can_be_fetched(memory: str, origin: Path, cache: Path, tmp_path: Path) -> None:
    registered = read_manifest(origin).hash
    upload(origin.as_uri(), registered, memory, home_of(cache))
    assert verify(fetched(memory, registered, tmp_path / "other")) == verify(origin)
    upload(origin.as_uri(), registered, memory, home_of(cache))  # it is there, and only checked
    upload(memory, registered, (tmp_path / "mount" / "2").as_uri(), home_of(cache))
    verify(tmp_path / "mount" / "2", registered)


def test_the_manifest_is_uploaded_last(memory: str, origin: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put: list[str] = []
    whole = artifacts.RemoteFolder.put
    monkeypatch.setattr(
        artifacts.RemoteFolder, "put", lambda self, file, progress: [put.append(file.name), whole(self, file, progress)]
    )
    upload(origin.as_uri(), read_manifest(origin).hash, memory, home_of(cache))
    assert put == ["config.json", "model.safetensors", MANIFEST_NAME]


def test_another_model_is_not_overwritten(memory: str, origin: Path, cache: Path) -> None:
    upload(origin.as_uri(), read_manifest(origin).hash, memory, home_of(cache))
    before = read_manifest(origin).hash
    (origin / "config.json").write_text('{"x": 1}')
    other = write_manifest(origin, "tiny", ("O",), 64).hash
    with pytest.raises(CheckpointError, match=f"{memory} holds another model, with hash {before[:12]}…; name a folder"):
        upload(origin.as_uri(), other, memory, home_of(cache))
    fetched(memory, before, cache)


def test_an_upload_over_something_else_names_it(memory: str, origin: Path, cache: Path) -> None:
    fsspec.filesystem("memory").pipe(f"{memory}/{MANIFEST_NAME}", b"<html>")
    with pytest.raises(CheckpointError, match=f"{memory}/{MANIFEST_NAME} cannot be read"):
        upload(origin.as_uri(), read_manifest(origin).hash, memory, home_of(cache))


def test_what_arrives_otherwise_is_noticed(
    memory: str, origin: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = artifacts.RemoteFolder.put

    def cut(self: artifacts.RemoteFolder, file: Path, progress: artifacts.Progress) -> None:
        whole(self, file, progress)
        if file.name == "model.safetensors":
            fsspec.filesystem("memory").pipe("/models/1/model.safetensors", b"cut")

    monkeypatch.setattr(artifacts.RemoteFolder, "put", cut)
    with pytest.raises(CheckpointError, match=f"{memory}/model.safetensors differs"):
        upload(origin.as_uri(), read_manifest(origin).hash, memory, home_of(cache))


def test_a_damaged_model_is_not_uploaded(memory: str, origin: Path, cache: Path) -> None:
    registered = read_manifest(origin).hash
    (origin / "config.json").write_text("damaged")
    with pytest.raises(CheckpointError, match=r"config\.json differs"):
        upload(origin.as_uri(), registered, memory, home_of(cache))
    assert not fsspec.filesystem("memory").store


def test_a_web_server_is_not_written_but_may_hold_it_already(web: Web, origin: Path, cache: Path) -> None:
    registered = read_manifest(origin).hash
    upload(origin.as_uri(), registered, f"{web.url}/model", home_of(cache))
    assert (cache / registered).is_dir()
    with pytest.raises(CheckpointError, match=f"{web.url}/2 does not hold this version, and a web server cannot be"):
        upload(origin.as_uri(), registered, f"{web.url}/2", home_of(cache))


@pytest.mark.parametrize("uri", [f"s3://key:{SECRET}@bucket/1", f"https://models.example/1?sig={SECRET}"])
def test_a_uri_with_a_secret_is_not_kept(origin: Path, cache: Path, uri: str) -> None:
    with pytest.raises(CheckpointError, match="would be kept in the database; leave it out") as caught:
        upload(origin.as_uri(), read_manifest(origin).hash, uri, home_of(cache))
    assert SECRET not in str(caught.value)
