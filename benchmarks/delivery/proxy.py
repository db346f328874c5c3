"""The network between the processes and the servers: TCP links that can be cut, slowed down and held.

Each client has a link of its own to each server, so that one worker can be disturbed while the others work.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST, as a cable pulled out ends


class Link:
    """A port on localhost that leads to a server's Unix socket. Methods may be called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, upstream: Path) -> None:
        self.port = 0
        self._loop = loop
        self._upstream = upstream
        self._latency = 0.0
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Close every connection abruptly; new ones are served."""
        self._do(self._abort)

    def delay(self, seconds: float) -> None:
        """Let each piece of data wait so long; 0 ends it."""
        self._latency = seconds

    def hold(self) -> None:
        """Become a black hole: connections are accepted and kept, and nothing is passed on."""
        self._do(self._open.clear)

    def release(self) -> None:
        """Pass on what was held, and everything from now on."""
        self._do(self._open.set)

    async def listen(self) -> asyncio.Server:
        """Open the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def close_now(self) -> None:
        """Let every connection end; to be called in the loop's thread."""
        self._open.set()
        self._abort()

    def _do(self, action: Callable[[], None]) -> None:
        asyncio.run_coroutine_threadsafe(_called(action), self._loop).result()

    def _abort(self) -> None:
        for writer in list(self._writers):
            with contextlib.suppress(OSError):  # it may be closed already
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._kept(writer), contextlib.suppress(OSError):
            await self._open.wait()
            server_reader, server_writer = await asyncio.open_unix_connection(self._upstream)
            with self._kept(server_writer):
                one_ends = [
                    asyncio.ensure_future(self._pump(reader, server_writer)),
                    asyncio.ensure_future(self._pump(server_reader, writer)),
                ]
                await asyncio.wait(one_ends, return_when=asyncio.FIRST_COMPLETED)
                for pump in one_ends:
                    pump.cancel()
                await asyncio.gather(*one_ends, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            await asyncio.sleep(self._latency)
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        await self._open.wait()  # a black hole does not pass on the end either

    @contextmanager
    def _kept(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.close()


async def _called(action: Callable[[], None]) -> None:
    action()


class Network:
    """All links, served by one thread."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()

    def link(self, upstream: Path) -> Link:
        """Open a new link to the server behind a Unix socket, which need not run yet."""
        link = Link(self._loop, upstream)
        self._servers.append(self._run(link.listen()))
        self.links.append(link)
        return link

    def close(self) -> None:
        """Cut everything and close the ports."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for link in self.links:
            link.close_now()
        served = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*served, return_exceptions=True)
