"""As many tweets as wanted from a file of real ones, no two alike; and a tagger that takes no time to read them.

Every tweet is one of the file's with the number of its round behind it, an id and a time of its own, a second apart.
Two names stand before it, drawn by Zipf's law from so many that new ones turn up to the end.
"""

import random
import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from benchmarks.enqueue_copy import FIRST_ID, IDS_A_SECOND
from tagging.spans import Span
from worker.tweet_files import Tweet, read_tweets

NAMES = 1_000_000
LABELS = ("PER", "LOC", "ORG")

_START = datetime(2026, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"Name \d+")


def many_tweets(file: Path, count: int) -> Iterator[Tweet]:
    """Repeat a file's tweets until there are `count`."""
    with file.open("rb") as stream:
        originals = [row for row in read_tweets(stream, str(file)) if isinstance(row, Tweet)]
    for number in range(count):
        turn, place = divmod(number, len(originals))
        one = originals[place]
        moment = _START + timedelta(seconds=number)
        yield one._replace(id=FIRST_ID + number * IDS_A_SECOND, text=f"{one.text} {turn}", created_at=moment)


def with_names(tweets: Iterator[Tweet], seed: int = 1) -> Iterator[Tweet]:
    """Put two names before each text."""
    draw = random.Random(seed)
    limits = list(accumulate(1 / rank for rank in range(1, NAMES + 1)))
    for tweet in tweets:
        one, other = (bisect(limits, draw.random() * limits[-1]) + 1 for _ in range(2))
        yield tweet._replace(text=f"Name {one} meets Name {other}: {tweet.text}")


class InstantTagger:
    """Finds the two names."""

    def tag(self, texts: Sequence[str], progress: Callable[[], None]) -> list[list[Span]]:
        """Return the spans of each text."""
        return [[_span(*found.span(), int(found.group()[5:])) for found in _NAME.finditer(text)] for text in texts]


def _span(start: int, end: int, number: int) -> Span:
    return Span(start, end, LABELS[number % len(LABELS)], 0.5 + number % 1000 / 2000)
