"""TLS for the tests: what stands in front of a server that knows none."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import trustme


@contextmanager
def tls_in_front_of(port: int, certificate: trustme.LeafCert) -> Iterator[int]:
    """Yield a port of 127.0.0.1 that speaks TLS with the certificate and passes all on to another port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    for task in (relays := asyncio.all_tasks(loop)):
        task.cancel()
    if relays:
        loop.run_until_complete(asyncio.wait(relays))
    loop.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while content := await reader.read(65536):
            writer.write(content)
            await writer.drain()
    except OSError:  # one side is gone
        pass
    finally:
        writer.close()
