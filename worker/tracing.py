"""OpenTelemetry traces from enqueue to finish, where the library is installed; where it is not, nothing happens.

What queues a job leaves its traceparent (W3C Trace Context) with the job, and each worker that tags a batch of it goes
on from there. OpenTelemetry's own environment variables say where traces are sent; a program that has set up a tracer
provider of its own keeps it.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import Lock

from celery.signals import worker_process_shutdown

from db.ledger import Claim
from settings import read_settings

try:
    from opentelemetry import propagate, trace

    IS_INSTALLED = True
except ImportError:
    IS_INSTALLED = False

log = logging.getLogger(__name__)

_SENDING = Lock()


@contextmanager
def span(name: str, traceparent: str | None = None, /, **attributes: str | int) -> Iterator[None]:
    """Trace what is done meanwhile, as a part of what is traced already, or of another process's trace."""
    if not IS_INSTALLED:
        yield
        return
    with _SENDING:  # the explorer traces in many threads
        _send()
    context = propagate.extract({"traceparent": traceparent}) if traceparent else None
    told = {f"tweetspan.{key}": value for key, value in attributes.items()}
    tracer = trace.get_tracer("tweetspan")
    with tracer.start_as_current_span(
        name, context, attributes=told, record_exception=False, set_status_on_exception=False
    ):
        try:
            yield
        except Exception as error:
            failed(error)
            raise


def failed(error: Exception) -> None:
    """Say of what is being traced that it failed, by the kind of the error alone: it may quote a tweet."""
    if IS_INSTALLED and trace.get_current_span().is_recording():  # a batch's has ended when storing it fails
        trace.get_current_span().set_status(trace.StatusCode.ERROR, type(error).__name__)


def annotating(claimed: Claim) -> AbstractContextManager[None]:
    """Trace the work on a batch, as a part of what queued its job."""
    facts = {"job": claimed.job_id, "batch": claimed.batch_id, "attempt": claimed.attempt}
    return span("annotate", claimed.traceparent, **facts, version=claimed.model_version_id)


def current() -> str | None:
    """Return the traceparent of what is being traced, None if nothing is."""
    carrier: dict[str, str] = {}
    if IS_INSTALLED:
        propagate.inject(carrier)
    return carrier.get("traceparent")


@cache
def _send() -> None:
    """Have traces sent from this process, if a collector is named and OpenTelemetry's SDK and exporter are there."""
    if not read_settings().sends_traces:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 (not light)
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        log.warning("no traces are sent: %s; install 'tweetspan[tracing]'", error)
        return
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return  # somebody has set up another
    resource = Resource({"service.name": "tweetspan"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    worker_process_shutdown.connect(lambda **_: provider.shutdown(), weak=False)  # a child of Celery's runs no atexit
