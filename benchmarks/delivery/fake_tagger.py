"""A tagger that needs no network: its answers depend on text and version alone, so that any process gives the same.

Texts may hold a marker: a poison text is refused by name, a killer text takes the process with it, a long one takes
more time than a lease.
"""

import logging
import os
import re
import signal
import time
import zlib
from collections.abc import Callable, Sequence

from tagging.errors import PoisonTweetError
from tagging.spans import Span
from worker.reading import Tags

POISON, KILLER, LONG = "[poison]", "[killer]", "[long]"
LABELS = ("PER", "ORG", "LOC")

_NAME = re.compile(r"[A-Z]\w*(?: [A-Z]\w*)*")
_NUMBER = re.compile(r"#(\d+)")  # each text ends in the number of its tweet
_SLICE = 0.05  # seconds between two signs of progress

log = logging.getLogger(__name__)


def find_spans(text: str, version_id: int) -> list[Span]:
    """Find runs of capitalised words; label and score come from a hash of the words and the version."""
    return [_span(found, zlib.crc32(f"{version_id} {found.group()}".encode())) for found in _NAME.finditer(text)]


def _span(found: re.Match[str], number: int) -> Span:
    return Span(found.start(), found.end(), LABELS[number % len(LABELS)], 0.5 + number % 1000 / 2000)


class FakeTagger:
    """Answers as `find_spans` does."""

    def __init__(self, version_id: int) -> None:
        self.version_id = version_id

    def tag(self, texts: Sequence[str], progress: Callable[[], None] | None = None) -> list[list[Span]]:
        """Return the spans of each text."""
        return [find_spans(text, self.version_id) for text in texts]


class UndisturbedTagger:
    """Answers as another tagger does; a text with a marker is refused by name. For the process nobody disturbs."""

    def __init__(self, tagger: Tags) -> None:
        self.tagger = tagger

    def tag(self, texts: Sequence[str], progress: Callable[[], None] | None = None) -> list[list[Span]]:
        """Return the spans of each text. Raises PoisonTweetError."""
        _refuse(texts, (POISON, KILLER))
        return self.tagger.tag(texts, progress)


class DisturbedTagger:
    """Answers as another tagger does, slowly enough to be caught with a lease; markers do what they say.

    It logs what `benchmarks.delivery.worker_log` reads. The lease is in seconds.
    """

    def __init__(self, tagger: Tags, lease: float) -> None:
        self.tagger = tagger
        self.lease = lease

    def tag(self, texts: Sequence[str], progress: Callable[[], None] | None = None) -> list[list[Span]]:
        """Return the spans of each text after 0.2 to 1 second. Raises PoisonTweetError, or ends the process."""
        log.info("tagging from tweet %s", tweet_number(texts[0]))
        for text in texts:
            for marker in (POISON, KILLER):
                if marker in text:
                    log.warning("met %s tweet %s", marker, tweet_number(text))
        _refuse(texts, (POISON,))
        _take_time(_seconds(texts, self.lease), progress or (lambda: None))
        if any(KILLER in text for text in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        return self.tagger.tag(texts, progress)


def tweet_number(text: str) -> str:
    """Return the number at the end of a text."""
    found = _NUMBER.search(text)
    assert found is not None, text
    return found.group(1)


def _refuse(texts: Sequence[str], markers: Sequence[str]) -> None:
    refused = [index for index, text in enumerate(texts) if any(marker in text for marker in markers)]
    if refused:
        raise PoisonTweetError(dict.fromkeys(refused, "a text that cannot be tagged"))


def _seconds(texts: Sequence[str], lease: float) -> float:
    if any(LONG in text for text in texts):
        return 1.3 * lease
    return 0.2 + zlib.crc32("".join(texts).encode()) % 1000 / 1250


def _take_time(seconds: float, progress: Callable[[], None]) -> None:
    for _ in range(round(seconds / _SLICE)):
        time.sleep(_SLICE)
        progress()
