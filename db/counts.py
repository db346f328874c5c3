"""Maintained counts of what each version has found, so that the common questions stay quick however much is stored.

They are kept in the transaction that stores or removes spans, and so are never behind. Counts are of entities as they
were found: what was merged or hidden is applied when asked.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from db.bulk import add_up, is_one_of, read_rows
from db.periods import DAY, HOUR, UNDATED, number_in_sql
from db.tables import Annotation, EntityCount, HourCount, Span, Tweet

EVER = 2**31 - 1  # as a day: the sum over all of them

Mention = tuple[int, int, str]  # tweet, entity, label of the entity
Rows = list[dict[str, Any]]

_SUMS = ("mentions", "tweets")


def add(session: Session, version_id: int, tweet_ids: Collection[int], mentions: Iterable[Mention]) -> None:
    """Count in tweets that a version has just read, and what it found in them."""
    hours = select(Tweet.id, _hour(session)).where(is_one_of(session, Tweet.id, tweet_ids))
    _change(session, version_id, {tweet_id: hour for tweet_id, hour in read_rows(session, hours)}, mentions, 1)


def subtract(session: Session, version_id: int, tweet_ids: Collection[int]) -> None:
    """Count out tweets that a version has read, before their marks and spans are removed."""
    hours = _locked_marks(session, version_id, tweet_ids)
    mine = (Span.model_version_id == version_id, is_one_of(session, Span.tweet_id, hours))
    spans = session.execute(select(Span.tweet_id, Span.entity_id, Span.label).where(*mine))
    found = [(row.tweet_id, row.entity_id, row.label) for row in spans]
    _change(session, version_id, hours, found, -1)
    entities = is_one_of(session, EntityCount.entity_id, {entity_id for _, entity_id, _ in found})
    of_them = (EntityCount.model_version_id == version_id, entities, EntityCount.mentions == 0)
    session.execute(delete(EntityCount).where(*of_them))
    session.execute(delete(HourCount).where(HourCount.model_version_id == version_id, HourCount.tweets == 0))


def _locked_marks(session: Session, version_id: int, tweet_ids: Collection[int]) -> dict[int, int]:
    """Return which of the tweets the version has read, and the hour of each; who removes the same marks at once waits,
    and finds none."""
    mine = (Annotation.model_version_id == version_id, Annotation.status == "done")
    marks = select(Annotation.tweet_id, _hour(session)).join(Tweet, Tweet.id == Annotation.tweet_id)
    marks = marks.where(*mine, is_one_of(session, Annotation.tweet_id, tweet_ids)).order_by(Annotation.tweet_id)
    return {row.tweet_id: row.hour for row in session.execute(marks.with_for_update(of=Annotation))}


def _hour(session: Session) -> ColumnElement[int]:
    return number_in_sql(session, Tweet.created_at, HOUR).label("hour")


def _change(
    session: Session, version_id: int, hours: Mapping[int, int], mentions: Iterable[Mention], sign: int
) -> None:
    if not hours:
        return
    found = list(mentions)
    # In the order of their keys, entities first: two workers that count at once must not deadlock.
    add_up(session, EntityCount, _by_entity(version_id, hours, found, sign), _SUMS)
    add_up(session, HourCount, _by_hour(version_id, hours, found, sign), _SUMS)


def _by_entity(version_id: int, hours: Mapping[int, int], mentions: Collection[Mention], sign: int) -> Rows:
    labels = {entity_id: label for _, entity_id, label in mentions}
    days = {hour: hour if hour == UNDATED else hour // (DAY // HOUR) for hour in set(hours.values())}
    times = Counter((entity_id, days[hours[tweet_id]]) for tweet_id, entity_id, _ in mentions)
    pairs = {(tweet_id, entity_id) for tweet_id, entity_id, _ in mentions}
    tweets = Counter((entity_id, days[hours[tweet_id]]) for tweet_id, entity_id in pairs)
    for counted in (times, tweets):
        for (entity_id, _), count in list(counted.items()):
            counted[entity_id, EVER] += count
    return [
        {"model_version_id": version_id, "entity_id": entity_id, "day": day, "label": labels[entity_id],
         "mentions": sign * times[entity_id, day], "tweets": sign * tweets[entity_id, day]}
        for entity_id, day in sorted(times)
    ]  # fmt: skip


def _by_hour(version_id: int, hours: Mapping[int, int], mentions: Collection[Mention], sign: int) -> Rows:
    tweets, found = Counter(hours.values()), Counter(hours[tweet_id] for tweet_id, _, _ in mentions)
    return [
        {"model_version_id": version_id, "hour": hour, "tweets": sign * tweets[hour], "mentions": sign * found[hour]}
        for hour in sorted(tweets)
    ]
