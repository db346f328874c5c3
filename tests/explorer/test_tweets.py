"""The pages *Tweets* and of one tweet, against brute force and the command line."""

import re
from collections import Counter
from html import unescape

import pytest
from fastapi.testclient import TestClient

from db import entity_edits, spans, tweets
from db.entity_lookup import look_up
from db.filters import Filter
from db.questions.browse import browse, parse_place
from db.questions.facets import facets
from db.session import Database
from tagging.errors import QueryError
from tagging.spans import Span
from tests.questions.world import World
from worker.tweet_files import Tweet

FILTERS = [
    Filter(model_version_id=1),
    Filter(model_version_id=1, kind="plain", min_score=0.4, retweets=False),
    Filter(model_version_id=1, language="en", hidden=True),
    Filter(model_version_id=2, query="in"),
]


@pytest.mark.parametrize("chosen", FILTERS, ids=str)
@pytest.mark.parametrize("mentioned", [[], ["LOC:*"]], ids=["any", "LOC"])
def test_pages_follow_each_other_without_gap_or_double(
    database: Database, world: World, chosen: Filter, mentioned: list[str]
) -> None:
    with database.read_session() as session:
        everything = browse(session, None, mentioned, chosen, 10_000)
        paged, after = [], None
        while found := browse(session, None, mentioned, chosen, 3, after):
            paged += found
            after = parse_place(str(found[-1].place))
    assert paged == everything
    if not mentioned:
        assert {one.tweet_id for one in everything} == {one.id for one in world.read(chosen)}
    times = [(one.created_at is None, one.created_at and -one.created_at.timestamp(), -one.tweet_id) for one in paged]
    assert times == sorted(times, key=lambda one: (one[0], one[1] or 0, one[2]))


@pytest.mark.parametrize("chosen", FILTERS, ids=str)
def test_facets_say_what_each_choice_would_leave(database: Database, world: World, chosen: Filter) -> None:
    with database.read_session() as session:
        found = facets(session, None, [], chosen)
        left = {label: len(browse(session, None, [f"{label}:*"], chosen, 10_000)) for label, _ in found.labels}
    read = world.read(chosen)
    mentions = world.mentions(chosen)
    assert (found.tweets, found.is_all) == (len(read), True)
    assert dict(found.labels) == left
    assert dict(found.labels) == Counter(label for _, label in {(one.tweet.id, one.key[1]) for one in mentions})
    assert dict(found.languages) == Counter(one.language for one in read if one.language)
    assert dict(found.authors) == Counter(one.author for one in read if one.author)
    best = {one.tweet.id: max(other.span.score for other in mentions if other.tweet == one.tweet) for one in mentions}
    assert dict(found.scores) == {limit: sum(score >= limit for score in best.values()) for limit in (0.9, 0.7, 0.5)}


@pytest.mark.parametrize(
    "text", ["", "/", "x/1", "2024-03-05", "/-1", "/1e5", "9999-12-31T23:59:59-23:00/1", "/" + "9" * 20]
)
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="no place among the tweets"):
        parse_place(text)


def test_the_page_shows_what_the_twin_says(reader: TestClient, world: World) -> None:
    query = "?label=LOC&limit=4&kind=plain"
    rows = reader.get(f"/tweets.json{query}").json()["rows"]
    assert len(rows) == 4
    page = reader.get(f"/tweets{query}").text
    assert re.findall(r'href="/tweet\?id=(\d+)"', page) == [row["tweet_id"] for row in rows]
    marks = [unescape(one) for one in re.findall(r'<mark class="loc" title="LOC, [^"]*, version 1">(.*?)</mark>', page)]
    assert marks == [one["surface"] for row in rows for one in row["mentions"]]
    older = re.search(r'<a href="([^"]+)" rel="next">', page)
    assert older is not None
    following = re.findall(r'href="/tweet\?id=(\d+)"', reader.get(unescape(older[1])).text)
    both = [row["tweet_id"] for row in reader.get("/tweets.json?label=LOC&limit=8&kind=plain").json()["rows"]]
    assert both == [row["tweet_id"] for row in rows] + following
    assert reader.get(f"/tweets.csv{query}").text.splitlines()[0].split(",")[0] == "tweet_id"


def test_one_tweet_is_shown_with_every_reading(reader: TestClient, world: World) -> None:
    tweet_id = next(one for one, found in world.readings[1].items() if found and one in world.readings[2])
    told = reader.get(f"/tweet.json?id={tweet_id}").json()
    found = {one["model_version"]: [(span["start"], span["end"]) for span in one["spans"]] for one in told["readings"]}
    assert found == {v: [(span.start, span.end) for span in world.readings[v][tweet_id]] for v in (1, 2)}
    assert told["text"] == world.tweets[tweet_id].text
    assert reader.get(f"/tweet?id={tweet_id}").text.count("<h3>") == 2


@pytest.mark.parametrize(("given", "status"), [("1", 404), ("0", 422), ("x", 422), (str(2**63), 422)])
def test_a_tweet_that_is_not_stored(reader: TestClient, world: World, given: str, status: int) -> None:
    assert reader.get(f"/tweet?id={given}").status_code == status
    assert reader.get(f"/tweet.json?id={given}").status_code == status


def test_a_merged_mention_leads_to_its_entity(database: Database, world: World) -> None:
    with database.write_session() as session:
        tweets.add(session, [Tweet(991, "@zed", None, None, None, None), Tweet(992, "Zed Ltd", None, None, None, None)])
        found = {991: ("@zed", [Span(0, 4, "PER", 0.9)]), 992: ("Zed Ltd", [Span(0, 7, "ORG", 0.9)])}
        keys = {spans.entity_key(text, one) for text, ones in found.values() for one in ones}
        spans.store(session, 1, found, spans.look_up_entities(session, keys))
        person, firm = look_up(session, "PER:@zed", 1), look_up(session, "ORG:zed ltd", 1)
        entity_edits.merge(session, person.id, firm.id, "a test")
        assert look_up(session, "ORG:@zed", 1) == firm
