"""Read the texts of a batch; what the tagger cannot read is put aside with the reason."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tagging.errors import PoisonTweetError
from tagging.spans import Span


class Tags(Protocol):
    """What can tag: a Tagger, or a fake in tests."""

    def tag(self, texts: Sequence[str], progress: Callable[[], None]) -> list[list[Span]]:
        """Return the spans of each text, calling `progress` on the way."""


@dataclass(frozen=True)
class Reading:
    """What a tagger found, by tweet id: texts with their spans, and why others could not be read."""

    answers: Mapping[int, tuple[str, Sequence[Span]]]
    poison: Mapping[int, str]
    seconds: float  # that the tagger took


def read(tagger: Tags, texts: Mapping[int, str], progress: Callable[[], None]) -> Reading:
    """Tag all texts, given by tweet id, but those that the tagger names as poison."""
    began = time.monotonic()
    remaining, poison = dict(texts), dict[int, str]()
    while True:
        ids = list(remaining)
        try:
            found = tagger.tag([remaining[tweet_id] for tweet_id in ids], progress) if ids else []
        except PoisonTweetError as error:
            poison |= {ids[index]: why for index, why in error.reasons.items()}
            remaining = {tweet_id: text for tweet_id, text in remaining.items() if tweet_id not in poison}
        else:
            answers = {tweet_id: (remaining[tweet_id], spans) for tweet_id, spans in zip(ids, found, strict=True)}
            return Reading(answers, poison, time.monotonic() - began)
