"""Digests against brute force, in each database, and how they are written."""

import json
import re
from collections import Counter
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import cli
from answers.digests import for_programs
from commands.digest_blocks import Quotation, Statement, entity_blocks, period_blocks, readable
from commands.digest_html import html
from commands.digest_markdown import escaped, markdown
from db import entity_edits, model_versions
from db.entity_lookup import look_up
from db.filters import Filter
from db.questions.digest import EntityDigest, PeriodDigest, digest_entity, digest_period
from db.questions.story import Story
from db.questions.telling import shares
from db.session import Database, open_database
from db.tables import Entity
from settings import read_settings
from tagging.errors import QueryError
from tagging.spans import Span
from tests.processes import environment
from tests.questions.stories import START, story
from tests.questions.world import NOON, Found, Key, StoredTweet, World, add_version, filters, store

few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
BOB: Key = ("bob", "PER")
HOSTILE = "<script>alert(1)</script> &amp; [x](http://y) **Bob** | # `code` \u202eevil \x1b[31m <img src=x onerror=y>"


def digest(database: Database, key: Key, chosen: Filter, tweets: int = 8) -> EntityDigest:
    with database.read_session() as session:
        return digest_entity(session, look_up(session, f"{key[1]}:{key[0]}", 1).id, chosen, tweets)


def store_story(database: Database, seed: int = 1) -> tuple[int, str]:
    """Store a generated story, each tweet with one mention of what it is about; return the version and the name."""
    told, version_id = story(seed), add_version(database)
    [name] = [one for one in ("Orla Bank", "Kestrel Air", "Fjordline", "Casa Verde") if one in told[0].text]
    found = {}
    for one in told:
        tweet = StoredTweet(one.id, one.text, one.created_at, one.author, "en", one.retweet_of)
        place = one.text.find(name)
        found[tweet] = (Span(place, place + len(name), "ORG", 0.9),) if place >= 0 else ()
    store(database, World(), version_id, found)
    return version_id, name


@few
@given(chosen=filters(), key=st.sampled_from([BOB, ("london", "LOC"), ("londonderry", "ORG"), ("a_b", "ORG")]))
def test_a_story_says_what_brute_force_says(database: Database, world: World, chosen: Filter, key: Key) -> None:
    mine = [one for one in world.mentions(chosen) if one.key == key]
    if not mine:
        with pytest.raises(QueryError, match=r"has no mention|is hidden"):
            digest(database, key, chosen)
        return
    found = digest(database, key, chosen).story
    assert (found.label, found.name) == (key[1], key[0])
    assert found.shown == world.shown(key, chosen.model_version_id)
    check_counts(found, mine)
    check_timeline(found, mine)
    check_companions(found, world, chosen, mine)
    check_phases(found, mine)


def check_counts(found: Story, mine: list[Found]) -> None:
    tweets = {one.tweet.id: one.tweet for one in mine}.values()
    times = sorted(one.created_at for one in tweets if one.created_at)
    assert (found.counts.mentions, found.counts.tweets) == (len(mine), len(tweets))
    assert found.counts.originals == sum(one.retweet_of is None for one in tweets)
    assert found.counts.undated == len(tweets) - len(times)
    assert found.counts.authors == len({one.author for one in tweets if one.author})
    assert (found.counts.first, found.counts.last) == ((times[0], times[-1]) if times else (None, None))
    assert set(found.counts.tweet_ids) <= {one.id for one in tweets}


def check_timeline(found: Story, mine: list[Found]) -> None:
    dated = [one for one in mine if one.tweet.created_at]
    assert sum(one.mentions for one in found.timeline) == len(dated)
    for one, after in zip(found.timeline, [*found.timeline[1:], None], strict=True):
        end = after.start if after else one.start + timedelta(days=7)
        ids = {other.tweet.id for other in dated if one.start <= (other.tweet.created_at or NOON) < end}
        assert set(one.tweet_ids) == ({min(ids), max(ids)} if ids else set())
    if dated:
        assert found.timeline[0].mentions > 0 < found.timeline[-1].mentions


def check_companions(found: Story, world: World, chosen: Filter, mine: list[Found]) -> None:
    everything = Filter(**{**vars(chosen), "label": None})
    own = {one.tweet.id for one in mine}
    others = {(one.key, one.tweet.id) for one in world.mentions(everything) if one.tweet.id in own}
    counts = Counter(key for key, _ in others if key != mine[0].key)
    expected = [
        (key, number, tuple(sorted(tweet_id for other, tweet_id in others if other == key))[:10])
        for label in {key[1] for key in counts}
        for key, number in sorted(counts.items(), key=lambda one: (-one[1], one[0][0]))
        if key[1] == label
    ]
    by_label = {label: [one for one in expected if one[0][1] == label][:5] for label in {one[0][1] for one in expected}}
    best = sorted((one for some in by_label.values() for one in some), key=lambda one: (-one[1], one[0]))
    assert [((one.name, one.label), one.tweets, one.tweet_ids) for one in found.companions] == best


def check_phases(found: Story, mine: list[Found]) -> None:
    dated = [one for one in mine if one.tweet.created_at]
    assert sum(one.mentions for one in found.phases) == len(dated or mine)
    own = {one.tweet.id: one.tweet for one in mine}
    for phase in found.phases:
        for quote in phase.quotes:
            tweet = own[quote.tweet_id]
            assert (quote.text, quote.created_at, quote.author) == (tweet.text, tweet.created_at, tweet.author)
            assert quote.tweet_ids[0] == quote.tweet_id
            assert quote.tweets >= len(quote.tweet_ids)
            if phase.start and phase.end and tweet.created_at:
                assert phase.start <= tweet.created_at < phase.end
    quoted = [quote.tweet_id for phase in found.phases for quote in phase.quotes]
    assert 1 <= len(quoted) <= 8
    assert len(set(quoted)) == len(quoted)


def test_a_digest_is_the_same_each_time_and_in_both_databases(database: Database, tmp_path: Path) -> None:
    version_id, name = store_story(database)
    other = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    try:
        store_story(other)
        chosen = Filter(model_version_id=version_id)
        texts = [
            page(entity_blocks(digest(one, (name.lower(), "ORG"), chosen)))
            for one in (database, database, other)
            for page in (markdown, html)
        ]
    finally:
        other.close()
    assert texts[:2] == texts[2:4] == texts[4:]


def test_a_long_story_is_told_in_few_tweets_that_differ(database: Database) -> None:
    version_id, name = store_story(database)
    found = digest(database, (name.lower(), "ORG"), Filter(model_version_id=version_id)).story
    quotes = [quote for phase in found.phases for quote in phase.quotes]
    assert len(quotes) == 8
    assert max(quote.tweets for quote in quotes) > 10, "retweets are folded and counted"
    by_text = Counter(re.sub(r"\W+", " ", quote.text.lower()) for quote in quotes)
    assert set(by_text.values()) == {1}


def test_an_alias_tells_the_story_of_what_it_was_merged_into(database: Database, world: World) -> None:
    with database.read_session() as session:
        chosen = Filter(model_version_id=1)
        by_alias = digest_entity(session, entity_id_of(database, ("ann", "LOC")), chosen)
        assert by_alias == digest_entity(session, entity_id_of(database, BOB), chosen)
        assert by_alias.story.name == "bob"


def entity_id_of(database: Database, key: Key) -> int:
    with database.read_session() as session:
        return session.scalars(select(Entity.id).where(Entity.name == key[0], Entity.label == key[1])).one()


def test_what_there_is_nothing_to_tell_of(database: Database, world: World) -> None:
    with pytest.raises(QueryError, match="hidden; ask with --hidden"):
        digest(database, ("a_b", "ORG"), Filter(model_version_id=1))
    assert digest(database, ("a_b", "ORG"), Filter(model_version_id=1, hidden=True)).story.name == "a_b"
    with database.read_session() as session:
        with pytest.raises(QueryError, match="no entity 99999"):
            digest_entity(session, 99999, Filter(model_version_id=1))
        with pytest.raises(QueryError, match="longer window"):
            digest_entity(session, entity_id_of(database, BOB), Filter(model_version_id=1, since=NOON.replace(2030)))
        with pytest.raises(QueryError, match="no mention from 2030"):
            digest_period(session, Filter(model_version_id=1, since=NOON.replace(2030), until=NOON.replace(2031)))


def report(database: Database, since: datetime | None, until: datetime | None = None) -> PeriodDigest:
    with database.read_session() as session:
        return digest_period(session, Filter(model_version_id=1, since=since, until=until))


def test_a_period_is_compared_with_the_one_before(database: Database, world: World) -> None:
    middle, day = NOON, timedelta(hours=40)
    found = report(database, middle - day / 2, middle + day / 2)
    assert (found.since, found.until, found.since_before) == (middle - day / 2, middle + day / 2, middle - day * 1.5)
    window = Filter(model_version_id=1, since=found.since, until=found.until)
    before = Filter(model_version_id=1, since=found.since_before, until=found.since)
    now, then = (Counter(one.key for one in world.mentions(one)) for one in (window, before))
    expected = sorted(now.items(), key=lambda one: (-one[1], one[0]))[:10]
    assert [((one.name, one.label), one.mentions) for one in found.top] == expected
    assert [one.mentions_before for one in found.top] == [then[key] for key, _ in expected]
    ids = {one.tweet.id for one in world.mentions(window)}
    assert all(one.tweet_ids and set(one.tweet_ids) <= ids for one in found.top)
    assert found.tweets_before == len(world.read(before))
    told = [one.entity_id for one in found.stories]
    assert all(one.story is None or one.story in told for one in found.top)
    assert 1 <= len(told) <= 5
    assert len(set(told)) == len(told)


def test_a_period_without_one_before(database: Database) -> None:
    _, name = store_story(database)
    found = report(database, START - timedelta(hours=1), START + timedelta(days=3))
    assert found.trends is None
    assert [(one.shown, one.mentions_before, one.story) for one in found.top] == [(name, None, found.top[0].entity_id)]
    assert "with which to compare" in markdown(period_blocks(found))


def test_what_is_new_is_trending_and_its_story_is_told(database: Database) -> None:
    version_id = add_version(database)
    rows = {}
    for number in range(60):
        at, is_new = NOON + timedelta(hours=number - 48), number >= 48
        text = f"Ann has news {number}" if is_new and number % 2 else f"Leeds is grey {number}"
        rows[StoredTweet(number + 1, text, at, None, None, None)] = (
            Span(0, 3 if text.startswith("Ann") else 5, "PER" if text.startswith("Ann") else "LOC", 0.9),
        )
    for number in range(4):
        text = f"Ann again, hour {number}"
        rows[StoredTweet(100 + number, text, NOON + timedelta(hours=2, minutes=number), None, None, None)] = (
            Span(0, 3, "PER", 0.9),
        )
    store(database, World(), version_id, rows)
    found = report(database, NOON, NOON + timedelta(hours=12))
    assert found.trends is not None
    assert [one.shown for one in found.trends] == ["Ann"]
    assert [one.shown for one in found.stories] == ["Ann", "Leeds"]
    text = markdown(period_blocks(found))
    assert "Ann (PER): 10 of 16 tweets, 0 of 12 before" in text
    assert "## Leeds (LOC)" in text


def hostile(database: Database) -> EntityDigest:
    version_id = add_version(database)
    place = HOSTILE.index("Bob")
    tweet = StoredTweet(1, HOSTILE, NOON, "<b>&\"'x", None, None)
    later = StoredTweet(2, "1. Bob <svg onload=z>", NOON + timedelta(days=1), None, None, None)
    store(
        database, World(), version_id,
        {tweet: (Span(place, place + 3, "PER", 0.9),), later: (Span(3, 6, "PER", 0.9),)},
    )  # fmt: skip
    with database.write_session() as session:
        bob = look_up(session, "bob", version_id).id
        entity_edits.rename(session, bob, "<i>Bob</i> [*]", "ann")
    return digest(database, BOB, Filter(model_version_id=version_id))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.values: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.values += [value or "" for name, value in attrs if not name.startswith(("xmlns", "rdf:"))]


def test_html_takes_no_mark_from_a_tweet_and_loads_nothing(database: Database) -> None:
    page = html(entity_blocks(hostile(database)))
    parser = _Tags()
    parser.feed(page)
    assert not parser.tags & {"script", "img", "b", "i", "iframe", "link", "a", "object"}
    assert not {name for name in parser.attributes if name.startswith("on")}
    assert not [value for value in parser.values if "://" in value]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; [x]" in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert page.count("<svg") == 1
    assert "@import" not in page
    assert "url(http" not in page


def test_markdown_takes_no_mark_from_a_tweet(database: Database) -> None:
    text = markdown(entity_blocks(hostile(database)))
    assert r"# &lt;i&gt;Bob&lt;/i&gt; \[\*\] (PER)" in text
    assert r"> &lt;script&gt;alert(1)&lt;/script&gt; &amp; \[x\](http://y) \*\*Bob\*\* \| # \`code\`" in text
    assert r"> 1\. Bob" in text
    assert "<" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# one", r"\# one"), ("- one", r"\- one"), ("12) one", r"12\) one"), ("> one", "&gt; one"),
        ("a\n# b", "a # b"),
        ("12 one", "12 one"), ("~~x~~ $y$", r"\~\~x\~\~ \$y\$"), ("a\\*b", r"a\\\*b"), ("    code", "code"),
    ],
)  # fmt: skip
def test_signs_that_mean_something_in_markdown(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_entities_of_the_interface_are_read() -> None:
    assert readable("gloves &amp; &lt;3\nflask") == "gloves & <3 flask"


def test_every_statement_has_its_sources(database: Database, world: World) -> None:
    for blocks in (
        entity_blocks(digest(database, BOB, Filter(model_version_id=1))),
        period_blocks(report(database, NOON - timedelta(hours=20), NOON + timedelta(hours=40))),
    ):
        for block in blocks:
            statement = block.statement if isinstance(block, Quotation) else block
            if isinstance(statement, Statement) and not statement.text.startswith(("This is from", "Nothing is")):
                assert statement.tweet_ids
                assert statement.tweets >= len(statement.tweet_ids)


def test_json_holds_everything_and_ids_as_texts(database: Database, world: World) -> None:
    found = digest(database, BOB, Filter(model_version_id=1))
    read = json.loads(json.dumps(for_programs(found)))
    assert read["covers"]["mentions"] == found.covers.mentions
    quote = found.story.phases[0].quotes[0]
    written = read["story"]["phases"][0]["quotes"][0]
    assert written["tweet_id"] == str(quote.tweet_id)
    assert written["tweet_ids"] == [str(one) for one in quote.tweet_ids]
    assert written["text"] == quote.text
    json.dumps(for_programs(report(database, NOON, None)))


def test_shares() -> None:
    assert shares([100, 1, 25], [9, 9, 9], 8) == [5, 1, 2]
    assert shares([100, 1], [2, 9], 8) == [2, 6]
    assert shares([5], [3], 8) == [3]
    assert shares([5, 5], [1, 1], 2) == [1, 1]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli.main, ["digest", *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.output

    assert "Error: " in run("london")
    database = open_database(read_settings().database_url)
    try:
        version_id, name = store_story(database)
        with database.write_session() as session:
            model_versions.activate(session, version_id)
    finally:
        database.close()
    assert run(name).startswith(f"# {name} (ORG)\n")
    assert run("--since", "1d").startswith("# From 2026-05-04 ")
    assert json.loads(run(name, "--format", "json", "--tweets", "3"))["story"]["shown"] == name
    page = tmp_path / "page.html"
    assert run(name, "--output", str(page)) == ""
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "cannot write" in run(name, "--output", str(tmp_path / "no" / "page.html"))
    for bad in ("nobody", "it's", "%", "x" * 1000, '"'):
        assert re.search(r"Error: .*(no entity is called|empty)", run(bad))
    assert "Error: " in run(name, "--since", "yesterday")
    assert "choose a longer window" in run(name, "--since", "2030-01-01")
