"""Tag texts while somebody waits: one model in the process, one request at a time, the others in a short queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from answers.min_scores import MinScores, known
from db import model_versions
from explorer.service import Service
from tagging.errors import BusyError
from tagging.spans import Span

_PLACES = BoundedSemaphore(5)  # of requests, the one that is tagged among them; the rest of the threads answer pages
_TURN = Lock()
_PATIENCE = 30.0  # seconds, in which a model is loaded


def tag(service: Service, texts: Sequence[str], model: str, min_score: MinScores) -> tuple[int, list[list[Span]]]:
    """Return the version, which is loaded at the first request, and the spans of each text.

    Raises BusyError if many wait, ModelVersionError, QueryError for a label that no version has, and as
    `worker.active_model.tagger_for` and `tagging.tagger.Tagger.tag` do.
    """
    from worker.active_model import tagger_for  # noqa: PLC0415 (pages need no torch)

    with service.reading() as session:
        version_id = model_versions.find(session, model).id
        otherwise, by_label = known(session, min_score)
    with _turn():
        found = tagger_for(service.database, version_id, service.settings).tag(texts)
    return version_id, [[one for one in spans if one.score >= by_label.get(one.label, otherwise)] for spans in found]


@contextmanager
def _turn() -> Iterator[None]:
    if not _PLACES.acquire(blocking=False):
        raise BusyError("many texts are waiting to be tagged; send them again in a few seconds, or enqueue them")
    try:
        if not _TURN.acquire(timeout=_PATIENCE):
            raise BusyError(f"no turn came in {_PATIENCE:g} s; send the texts again in a few seconds, or enqueue them")
        try:
            yield
        finally:
            _TURN.release()
    finally:
        _PLACES.release()
