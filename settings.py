"""Where tweetspan keeps its things: read once from the environment, then passed down. The only reader of os.environ.

| variable                 | meaning                                             | default                         |
| ------------------------ | --------------------------------------------------- | ------------------------------- |
| `TWEETSPAN_HOME`         | folder of the database, models and embedded Redis   | `~/.tweetspan`                  |
| `TWEETSPAN_DATABASE_URL` | `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME` | `tweetspan.db` in the home |
| `TWEETSPAN_BROKER_URL`   | `redis://`, `rediss://` or `redis+socket://` URL    | the embedded Redis              |
| `TWEETSPAN_DEVICE`       | where workers tag: `auto`, `cpu`, `cuda`, `cuda:N`, `all` (cards) | `auto`            |
| `TWEETSPAN_RUNTIME`      | what computes: `auto`, `torch`, `onnx` (a fast form) | `auto`                         |
| `TWEETSPAN_THREADS`      | threads of each worker on a CPU                     | `OMP_NUM_THREADS`, or the cores |
| `TWEETSPAN_LOG_FORMAT`   | how workers and explorer log: `text`, `json`        | `text`                          |

Where OpenTelemetry is installed, its own `OTEL_EXPORTER_OTLP_ENDPOINT` says where traces go: see docs/operations.md.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tagging.errors import SettingsError

_NUMBER = re.compile("[1-9][0-9]{0,3}")
LOG_FORMATS = ("text", "json")
RUNTIMES = ("auto", "torch", "onnx")
_TRACE_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")  # OpenTelemetry's own
_BROKER_SCHEMES = ("redis://", "rediss://", "redis+socket://")
_DATABASE_SCHEMES = ("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")


@dataclass(frozen=True)
class Settings:
    """The settings. `broker_url` is None where the embedded Redis is to be used."""

    home: Path
    database_url: str
    broker_url: str | None
    device: str = "auto"
    runtime: str = "auto"
    threads: int | None = None  # None: as many as cores
    log_format: str = "text"
    sends_traces: bool = False

    @property
    def single_device(self) -> str:
        """The device of a command that tags by itself: "all" cards are for workers."""
        return "auto" if self.device == "all" else self.device

    @property
    def models_folder(self) -> Path:
        """Folder that holds the model folders of the registered versions."""
        return self.home / "models"

    def model_folder(self, artifact_hash: str) -> Path:
        """Return the folder that a model with this hash has, if it was made or restored here."""
        return self.models_folder / artifact_hash[:16]

    @property
    def reports_folder(self) -> Path:
        """Folder that holds the report of each version that was trained here."""
        return self.home / "reports"

    @property
    def searches_folder(self) -> Path:
        """Folder that holds Optuna's files, one for each search."""
        return self.home / "searches"

    @property
    def model_cache(self) -> Path:
        """Folder of the models that were fetched from elsewhere; it may be removed at any time."""
        return self.home / "cache" / "models"


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from TWEETSPAN_* variables; an empty variable counts as unset.

    Raises SettingsError for a URL whose scheme is not known, and for another value that cannot be used.
    """
    home = Path(environ.get("TWEETSPAN_HOME") or "~/.tweetspan").expanduser().absolute()
    database_url = environ.get("TWEETSPAN_DATABASE_URL") or f"sqlite:///{home / 'tweetspan.db'}"
    broker_url = environ.get("TWEETSPAN_BROKER_URL") or None
    _check_scheme("TWEETSPAN_DATABASE_URL", database_url, _DATABASE_SCHEMES)
    if broker_url is not None:
        _check_scheme("TWEETSPAN_BROKER_URL", broker_url, _BROKER_SCHEMES)
        _check_broker("TWEETSPAN_BROKER_URL", broker_url)
    return Settings(
        home,
        _with_driver(database_url),
        broker_url,
        environ.get("TWEETSPAN_DEVICE") or "auto",
        _one_of(RUNTIMES, "TWEETSPAN_RUNTIME", environ.get("TWEETSPAN_RUNTIME") or "auto"),
        _threads(environ),
        _one_of(LOG_FORMATS, "TWEETSPAN_LOG_FORMAT", environ.get("TWEETSPAN_LOG_FORMAT") or "text"),
        any(environ.get(name) for name in _TRACE_ENDPOINTS),
    )


def changed_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with some variables changed, for a child process."""
    return {**os.environ, **changes}


def apply(settings: Settings) -> None:
    """Write settings into the environment, for this process and its children to read."""
    os.environ["TWEETSPAN_HOME"] = str(settings.home)
    os.environ["TWEETSPAN_DATABASE_URL"] = settings.database_url
    os.environ["TWEETSPAN_BROKER_URL"] = settings.broker_url or ""
    os.environ["TWEETSPAN_DEVICE"] = settings.device
    os.environ["TWEETSPAN_RUNTIME"] = settings.runtime
    os.environ["TWEETSPAN_LOG_FORMAT"] = settings.log_format
    if settings.threads:
        os.environ["TWEETSPAN_THREADS"] = str(settings.threads)
        os.environ["RAYON_NUM_THREADS"] = str(settings.threads)  # read by the tokenizer, in Rust


def _one_of(known: tuple[str, ...], name: str, value: str) -> str:
    if value not in known:
        raise SettingsError(f"{name} is {value!r}; set it to one of {', '.join(known)}")
    return value


def _threads(environ: Mapping[str, str]) -> int | None:
    if number := environ.get("TWEETSPAN_THREADS"):
        if not _NUMBER.fullmatch(number):
            raise SettingsError(f"TWEETSPAN_THREADS is {number!r}; set it to a number above 0, or leave it empty")
        return int(number)
    customary = environ.get("OMP_NUM_THREADS", "")  # what torch heeds, where nobody says otherwise
    return int(customary) if _NUMBER.fullmatch(customary) else None


def _check_scheme(name: str, url: str, schemes: tuple[str, ...]) -> None:
    if not url.startswith(schemes):
        scheme = url.split("://")[0] if "://" in url else "none"  # never the URL: it may hold a password
        raise SettingsError(f"{name} has the scheme {scheme!r}; set it to one of {', '.join(schemes)}")


def _check_broker(name: str, url: str) -> None:
    """Refuse what Celery and Redis' client would read in two ways, or show as a host, a database or an option."""
    try:
        parts = urlsplit(url)
        is_clear = parts.port != 0 and not parts.fragment and ";" not in url and "@" not in parts.path + parts.query
    except ValueError:
        is_clear = False
    if not is_clear:
        raise SettingsError(
            f"{name} cannot be read as a URL; write '/', '@', '#', '?' and ';' in a password as %2F, %40 ..."
        )
    if parts.scheme != "redis+socket" and not re.fullmatch("/?[0-9]*", parts.path):
        raise SettingsError(f"{name} must end in the number of a database, such as /0")
    if not all(option.startswith(("ssl_", "virtual_host")) for option, _ in parse_qsl(parts.query, True)):
        raise SettingsError(f"{name} has an option that is not known; known are ssl_ca_certs and the like")


def _with_driver(url: str) -> str:
    """Name psycopg 3 as the driver, whichever way the PostgreSQL URL was written."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url
