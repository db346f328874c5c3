"""The pages that `benchmarks.explorer_load` asks for, and what each asks the database, without HTTP and template."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from answers.asked import Asked, chosen_filter
from answers.model_rows import model_rows
from benchmarks.generated import DAYS, START
from db import evaluations, failures, jobs, model_versions, workers
from db.coverage import cover
from db.entity_edits import edits_of
from db.entity_lookup import look_up, members
from db.failures import Choice
from db.filters import Filter
from db.leases import leases
from db.questions.browse import browse
from db.questions.context import context
from db.questions.digest import digest_period
from db.questions.facets import facets
from db.questions.lifetime import lifetime, suitable
from db.questions.network import network
from db.questions.newcomers import newcomers
from db.questions.reading import readings_of
from db.questions.related import related
from db.questions.show import show
from db.questions.similar import similar
from db.questions.story import story
from db.questions.timeline import timeline
from db.questions.top import top
from db.questions.trending import windows
from db.session import Database
from db.status import read_status
from db.tables import Entity, Span
from explorer.addresses import address

_WORDS = 5000  # of which `benchmarks.generated` makes texts
_NOTHING: Asked = {
    "model": "active", "label": None, "since": None, "until": None, "min_score": {}, "language": None, "author": None,
    "originals": False, "kind": "all", "hidden": False, "text_query": None,
}  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """What a page is asked about: an entity, one of its tweets, a word, and a week by its ends."""

    key: str  # of the entity
    tweet_id: int
    word: str
    since: str
    until: str


class Kept:
    """Stories that were told before, as the explorer keeps them; those that were not are told two at once, as there."""

    def __init__(self) -> None:
        self._told: dict[Hashable, Any] = {}
        self._turns = BoundedSemaphore(2)

    def told(self, session: Session, question: Hashable, tell: Callable[[], Any]) -> Any:
        """Return what was told, or tell it."""
        if question not in self._told:
            session.rollback()  # a transaction that waits for its turn would be broken off
            with self._turns:
                if question not in self._told:
                    self._told[question] = tell()
        return self._told[question]


@dataclass(frozen=True)
class Page:
    """A page by its name, its address, and the questions that it asks the database."""

    name: str
    address: Callable[[Subject], str]
    ask: Callable[[Session, Subject, Kept], object]


def subjects_in(database: Database, most: int) -> list[Subject]:
    """Return subjects about entities from the most frequent one to the rare ones, evenly on a scale of logarithms."""
    random = Random(1)
    with database.read_session() as session:
        newest = select(func.max(Span.tweet_id)).where(Span.entity_id == Entity.id).scalar_subquery()
        found = []
        for entity_id in sorted({round(10 ** (5 * place / most)) for place in range(most)}):
            mentioned = select(Span.entity_id).where(Span.entity_id >= entity_id).order_by(Span.entity_id).limit(1)
            one = select(Entity.label, Entity.name, newest).where(Entity.id == mentioned.scalar_subquery())
            row = session.execute(one).one_or_none()  # of the rarest none may be left
            if row is not None:
                week = START + timedelta(days=random.randrange(DAYS - 7))
                since, until = (f"{moment:%Y-%m-%d}" for moment in (week, week + timedelta(days=7)))
                found.append(Subject(f"{row[0]}:{row[1]}", row[2], f"word{random.randrange(_WORDS)}", since, until))
    return found


def rounds(subjects: list[Subject], client: int) -> Iterator[tuple[Page, Subject]]:
    """Yield what a client asks for, without end: in each round every page once, in another order."""
    random = Random(client)
    while True:
        for page in random.sample(PAGES, len(PAGES)):
            yield page, random.choice(subjects)


def _today(session: Session, _: Subject, kept: Kept) -> object:
    window = windows(session, chosen_filter(session, _NOTHING))[0]
    leaders, new, coverage = top(session, window, 15), newcomers(session, window), cover(session, window)
    digest = kept.told(session, "digest", lambda: digest_period(session, window))
    shown = {one.entity_id for one in (*leaders, *new)} | {one.entity_id for one in digest.trends or ()}
    return coverage, [timeline(session, window, "hour", entity_id) for entity_id in shown]


def _entities(session: Session, limits: Asked) -> object:
    chosen = chosen_filter(session, limits)
    return top(session, chosen, 50), cover(session, chosen)


def _entity(session: Session, subject: Subject, kept: Kept) -> object:
    chosen = chosen_filter(session, _NOTHING)
    one = look_up(session, subject.key, chosen.model_version_id).id
    details = show(session, one, chosen, 5)
    by = suitable(details.first_seen, details.last_seen)
    minimum = 3 if related(session, one, chosen, minimum=3) else 1
    if minimum == 1:
        related(session, one, chosen, minimum=1)
    return (
        cover(session, chosen),
        context(session, one, chosen),
        edits_of(session, members(session, one)),
        lifetime(session, chosen, one, by, details.first_seen, details.last_seen),
        kept.told(session, one, lambda: (story(session, one, chosen), network(session, one, chosen, minimum=minimum))),
    )


def _tweets(session: Session, mentioned: Iterable[str], limits: Asked, has_facets: bool = True) -> object:
    wanted = [*mentioned, *([f"{limits['label']}:*"] if limits["label"] else [])]
    chosen = chosen_filter(session, limits)
    found = browse(session, None, wanted, chosen), cover(session, chosen)
    return found, facets(session, None, wanted, chosen) if has_facets else None


def _tweet(session: Session, subject: Subject, _: Kept) -> object:
    active = model_versions.active_id(session)
    assert active is not None
    found = readings_of(session, subject.tweet_id)
    return found, similar(session, subject.tweet_id, Filter(model_version_id=active), 8)


def _models(session: Session, _: Subject, __: Kept) -> object:
    evaluated = [list(evaluations.evaluations_of(session, row["version"])) for row in model_rows(session)]
    return evaluated, model_versions.history(session)


def _queue(session: Session, _: Subject, __: Kept) -> object:
    dead = failures.reasons(session, Choice())
    beside = leases(session), workers.heartbeats(session, 24 * 3600.0), jobs.newest(session, 20)
    like = [replace(Choice(), reason=one.error, model_version_id=one.model_version_id) for one in dead]
    return read_status(session), beside, [failures.listed(session, one, 3) for one in like]


def _limits(**conditions: Any) -> Asked:
    limits: Any = {**_NOTHING, **conditions}
    return limits  # type: ignore[no-any-return]


PAGES = (
    Page("/today", lambda _: "/today", _today),
    Page("/entities", lambda _: "/entities", lambda session, _, __: _entities(session, _NOTHING)),
    Page("/entities, a week", lambda one: address("/entities", since=one.since, until=one.until),
         lambda session, one, _: _entities(session, _limits(since=one.since, until=one.until))),
    Page("/entity", lambda one: address("/entity", name=one.key), _entity),
    Page("/entity.json", lambda one: address("/entity.json", name=one.key), _entity),
    Page("/tweets of an entity", lambda one: address("/tweets", mentions=one.key),
         lambda session, one, _: _tweets(session, [one.key], _NOTHING)),
    Page("/tweets.json of an entity", lambda one: address("/tweets.json", mentions=one.key),
         lambda session, one, _: _tweets(session, [one.key], _NOTHING, has_facets=False)),
    Page("/tweets with a word", lambda one: address("/tweets", text=one.word),
         lambda session, one, _: _tweets(session, [], _limits(text_query=one.word))),
    Page("/tweets, a label and a week", lambda one: address("/tweets", label="ORG", since=one.since, until=one.until),
         lambda session, one, _: _tweets(session, [], _limits(label="ORG", since=one.since, until=one.until))),
    Page("/tweet", lambda one: address("/tweet", id=one.tweet_id), _tweet),
    Page("/models", lambda _: "/models", _models),
    Page("/queue", lambda _: "/queue", _queue),
)  # fmt: skip
