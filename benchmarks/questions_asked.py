"""The questions of `questions_growth`: how each is asked, what it is about, and the same in DuckDB's SQL."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.generated import DAYS, START, Stream
from db.coverage import cover
from db.entity_lookup import members
from db.filters import Filter, mentions
from db.questions.compare import compare
from db.questions.context import context
from db.questions.digest import digest_entity
from db.questions.find import find
from db.questions.related import related
from db.questions.search import search
from db.questions.show import show
from db.questions.similar import similar
from db.questions.suggest import suggest_merges
from db.questions.timeline import timeline
from db.questions.top import top
from db.questions.trending import trending
from db.tables import Entity, Span

FLAT, LINEAR = 3.0, 1.5  # the growth aimed at

WEEK = {"since": START + timedelta(days=DAYS - 8), "until": START + timedelta(days=DAYS - 1, hours=1)}


@dataclass(frozen=True)
class Question:
    """`most` is the growth aimed at: of the time, where it is FLAT, or of the time for each mention, where LINEAR."""

    name: str
    most: float
    ask: Callable[[Session, Stream], Any]
    about: Callable[[Session, Stream], int]  # mentions that match
    duckdb: str | None = None  # $label and $name are those of the entity in question


def everything(stream: Stream, **conditions: Any) -> Filter:
    """All mentions of the only version, or those under conditions."""
    return Filter(model_version_id=stream.version_id, **conditions)


def _matching(**conditions: Any) -> Callable[[Session, Stream], int]:
    return lambda session, stream: cover(session, everything(stream, **conditions)).mentions


def _of(name: str) -> Callable[[Session, Stream], int]:
    def count(session: Session, stream: Stream) -> int:
        found = mentions(session, everything(stream), members(session, getattr(stream, name)))
        return session.scalars(select(func.count()).select_from(found)).one()

    return count


def _about_entity(which: str, most: float) -> list[Question]:
    """Everything that is asked about one entity; the rare one has as many mentions in each database."""

    def entity(stream: Stream) -> int:
        return int(getattr(stream, which))

    def named(session: Session, stream: Stream) -> str:
        return session.get_one(Entity, entity(stream)).name

    def its_tweet(session: Session, stream: Stream) -> int:
        mine = select(func.max(Span.tweet_id)).where(Span.entity_id == entity(stream))
        return session.scalars(mine).one()

    asks: dict[str, Callable[[Session, Stream], Any]] = {
        "show": lambda s, x: show(s, entity(x), everything(x)),
        "timeline": lambda s, x: timeline(s, everything(x), "day", entity(x)),
        "context": lambda s, x: context(s, entity(x), everything(x)),
        "search": lambda s, x: search(s, named(s, x), everything(x), how="exact"),
        "related": lambda s, x: related(s, entity(x), everything(x)),
        "digest": lambda s, x: digest_entity(s, entity(x), everything(x)),
        "find": lambda s, x: find(s, None, [named(s, x)], everything(x)),
        "similar": lambda s, x: similar(s, its_tweet(s, x), everything(x)),
    }
    name = "SELECT count(*), min(created_at), max(created_at) FROM mentions WHERE label = $label AND name = $name"
    inside = {"show": name, "related": _RELATED}
    return [Question(f"{one}, {which} entity", most, ask, _of(which), inside.get(one)) for one, ask in asks.items()]


_TOP = (
    "SELECT label, name, count(*) AS n, count(DISTINCT tweet_id) FROM mentions {} GROUP BY ALL ORDER BY n DESC LIMIT 10"
)
_RELATED = (
    "SELECT o.label, o.name, count(DISTINCT o.tweet_id) AS n FROM mentions m JOIN mentions o USING (tweet_id) "
    "WHERE m.label = $label AND m.name = $name AND o.name <> m.name GROUP BY ALL ORDER BY n DESC LIMIT 20"
)

QUESTIONS = [
    Question("top", FLAT, lambda s, x: top(s, everything(x)), _matching(), _TOP.format("")),
    Question("top, one label", FLAT, lambda s, x: top(s, everything(x, label="LOC")), _matching(label="LOC"),
             _TOP.format("WHERE label = 'LOC'")),
    Question("timeline by day", FLAT, lambda s, x: timeline(s, everything(x)), _matching(),
             "SELECT date_trunc('day', created_at) AS d, count(*) FROM mentions GROUP BY ALL ORDER BY d"),
    Question("trending", FLAT, lambda s, x: trending(s, everything(x)), _matching()),
    Question("coverage", FLAT, lambda s, x: cover(s, everything(x)), _matching(),
             "SELECT count(DISTINCT tweet_id), count(*) FROM mentions"),
    Question("suggest-merges", FLAT, lambda s, x: suggest_merges(s, everything(x)), _matching()),
    *_about_entity("rare", FLAT),
    Question("top, a week", LINEAR, lambda s, x: top(s, everything(x, **WEEK)), _matching(**WEEK),
             _TOP.format("WHERE created_at >= $since AND created_at < $until")),
    Question("top, score over 0.95", LINEAR, lambda s, x: top(s, everything(x, min_score=0.95)),
             _matching(min_score=0.95), _TOP.format("WHERE score >= 0.95")),
    Question("top, Portuguese", LINEAR, lambda s, x: top(s, everything(x, language="pt")), _matching(language="pt"),
             _TOP.format("WHERE language = 'pt'")),
    Question("timeline, Portuguese", LINEAR, lambda s, x: timeline(s, everything(x, language="pt")),
             _matching(language="pt"),
             "SELECT date_trunc('day', created_at) AS d, count(*) FROM mentions WHERE language = 'pt' GROUP BY ALL"),
    Question("compare two languages", LINEAR,
             lambda s, x: compare(s, everything(x, language="en"), everything(x, language="pt")), _matching()),
    *_about_entity("common", LINEAR),
]  # fmt: skip
