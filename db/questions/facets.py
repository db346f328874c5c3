"""By what may the tweets that were found be narrowed down, and how many would be left?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.filters import Filter, mentions
from db.questions.browse import newest_rows
from db.tables import Annotation

MOST = 1000  # tweets that are counted: the newest
SCORES = (0.9, 0.7, 0.5)
_AUTHORS = 8

Counts = tuple[tuple[str, int], ...]  # most tweets first, ties in the order of the texts


@dataclass(frozen=True)
class Facets:
    """Counts of tweets, among the newest thousand that were found: `tweets` of them, `is_all` if there are no more.

    `labels` are of their mentions, `scores` count the tweets with a mention of at least so much, `versions` those that
    each version has read.
    """

    tweets: int
    is_all: bool
    labels: Counts
    languages: Counts
    authors: Counts
    versions: Counts
    scores: tuple[tuple[float, int], ...]


def facets(session: Session, query: str | None, mentioned: Sequence[str], chosen: Filter) -> Facets:
    """Count what each further choice would leave of the tweets that `db.questions.browse.browse` finds."""
    rows = list(newest_rows(session, query, mentioned, chosen, MOST + 1))
    kept = rows[:MOST]
    ids = [row.id for row in kept]
    return Facets(
        len(kept),
        len(rows) <= MOST,
        _by_label(session, chosen, ids),
        _ranked(Counter(row.language for row in kept if row.language)),
        _ranked(Counter(row.author for row in kept if row.author))[:_AUTHORS],
        _by_version(session, ids),
        _by_score(session, chosen, ids),
    )


def _by_label(session: Session, chosen: Filter, ids: Sequence[int]) -> Counts:
    found = mentions(session, chosen.of_any_tweet())
    counted = select(found.c.label, func.count(found.c.tweet_id.distinct())).group_by(found.c.label)
    rows = session.execute(counted.where(is_one_of(session, found.c.tweet_id, ids)))
    return _ranked(Counter({label: count for label, count in rows}))


def _by_version(session: Session, ids: Sequence[int]) -> Counts:
    counted = select(Annotation.model_version_id, func.count()).group_by(Annotation.model_version_id)
    is_read = (Annotation.status == "done", is_one_of(session, Annotation.tweet_id, ids))
    return _ranked(Counter({str(version): count for version, count in session.execute(counted.where(*is_read))}))


def _by_score(session: Session, chosen: Filter, ids: Sequence[int]) -> tuple[tuple[float, int], ...]:
    found = mentions(session, chosen.of_any_tweet())
    best = select(func.max(found.c.score)).where(is_one_of(session, found.c.tweet_id, ids)).group_by(found.c.tweet_id)
    scores = session.scalars(best).all()
    return tuple((limit, sum(score >= limit for score in scores)) for limit in SCORES)


def _ranked(counts: Counter[str]) -> Counts:
    return tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
