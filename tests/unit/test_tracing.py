"""Traces: what they tell, what they keep to themselves, and that nothing happens without the library."""

from collections.abc import Sequence
from contextvars import copy_context

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from db.ledger import Claim
from worker import tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CLAIM = Claim(17, 3, "token", 2, [1, 2], attempt=1, is_child=False, traceparent=PARENT)


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is traced meanwhile, by a provider that a program has set up."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing.trace, "get_tracer", provider.get_tracer)
    return exporter


def told(span: ReadableSpan) -> Sequence[object]:
    return [(span.attributes or {}).get(f"tweetspan.{name}") for name in ("job", "batch", "attempt", "version")]


def test_a_batch_goes_on_with_the_trace_of_its_job(exporter: InMemorySpanExporter) -> None:
    with tracing.annotating(CLAIM), tracing.span("read"):
        assert (tracing.current() or "").startswith("00-0af7651916cd43dd8448eb211c80319c-")
    read, annotate = exporter.get_finished_spans()
    assert annotate.parent is not None
    assert annotate.parent.span_id == 0xB7AD6B7169203331
    assert read.parent is not None
    assert read.parent.span_id == annotate.get_span_context().span_id
    assert told(annotate) == [3, 17, 1, 2]


def test_an_error_is_named_by_its_kind_alone(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="a secret text"), tracing.span("tag"):
        raise ValueError("a secret text")
    (span,) = exporter.get_finished_spans()
    assert span.status.description == "ValueError"
    assert "secret" not in span.to_json()


def test_an_error_that_was_dealt_with_is_told_too(exporter: InMemorySpanExporter) -> None:
    with tracing.annotating(CLAIM):
        tracing.failed(ValueError("a secret text"))
    (span,) = exporter.get_finished_spans()
    assert (span.status.is_ok, span.status.description) == (False, "ValueError")


def test_an_error_behind_the_trace_of_its_batch_is_passed_over(
    exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    """The batch is stored by a thread when its trace has ended; the part that failed tells of itself."""
    with tracing.annotating(CLAIM):
        context = copy_context()
    context.run(tracing.failed, ValueError("a secret text"))
    (span,) = exporter.get_finished_spans()
    assert span.status.is_unset
    assert caplog.text == ""


def test_what_is_no_traceparent_begins_a_trace(exporter: InMemorySpanExporter) -> None:
    with tracing.span("annotate", "no traceparent"):
        pass
    (span,) = exporter.get_finished_spans()
    assert span.parent is None


def test_nothing_happens_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "IS_INSTALLED", False)
    monkeypatch.delattr(tracing, "trace")
    monkeypatch.delattr(tracing, "propagate")
    with tracing.annotating(CLAIM):
        assert tracing.current() is None
