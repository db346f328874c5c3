"""Run the explorer until it is told to stop."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
from collections.abc import Sequence
from contextlib import suppress

import uvicorn

from explorer.access import Access, is_strong
from explorer.app import create_app
from explorer.service import Service
from tagging.errors import AccessError, SettingsError

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # of glibc's malloc.h
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


def serve(service: Service, names: Sequence[str], listener: socket.socket) -> None:
    """Answer who asks at a listener, under these host names."""
    _share_memory()
    config = uvicorn.Config(create_app(service, names), log_config=None, server_header=False)  # it logs as we do
    with suppress(KeyboardInterrupt):  # it has ended in good order by then
        uvicorn.Server(config).run([listener])


def listen(host: str, port: int) -> socket.socket:
    """Begin to listen. Raises SettingsError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise SettingsError(f"cannot listen at {host}, port {port}: {why}; give another --port or --host") from None


def access_for(host: str, token: str | None) -> Access:
    """Decide who may do what: other machines need the token, also for reading.

    Raises AccessError if it is to listen to other machines without a token, or with one that is easily guessed.
    """
    is_local = _is_local(host)
    if token is None and not is_local:
        raise AccessError(f"{host} can be reached from other machines; give a token as well: --token-file FILE")
    if token is not None and not is_strong(token):
        raise AccessError(
            "the token is easily guessed, or no header can hold it; give 16 or more letters and digits, such as "
            "`openssl rand -hex 16` makes"
        )
    return Access(token, is_closed=not is_local)


def host_names(host: str, names: Sequence[str]) -> list[str]:
    """Return the names under which requests are answered: of this machine, or any where it listens to others."""
    return [*_LOCAL, *names] if _is_local(host) else list(names) or ["*"]


def _share_memory() -> None:
    """Have all threads take memory from two arenas, and large pieces from the system, to which they go back.

    By itself glibc makes eight arenas for each core and soon takes pieces of up to 32 MB, the matrices of stories, from
    these. What is left in each of them, here and there, keeps the rest: the process would grow for hours.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, 2)
        library.mallopt(_MMAP_THRESHOLD, 2**20)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
