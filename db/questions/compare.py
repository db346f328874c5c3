"""What do two windows, authors, languages or model versions mention more, or less, than each other?"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.entity_lookup import shown_names
from db.filters import Filter
from db.questions.measures import log_likelihood
from db.questions.rates import Counted, mentions_of, most_mentioned
from db.windows import tweets_read
from tagging.errors import QueryError

_CANDIDATES = 1000


@dataclass(frozen=True)
class Contrast:
    """An entity on one side and on the other: its mentions, and the tweets that hold them, of those read.

    `score` is Dunning's log-likelihood, negative where the entity is under-represented on the first side.
    """

    entity_id: int
    shown: str
    label: str
    name: str
    mentions: int
    tweets: int
    tweets_read: int
    other_mentions: int
    other_tweets: int
    other_tweets_read: int
    score: float

    @property
    def rate(self) -> float:
        """Return the share of the tweets that mention the entity."""
        return self.tweets / self.tweets_read

    @property
    def other_rate(self) -> float:
        """Return the same on the other side."""
        return self.other_tweets / self.other_tweets_read


def compare(session: Session, one: Filter, other: Filter, limit: int = 20) -> list[Contrast]:
    """Return the entities whose rates differ most from one filter to the other, by the log-likelihood's absolute value.

    A rate is the share of the tweets that mention an entity. Compared are the thousand entities with most mentions on
    each side. A tweet that both filters take counts on both sides. Raises QueryError if no tweets were read on a side.
    """
    total, other_total = tweets_read(session, one), tweets_read(session, other)
    if not total or not other_total:
        side, chosen = ("the first side", one) if not total else ("the other side", other)
        raise QueryError(
            f"version {chosen.model_version_id} has read no tweets of {side}, so there is nothing to compare; "
            "see `tweetspan status` for what is read, or widen the filters"
        )
    most, other_most = most_mentioned(session, one, _CANDIDATES), most_mentioned(session, other, _CANDIDATES)
    counts, other_counts = _counts(session, one, most, other_most), _counts(session, other, other_most, most)

    def score(found: Counted) -> float:
        return log_likelihood(counts[found.id][1], total, other_counts[found.id][1], other_total)

    candidates = {found.id: found for found in (*most, *other_most)}.values()
    best = sorted(candidates, key=lambda found: (-abs(score(found)), found.name, found.label))[:limit]
    here = [found.id for found in best if counts[found.id][0]]
    shown = shown_names(session, other, [found.id for found in best]) | shown_names(session, one, here)
    return [
        Contrast(found.id, shown[found.id], found.label, found.name, *counts[found.id], total,
                 *other_counts[found.id], other_total, score(found))
        for found in best
    ]  # fmt: skip


def _counts(
    session: Session, side: Filter, most: Sequence[Counted], other_most: Sequence[Counted]
) -> dict[int, tuple[int, int]]:
    """Return the mentions and the tweets of all candidates on one side."""
    counted = {found.id: (found.mentions, found.tweets) for found in most}
    missing = {found.id: (0, 0) for found in other_most if found.id not in counted}
    return missing | mentions_of(session, side, list(missing)) | counted
