"""A folder behind a URI: files are fetched and put by name, through whichever driver of fsspec speaks its scheme.

No listing is ever asked for, so that a plain web server will do. No message holds a secret: neither the user and
password of a URI, nor its query (a signed URL), nor what a driver says, since that may quote both.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from fsspec.callbacks import Callback
from fsspec.core import url_to_fs

from tagging.errors import ArtifactMissingError, CheckpointError

_WEB = ("http", "https")
# Of a silent server we know before a lease runs out; a whole file may take as long as it moves.
_PATIENCE = aiohttp.ClientTimeout(total=None, connect=10, sock_read=20)
_WEB_CLIENT = {"timeout": _PATIENCE, "trust_env": True}  # proxies, and passwords from ~/.netrc

Progress = Callable[[int, int | None], object]  # called between blocks: bytes of this file moved so far, and its size


def silent(moved: int, size: int | None) -> None:
    """Show no progress."""


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI. Raises CheckpointError if there is none, or several ("simplecache::s3://...")."""
    scheme, mark, _ = uri.partition("://")
    if not mark or not scheme.replace("+", "").isalnum():
        raise CheckpointError("a model's place must be one URI; write s3://BUCKET/FOLDER or file:///FOLDER")
    return scheme.lower()


def shown(uri: str) -> str:
    """Return a URI without what may be secret: its user, password, query and fragment."""
    scheme, _, rest = uri.partition("://")
    end = min((rest.index(mark) for mark in "?#" if mark in rest), default=len(rest))
    if "@" in rest[end:]:  # perhaps the mark is part of a password
        return f"{scheme}://…"
    return f"{scheme}://{rest[:end].rpartition('@')[2]}"


class RemoteFolder:
    """A folder behind a URI. Every failure is a CheckpointError that names the URI and the next step.

    Raises CheckpointError if no driver for the scheme is installed.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.scheme = scheme_of(uri)
        options: dict[str, Any] = {"skip_instance_cache": True}  # connections end with this object
        if self.scheme in _WEB:
            options["client_kwargs"] = _WEB_CLIENT
        elif self.scheme == "file":
            options["auto_mkdir"] = True
        with self._failures_told():
            self._files, self._folder = url_to_fs(uri, **options)

    def get(self, name: str, into: Path, progress: Progress = silent) -> None:
        """Fetch one file into a local folder. Raises ArtifactMissingError if it is not there or access is refused."""
        with self._failures_told():
            self._files.get_file(self._path(name), str(into / name), callback=_callback(progress))

    def put(self, file: Path, progress: Progress = silent) -> None:
        """Put a local file here under its own name, over one that is there."""
        if self.scheme in _WEB:
            raise CheckpointError(
                f"{shown(self.uri)} does not hold this version, and a web server cannot be written; copy the version's "
                "folder there by other means, then run `tweetspan models upload` again"
            )
        with self._failures_told():
            self._files.put_file(str(file), self._path(file.name), callback=_callback(progress))

    def _path(self, name: str) -> str:
        folder, mark, query = self._folder.partition("?")  # a signature holds for all files of a folder
        return f"{folder.rstrip('/')}/{name}{mark}{query}"

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # whatever a driver raises; `from None`, since its own words may hold secrets
            raise _told(self.uri, error) from None


def _told(uri: str, error: Exception) -> CheckpointError:
    scheme, place = scheme_of(uri), shown(uri)
    if isinstance(error, ImportError):  # the text is fsspec's own and constant
        return CheckpointError(f"no driver for {scheme}:// is installed: {error}; for s3:// run `pip install s3fs`")
    if isinstance(error, ValueError) and str(error).startswith("Protocol not known"):
        return CheckpointError(f"{scheme}:// is no scheme that fsspec knows; use file://, s3:// or https://")
    if isinstance(error, FileNotFoundError):
        return ArtifactMissingError(
            f"nothing is found at {place}; check it and its bucket, or run `tweetspan models upload`"
        )
    if isinstance(error, PermissionError) or _status(error) in (401, 403):
        return ArtifactMissingError(
            f"{place} refuses access ({_kind(error)}); set the credentials that the driver reads, for s3:// "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return CheckpointError(
        f"{place} cannot be used ({_kind(error)}); check the host, the network, the credentials and the disk"
    )


def _kind(error: Exception) -> str:
    """Name an error without its own words."""
    kind = type(error).__name__
    if status := _status(error):
        return f"{kind}, status {status}"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return f"{kind}, {os.strerror(error.errno)}"
    return kind


def _status(error: Exception) -> int | None:
    return error.status if isinstance(error, aiohttp.ClientResponseError) else None


def _callback(progress: Progress) -> Callback:
    return Callback(hooks={"progress": lambda size, value, **_: progress(value, size)})
