"""Where a version's model lies, and how it gets to this machine and away from it.

A file:// folder is used in place, or the one of the same hash in this home, to which a backup may have been restored.
Any other is fetched into a cache, into a folder named after the hash: the manifest first, whose hash must be the
registered one, then exactly the files it names.
"""

import errno
import logging
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from settings import Settings
from tagging.checkpoint import MANIFEST_NAME, is_safe_name, read_manifest, verify
from tagging.errors import ArtifactMissingError, CheckpointError
from worker.remote_folder import Progress, RemoteFolder, scheme_of, shown, silent

_HASH = re.compile("[0-9a-f]{64}")
_PARTIAL = ".partial-"
_ABANDONED = 24 * 3600.0  # seconds after which a partial folder is that of a process that was killed

log = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")


def load_artifact(
    uri: str, expected_hash: str, settings: Settings, load: Callable[[Path], Loaded], progress: Progress = silent
) -> Loaded:
    """Return what `load` makes of a model's folder, which is fetched into the cache if it is not on this machine.

    `load` checks the folder against the hash (CheckpointError): a cached one that it refuses is fetched again, once.
    Raises CheckpointError if the model is not there, not the registered one, or the cache cannot be written.
    """
    if scheme_of(uri) == "file":
        return load(_folder_here(uri, settings.model_folder(expected_hash)))
    folder = _cached(settings.model_cache, expected_hash)
    if folder.is_dir():
        try:
            return load(folder)
        except CheckpointError as error:
            log.warning("the cached model is damaged and fetched again: %s", error)
            _remove(folder)
    _fetch(uri, expected_hash, folder, progress)
    return load(folder)


def upload(source: str, expected_hash: str, target: str, settings: Settings, progress: Progress = silent) -> None:
    """Copy a model from one URI to another, the manifest last, and read it back as a worker would.

    What lies there already is only checked. Raises CheckpointError if another model lies there, if the target cannot
    be written, or if something else arrived; and for a URI with a secret in it, since it is kept in the database.
    """
    _require_no_secret(target)
    remote = RemoteFolder(target)
    if not _holds(remote, expected_hash):
        folder = load_artifact(
            source, expected_hash, settings, lambda folder: _checked(folder, expected_hash), progress
        )
        for name in [*read_manifest(folder).files, MANIFEST_NAME]:
            remote.put(folder / name, progress)
    if remote.scheme == "file":
        _checked(_folder_here(target), expected_hash)
    else:
        _fetch(target, expected_hash, _cached(settings.model_cache, expected_hash), progress)


def _folder_here(uri: str, restored: Path | None = None) -> Path:
    folder = Path(unquote(urlsplit(uri).path))
    is_here = os.path.isdir(folder)  # noqa: PTH112 (a Path raises where somebody else's home may not be looked into)
    if not is_here and restored and restored.is_dir():
        return restored
    if not is_here:
        raise CheckpointError(
            f"the model's folder {folder} is not on this machine; run `tweetspan models upload VERSION URI` on the one "
            "that trained it, or mount the folder here"
        )
    return folder


def _cached(cache: Path, expected_hash: str) -> Path:
    if not _HASH.fullmatch(expected_hash):
        raise CheckpointError(f"the registered hash {expected_hash[:64]!r} is no SHA-256; train the version again")
    return cache / expected_hash


def _fetch(uri: str, expected_hash: str, folder: Path, progress: Progress) -> None:
    """Fetch a model beside the folder, check it, and rename it: there is a whole folder or none."""
    remote = RemoteFolder(uri)
    log.info("fetching the model from %s", shown(uri))
    with _partial_beside(folder) as partial, _named(uri, partial):
        remote.get(MANIFEST_NAME, partial, progress)
        for name in read_manifest(partial, expected_hash).files:
            if not is_safe_name(name):
                raise CheckpointError(f"{shown(uri)} names the file {name!r}, which is refused; retrain the version")
            remote.get(name, partial, progress)
        verify(partial, expected_hash)
        _put_in_place(partial, folder)


def _checked(folder: Path, expected_hash: str) -> Path:
    verify(folder, expected_hash)
    return folder


def _holds(remote: RemoteFolder, expected_hash: str) -> bool:
    """Tell whether a model lies there. Raises CheckpointError if it is another one."""
    with tempfile.TemporaryDirectory() as made, _named(remote.uri, Path(made)):
        try:
            remote.get(MANIFEST_NAME, Path(made))
        except ArtifactMissingError:
            return False
        there = read_manifest(Path(made)).hash
    if there != expected_hash:
        raise CheckpointError(
            f"{shown(remote.uri)} holds another model, with hash {there[:12]}…; name a folder of its own"
        )
    return True


def _require_no_secret(uri: str) -> None:
    scheme_of(uri)
    if shown(uri) != uri:
        raise CheckpointError(
            f"the URI of {shown(uri)} holds a user, a password or a signature and would be kept in the database; leave "
            "it out and use the driver's environment, for s3:// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )


@contextmanager
def _partial_beside(folder: Path) -> Iterator[Path]:
    partial = folder.with_name(f"{_PARTIAL}{uuid.uuid4().hex}")
    with _writable(folder.parent):
        partial.mkdir(parents=True)
    _sweep(folder.parent)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _named(uri: str, temporary: Path) -> Iterator[None]:
    """Let errors name the URI, not the folder that is about to vanish."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(str(error).replace(str(temporary), shown(uri))) from None


def _put_in_place(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError as error:  # another worker was faster, with the same files
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _remove(folder: Path) -> None:
    """Remove a cached model; renamed first, so that no other worker sees half of it."""
    aside = folder.with_name(f"{_PARTIAL}{uuid.uuid4().hex}")
    with _writable(folder.parent), suppress(FileNotFoundError):  # another worker may have removed it
        folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _sweep(cache: Path) -> None:
    for left in cache.glob(f"{_PARTIAL}*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _writable(cache: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CheckpointError(
            f"cannot write the cache of models {cache}: {error.strerror}; set TWEETSPAN_HOME to a folder that can be "
            "written, or keep the models on a shared mount (file://)"
        ) from error
