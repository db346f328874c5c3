"""Full text: both databases find what a brute force over the words finds."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from db import fulltext, spans, tweets
from db.bulk import dialect
from db.entity_names import normalised_name
from db.filters import Filter, read_tweets
from db.search_words import as_tokens, as_tsvector, encoded, search_words
from db.session import Database
from db.tables import Tweet, TweetWords
from db.text_query import Term, as_match, as_tsquery, parse_query
from tagging.errors import QueryError
from tests.questions.world import World, add_version, filters, holds, plain_terms, plain_words

few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)

PIECES = (
    "rain", "Rain", "rainy", "it's", "don’t", "don't", "@BBC", "#bbc", "BBC", "@bbc_news", "a.b@c.org", "o'clock",
    "http://t.co/aB?x='1'&y=\\", "\\", "'", "''", "\\'", "!", "&", "|", ":*", "<->", "()", "*", "-", ",", "...", ":)",
    "🎉", "🎉🎉", "👍🏽", "❤️", "東京", "東", "京都", "ราย", "é", "e\u0301", "ﬁn", "fin", "ﷺ", "ß", "SS", "İ", "zz",
    "z7a", "z", "NEAR", "AND", "NOT", "\u200d", "\u0301", "100%", "5pm", "5", "µ", "ⅷ", "x\u00a0y",
)  # fmt: skip
pieces = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from([" ", " ", "", "\n"])), max_size=8)
texts = pieces.map(lambda drawn: "".join(map("".join, drawn)))
terms = st.builds(
    lambda minus, words, form: minus + form.format(" ".join(words)),
    st.sampled_from(["", "", "", "-"]),
    st.lists(st.sampled_from([one for one in PIECES if one[0] != "-"]), min_size=1, max_size=3),
    st.sampled_from(["{}", '"{}"', '"{}"', "{}*"]),
)
queries = st.lists(terms, min_size=1, max_size=3).map(" ".join)


def store_texts(database: Database, version_id: int, texts: dict[int, str]) -> None:
    with database.write_session() as session:
        tweets.add(session, [(key, one, None, None, None, None) for key, one in texts.items()])
        spans.store(session, version_id, {key: (one, ()) for key, one in texts.items()}, {})


def found(session: Session, query: str) -> set[int]:
    return set(session.scalars(fulltext.matching(session, query)))


@settings(few, max_examples=60)
@given(drawn=st.lists(texts, min_size=1, max_size=8), queries=st.lists(queries, min_size=1, max_size=8))
@example(drawn=["rain in", "in rain", "rain", "rain, in"], queries=['"rain in"', "rain in", "ra*", "r* -in"])
@example(drawn=["zoo", "z7a", "é", "e"], queries=["z*", "e*", "z", "zo*", "é*"])
def test_what_is_found(database: Database, drawn: list[str], queries: list[str]) -> None:
    with database.engine.connect() as connection, Session(connection) as session:
        session.execute(delete(TweetWords))
        session.execute(delete(Tweet))
        stored = dict(enumerate(drawn))
        tweets.add(session, [(key, one, None, None, None, None) for key, one in stored.items()])
        fulltext.add(session, stored)
        for query in queries:
            if any(is_wanted for is_wanted, *_ in plain_terms(query)):
                assert found(session, query) == {key for key, one in stored.items() if holds(one, query)}
            else:
                with pytest.raises(QueryError):
                    found(session, query)
        session.rollback()


@few
@given(chosen=filters())
def test_a_filter_asks_full_text(database: Database, world: World, chosen: Filter) -> None:
    with database.read_session() as session:
        answer = set(session.scalars(read_tweets(session, chosen, Tweet.id)))
        assert answer == {one.id for one in world.read(chosen)}


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("rain London", [Term(("rain",)), Term(("london",))]),
        ('"heavy  rain," in', [Term(("heavy", "rain")), Term(("in",))]),
        ('lond* -par* -"a b"', [Term(("lond",), True), Term(("par",), True, True), Term(("a", "b"), False, True)]),
        ("it's @BBC #bbc", [Term(("it", "s")), Term(("bbc",)), Term(("bbc",))]),
        ("it's*", [Term(("it", "s"), True)]),
        ('say"hi you"there', [Term(("say",)), Term(("hi", "you")), Term(("there",))]),
        ("London - Paris , !", [Term(("london",)), Term(("paris",))]),
        ("a\0b \ud800", [Term(("a",)), Term(("b",))]),
    ],
)
def test_parse_query(query: str, terms: list[Term]) -> None:
    assert list(parse_query(query)) == terms


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "holds no word"), (" \t", "holds no word"), ("-rain", "'-rain' holds no word"), ("*", "holds no word"),
        ('""', "holds no word"), ("-a -b*", "holds no word"), ('"in london', "a quote is open"),
        ("\0", "holds no word"), ("a " * 65, "more than 64 words"), ("-" * 1000, "…' holds no word"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_asked(database: Database, query: str, said: str) -> None:
    with database.read_session() as session, pytest.raises(QueryError, match=said):
        found(session, query)


def test_the_longest_query(database: Database) -> None:
    version_id = add_version(database)
    words = [f"w{number}" for number in range(64)]
    store_texts(database, version_id, {1: " ".join(words), 2: " ".join(words[1:])})
    with database.read_session() as session:
        assert found(session, " ".join(words)) == found(session, f'"{" ".join(words)}"') == {1}
        assert found(session, " ".join(["w1", *(f"-x{number}*" for number in range(63))])) == {1, 2}
        assert found(session, "x" * 100_000) == set()


def test_written_forms() -> None:
    assert as_tsvector("it's \\ :\\ rain RAIN") == "'it':1 's':2 ':\\\\':3 'rain':4 'rain':5"
    assert as_tokens("Zoé rain") == "z7aozc3za9 rain"
    assert as_tsquery(parse_query("don't a*")) == "('do' <-> 'n''t') & ('a':*)"
    assert as_match(parse_query("b -c")) == '("b") NOT ("c")'


@given(drawn=texts | st.text())
@example(drawn="a\u2028b\x1cc\x85d\u3000e don't\u00a0 @a_b\x0b#c")
def test_words_are_those_of_the_whole_text(drawn: str) -> None:
    """Though they are cut piece by piece between white space, and short pieces only once."""
    assert [word for word in search_words(drawn) if word] == plain_words(drawn)


@given(name=st.text(st.characters(max_codepoint=127)).filter(lambda drawn: any(map(str.isalnum, drawn))))
@example(name="\x1c@BBC \t News!\x7f")
def test_a_name_in_ascii_is_normalised_as_any_other(name: str) -> None:
    assert normalised_name(name) == normalised_name(name + "「"), "a sign that falls away"


@given(one=st.text(min_size=1), other=st.text(min_size=1))
def test_encoded_words_begin_as_the_words_do(one: str, other: str) -> None:
    one, other = (text.encode("utf-8", "replace").decode() for text in (one, other))
    assert encoded(other).startswith(encoded(one)) == other.encode().startswith(one.encode())
    assert encoded(one + other).isascii()
    assert encoded(one + other).isalnum()


def test_a_long_text(database: Database) -> None:
    version_id = add_version(database)
    long = {
        1: "rain " * 300 + "again",
        2: "東" * 24_000 + " beyond",
        3: "x" * 1_000_000 + " beyond",
        4: " ".join(f"w{number}" for number in range(5000)),
        5: "ﷺ" * 20_000 + " last",
    }
    store_texts(database, version_id, long)
    with database.read_session() as session:
        assert found(session, "again") == {1}
        assert found(session, '"rain again"') == set(), "the 300th time of a word is not kept"
        assert found(session, '"rain rain rain"') == {1}
        assert found(session, "東") == {2}
        assert found(session, "beyond") == set()
        assert found(session, f"{'x' * 199}*") == found(session, "x" * 300) == {3}
        assert found(session, '"w4998 w4999"') == set()
        assert found(session, '"w3998 w3999"') == {4}
        assert found(session, "last") == {5}
    assert len(search_words(long[2])) == 16_000


def test_words_go_with_their_tweet_and_stay_with_the_first_version(database: Database) -> None:
    versions = [add_version(database), add_version(database)]
    store_texts(database, versions[0], {1: "rain in London", 2: "rain"})
    store_texts(database, versions[1], {1: "rain in London", 3: "more rain"})
    with database.write_session() as session:
        tweets.add(session, [(4, "rain", datetime.now(UTC), None, None, None)])
        spans.mark_dead(session, versions[0], [4], "too long")
        assert tweets.delete(session, [2, 3]) == 2
    with database.write_session() as session:
        assert found(session, "rain") == {1}
        assert session.scalars(select(func.count()).select_from(TweetWords)).one() == 1
        spans.prune(session, versions[0], 0, 10)
        assert found(session, "rain") == {1}
        if dialect(session) == "sqlite":
            session.execute(
                text("INSERT INTO tweet_words_index (tweet_words_index, rank) VALUES ('integrity-check', 1)")
            )


def test_the_index_is_used(database: Database) -> None:
    version_id = add_version(database)
    store_texts(database, version_id, {number: f"rain w{number}" for number in range(500)})
    with database.write_session() as session:
        session.execute(text("ANALYZE"))
        if dialect(session) == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))
        statement = fulltext.matching(session, "w7 -rainy").compile(session.get_bind())
        explain, values = "EXPLAIN", statement.params
        if dialect(session) == "sqlite":
            explain, values = "EXPLAIN QUERY PLAN", tuple(values.values())
        plan = str(session.connection().exec_driver_sql(f"{explain} {statement}", values).all())
        assert "ix_tweet_words_words" in plan or "VIRTUAL TABLE INDEX" in plan, plan
