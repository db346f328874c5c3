"""A real web server on localhost that serves a folder and remembers what was asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


@dataclass
class Web:
    """A running server: its URL, and the paths that were asked for, queries and all."""

    url: str
    asked: list[str] = field(default_factory=list)
    refuse: Callable[[str], int | None] = lambda path: (
        None
    )  # sees each path first; a status is sent instead of the file


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """Serve a folder, without listings, for the time of a block."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, directory=str(folder), **options)

        def do_GET(self) -> None:
            web.asked.append(self.path)
            if status := web.refuse(self.path):
                self.send_error(status)
            else:
                super().do_GET()

        def list_directory(self, path: Any) -> None:
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web = Web(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.05,), name="web")
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()
