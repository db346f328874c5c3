"""Where an export goes: a file, a pipe or a terminal."""

from __future__ import annotations

import errno
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from answers.wording import clean
from tagging.errors import ExportError

if TYPE_CHECKING:
    from commands.export.formats import Provenance, Sink

STANDARD_OUTPUT = "-"


@contextmanager
def opened_output(path: str, is_binary: bool) -> Iterator[Sink]:
    """Open what `--output` names. Raises ExportError where it cannot be opened or written, such as on a full disk."""
    try:
        if path != STANDARD_OUTPUT:
            _provenance_file(path).unlink(missing_ok=True)  # of an earlier export, it would belie this one
            with Path(path).open("wb") as file:
                yield file
        elif shown_on_terminal(path):
            yield _terminal(is_binary)
        else:
            yield sys.stdout.buffer
            sys.stdout.flush()
    except OSError as error:
        raise _explained(error, "standard output" if path == STANDARD_OUTPUT else path) from error


def shown_on_terminal(path: str) -> bool:
    """Tell whether what is written there is seen at once."""
    return path == STANDARD_OUTPUT and sys.stdout.isatty()


def write_provenance(path: str, provenance: Provenance) -> None:
    """Write the provenance beside a file that is whole; nothing where the output is no regular file."""
    if path == STANDARD_OUTPUT or not Path(path).is_file():
        return
    beside = _provenance_file(path)
    try:
        beside.write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise _explained(error, str(beside)) from error


def _provenance_file(path: str) -> Path:
    return Path(f"{path}.provenance.json")


def _explained(error: OSError, name: str) -> OSError | ExportError:
    if error.errno == errno.EPIPE:  # whoever read has seen enough, which is no error
        return error
    return ExportError(f"cannot write {name}: {error.strerror}; see to the path and the space there")


def _terminal(is_binary: bool) -> Sink:
    if is_binary:
        raise ExportError("this format is binary and cannot be shown on a terminal; give --output FILE")
    return _Terminal()


class _Terminal:
    """Shows text, cleaned of what could steer the terminal."""

    def write(self, data: bytes, /) -> Any:
        parts = re.split(r"([\n\t])", data.decode())
        click.echo("".join(part if part in ("\n", "\t") else clean(part) for part in parts), nl=False)
