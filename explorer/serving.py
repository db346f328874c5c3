"""Run the explorer until it is told to stop."""

from __future__ import annotations

import ctypes
import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from explorer.access import Access, is_strong
from explorer.app import create_app
from explorer.service import Service
from tagging.errors import AccessError

if TYPE_CHECKING:
    from db.session import Database
    from settings import Settings

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # of glibc's malloc.h
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


def serve(
    settings: Settings, database: Database, host: str, port: int, token: str | None, names: Sequence[str]
) -> None:
    """Listen at a host and port. `names` are host names, beside the host itself, under which it may be asked.

    Raises AccessError if it is to listen to other machines without a token, or with one that is easily guessed.
    """
    _share_memory()
    access = access_for(host, token)
    app = create_app(Service(database, settings, access), host_names(host, names))
    uvicorn.run(app, host=host, port=port, log_config=None, server_header=False)  # it logs where this process does


def access_for(host: str, token: str | None) -> Access:
    """Decide who may do what: other machines need the token, also for reading. Raises AccessError as `serve` does."""
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
