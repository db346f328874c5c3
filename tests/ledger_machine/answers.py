"""Tweets whose spans are known: what a version finds in each, whoever reads it. Some are poison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tagging.errors import PoisonTweetError
from tagging.spans import Span

_SPANS = [Span(0, 3, "PER"), Span(10, 13, "PER"), Span(18, 21, "ORG")]


def text(tweet_id: int) -> str:
    return f"Ann meets Bob and Cem, {tweet_id}"


def is_poison(tweet_id: int) -> bool:
    """Whether an error names this tweet, so that it is marked dead and the rest of its batch is stored."""
    return tweet_id % 13 == 0


def answer(tweet_id: int, version_id: int) -> list[Span]:
    """The spans of a tweet: none, one, two or three; another number with the next version."""
    return _SPANS[: (tweet_id + version_id) % 4]


@dataclass(frozen=True)
class KnownTagger:
    """A tagger of one version that gives the known answers."""

    version_id: int

    def tag(self, texts: Sequence[str], progress: Callable[[], None]) -> list[list[Span]]:
        ids = [int(said.rpartition(" ")[2]) for said in texts]
        if poison := {index: "poison" for index, tweet_id in enumerate(ids) if is_poison(tweet_id)}:
            raise PoisonTweetError(poison)
        progress()
        return [answer(tweet_id, self.version_id) for tweet_id in ids]
