"""What a log line looks like, for people and for machines, and which batch it is about."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from db.ledger import Claim

_TEXT = "[%(asctime)s: %(levelname)s/%(processName)s] %(message)s%(about)s"
_EARLY_JSON = '{"level": "%(levelname)s", "process": "%(processName)s", "message": "%(message)s"}'

# Each look, message and result; and whole URLs, whose query may be a signature.
_TALKATIVE = ("alembic", "celery.worker.strategy", "celery.app.trace", "fsspec")

_about: ContextVar[Mapping[str, int]] = ContextVar("about", default={})  # noqa: B039 (it is never changed)


@contextmanager
def about(batch: int, claimed: Claim | None = None) -> Iterator[None]:
    """Say with each line that is logged meanwhile which batch it is about, once it is claimed also of which job, at
    which attempt and for which version."""
    facts = {"batch": batch}
    if claimed is not None:
        facts |= {"job": claimed.job_id, "attempt": claimed.attempt, "version": claimed.model_version_id}
    before = _about.set(facts)
    try:
        yield
    finally:
        _about.reset(before)


def log_to_stderr(log_format: str, level: int | str) -> None:
    """Have this process log from a level on, as text or as json, one object a line; some libraries say less."""
    handler = logging.StreamHandler()
    handler.addFilter(_tell)
    handler.setFormatter(_json() if log_format == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def early_format(log_format: str) -> str:
    """Return the format of what a child of Celery's says before it has set up its logging: plain words."""
    return _EARLY_JSON if log_format == "json" else _TEXT.removesuffix("%(about)s")


def _tell(record: logging.LogRecord) -> bool:
    facts = _about.get()
    told = " ".join(f"{name}={value}" for name, value in facts.items())
    record.__dict__.update(facts, about=f" [{told}]" if told else "")
    return True


def _json() -> JsonFormatter:
    names = {"asctime": "time", "levelname": "level", "name": "logger", "processName": "process"}
    left_out = [*RESERVED_ATTRS, "about", "color_message"]  # uvicorn says the message a second time, for a terminal
    made = JsonFormatter([*names, "message"], rename_fields=names, reserved_attrs=left_out, json_ensure_ascii=False)
    made.default_time_format, made.default_msec_format, made.converter = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ", time.gmtime
    return made
