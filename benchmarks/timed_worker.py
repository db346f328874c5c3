"""A worker that tells how long it tagged: the product's own, but for a clock around the tagger, or an instant tagger.

`celery -A benchmarks.timed_worker worker`, put in place as `benchmarks.delivery.fake_worker` is. TIMED_FILE takes a
line of CPU seconds for each batch; TIMED_INSTANT has the tagger replaced; TIMED_WITHOUT names what is not stored.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from benchmarks.delivery.replaced import real_active_model, replace_active_model
from benchmarks.many_tweets import InstantTagger
from db import counts, fulltext
from db.session import Database
from settings import Settings
from tagging.spans import Span
from worker import collector
from worker.app import app
from worker.behind import THREAD
from worker.reading import Tags


class TimedTagger:
    """Answers as another tagger does, and writes down the CPU time of this process meanwhile, all threads included but
    the one that stores the batch before."""

    def __init__(self, tagger: Tags, file: Path) -> None:
        self.tagger, self.file = tagger, file

    def tag(self, texts: Sequence[str], progress: Callable[[], None]) -> list[list[Span]]:
        """Return the spans of each text."""
        start = _spent()
        found = self.tagger.tag(texts, progress)
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(f"{_spent() - start}\n")
        return found


def _spent() -> float:
    storing = [one.ident for one in threading.enumerate() if one.name.startswith(THREAD) and one.ident]
    clocks = map(time.pthread_getcpuclockid, storing)
    return time.process_time() - sum(map(time.clock_gettime, clocks))


def tagger_for(database: Database, version_id: int, settings: Settings) -> Tags:
    """Return the tagger of a version, with its clock."""
    if os.environ.get("TIMED_INSTANT"):
        tagger: Tags = _instant()
    else:
        tagger = real_active_model().tagger_for(database, version_id, settings)
    return TimedTagger(tagger, Path(os.environ["TIMED_FILE"]))


@cache
def _instant() -> InstantTagger:
    collector.settle()  # as where a model is loaded
    return InstantTagger()


for _name, _module in (("words", fulltext), ("counts", counts)):
    if _name in os.environ.get("TIMED_WITHOUT", ""):
        _module.add = lambda *_: None  # type: ignore[attr-defined]
replace_active_model(tagger_for)
app.conf.imports = [__name__]
