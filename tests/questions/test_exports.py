"""Stored annotations for other programs: pages of rows, and each format as its own program's library reads it."""

import io
import json
import re
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cli
from commands.export.formats import FORMATS, IDS, writer
from db import exports, model_versions, spans, tweets
from db.entity_lookup import members
from db.exports import ExportedSpan, ExportedTweet
from db.filters import Filter
from db.session import Database
from tagging.spans import Span
from tests.processes import environment
from tests.questions.world import Key, StoredTweet, World, add_version, entity_id, filters, store

few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
ROOT = Path(__file__).resolve().parents[2]
KEYS: list[Key] = [("bob", "PER"), ("london", "LOC"), ("a_b", "ORG"), ("ann", "ORG")]
Run = Callable[..., Result]


def expected(world: World, chosen: Filter, key: Key | None = None) -> list[ExportedTweet]:
    found: dict[int, list[ExportedSpan]] = defaultdict(list)
    for one in world.mentions(chosen):
        if key is None or one.key == key:
            name = world.names.get(one.key, one.key[0])
            span = one.span
            row = ExportedSpan(span.start, span.end, span.label, one.surface, span.score, one.key[1], name)
            found[one.tweet.id].append(row)
    asks = chosen.label or not chosen.takes_any_score or chosen.kind != "all" or key
    return [
        ExportedTweet(*vars(tweet).values(), chosen.model_version_id, tuple(found[tweet.id]))
        for tweet in sorted(world.read(chosen), key=lambda one: one.id)
        if not asks or found[tweet.id]
    ]


def read_all(database: Database, chosen: Filter, ids: list[int] | None, page: int) -> list[ExportedTweet]:
    rows: list[ExportedTweet] = []
    while True:
        with database.read_session() as session:
            after = rows[-1].id if rows else 0
            found = exports.annotated_tweets(session, chosen, ids, after=after, limit=page)
        if not found:
            return rows
        rows.extend(found)


@few
@given(chosen=filters(), key=st.none() | st.sampled_from(KEYS), page=st.sampled_from([1, 7, 20, 1000]))
def test_pages(database: Database, world: World, chosen: Filter, key: Key | None, page: int) -> None:
    ids = None
    if key:
        number = entity_id(database, key)
        with database.read_session() as session:
            ids = members(session, number)
    assert read_all(database, chosen, ids, page) == expected(world, chosen, key)


def test_pages_end_after_a_full_one_and_leave_out_dead_tweets(database: Database) -> None:
    version_id = add_version(database)
    ids = [2**63 - 1, 1, 2**53 + 1, 2**53]
    found = {StoredTweet(tweet_id, "t", None, None, None, None): () for tweet_id in ids}
    store(database, World(), version_id, found)
    with database.write_session() as session:
        tweets.add(session, [(7, "t", None, None, None, None)])
        spans.mark_dead(session, version_id, [7], "too long")
    assert read_all(database, Filter(model_version_id=version_id + 1), None, 2) == []
    assert [row.id for row in read_all(database, Filter(model_version_id=version_id), None, 2)] == sorted(ids)


@pytest.fixture
def run(database_url: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `tweetspan export` on the database, in a folder of its own."""
    for name, value in environment(tmp_path / "home", database_url).items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "exports"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return lambda *arguments: CliRunner().invoke(cli.main, ["export", *arguments])


@pytest.fixture
def hostile(database: Database) -> World:
    """Texts that a careless format loses or changes; version 1 is active."""
    texts = [
        ("=cmd|'/c calc'!A1 Ann", 18, 21),
        ('He said "Ann", \\ and, \t Bob;', 9, 12),
        ("one\nAnn\r\nthree\rfour\u2028five\x85", 4, 7),
        ("🐱👩‍👧 Ann e\u0301t\u200b \U0001f600 NA null", 5, 8),
        ("<b>Ann</b> &amp; ]]> ${x} \\u0041 ﷽", 3, 6),
        ("NA", 0, 2),
        ("\ufeffAnn's dog", 1, 4),
        ("Ann", 0, 3),
        ("", 0, 0),
        (" \n ", 0, 0),
        ("nothing at all", 0, 0),
    ]
    world, version_id = World(), add_version(database)
    with database.write_session() as session:
        model_versions.activate(session, version_id)
    moment = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    store(
        database,
        world,
        version_id,
        {
            StoredTweet(2**63 - 1 - number, text, moment if number % 2 else None, '=1+1,"a"', "en", 2**53 + 1): (
                (Span(start, end, "PER", 0.123457),) if end else ()
            )
            for number, (text, start, end) in enumerate(texts)
        },
    )
    return world


WHERE: list[tuple[tuple[str, ...], Filter]] = [
    ((), Filter(model_version_id=1)),
    (("--model", "2", "--label", "per", "--hidden"), Filter(model_version_id=2, label="PER", hidden=True)),
    (
        ("--language", "en", "--originals", "--kind", "plain"),
        Filter(model_version_id=1, language="en", retweets=False, kind="plain"),
    ),
]


@pytest.fixture(params=[*WHERE, "hostile"], ids=lambda one: one if one == "hostile" else " ".join(one[0]) or "all")
def exported(request: pytest.FixtureRequest, database: Database, run: Run) -> tuple[Run, list[ExportedTweet]]:
    """How to export, and what is to be in it."""
    if request.param == "hostile":
        return run, expected(request.getfixturevalue("hostile"), Filter(model_version_id=1))
    world: World = request.getfixturevalue("world")
    with database.write_session() as session:
        model_versions.activate(session, 1)
    arguments, chosen = request.param
    return lambda *more: run(*arguments, *more), expected(world, chosen)


Exported = tuple[Run, list[ExportedTweet]]


def written(run: Run, name: str, file_format: str) -> Path:
    done = run("--format", file_format, "--output", name)
    assert done.exit_code == 0, done.output
    return Path(name)


def flat(found: list[ExportedTweet]) -> list[tuple[str, int, int, str]]:
    return [(str(tweet.id), span.start, span.end, span.label) for tweet in found for span in tweet.spans]


def example(file: str) -> dict[str, Any]:
    """Run the example of docs/exports.md that reads a file; return what it leaves."""
    page = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    [code] = [one for one in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if file in one]
    left: dict[str, Any] = {}
    exec(code, left)
    return left


def test_jsonl(exported: Exported) -> None:
    run, found = exported
    written(run, "annotations.jsonl", "jsonl")
    left = example("annotations.jsonl")
    assert left["spans"] == flat(found)
    assert left["tweets"] == [
        {
            "id": str(tweet.id),
            "text": tweet.text,
            "created_at": tweet.created_at.isoformat() if tweet.created_at else None,
            "author": tweet.author,
            "language": tweet.language,
            "retweet_of": str(tweet.retweet_of) if tweet.retweet_of else None,
            "model_version": tweet.model_version_id,
            "spans": [
                {
                    "start": span.start, "end": span.end, "label": span.label, "surface": span.surface,
                    "score": span.score, "entity": {"label": span.entity_label, "name": span.entity_name},
                }
                for span in tweet.spans
            ],
        }
        for tweet in found
    ]  # fmt: skip


def test_jsonl_is_a_corpus_for_training(run: Run, hostile: World) -> None:
    from trainer.corpus import load_files

    examples = load_files(written(run, "annotations.jsonl", "jsonl")).splits["train"]
    found = expected(hostile, Filter(model_version_id=1))
    assert [one.text for one in examples] == [tweet.text for tweet in found]
    assert [[(span.start, span.end, span.label) for span in one.spans] for one in examples] == [
        [(span.start, span.end, span.label) for span in tweet.spans] for tweet in found
    ]


def test_csv_in_pandas(exported: Exported) -> None:
    run, found = exported
    written(run, "annotations.csv", "csv")
    left = example("annotations.csv")
    assert left["spans"] == flat(found)
    assert left["table"].to_dict("records") == [
        {
            "tweet_id": str(tweet.id),
            "created_at": tweet.created_at.isoformat() if tweet.created_at else "",
            "author": tweet.author or "",
            "language": tweet.language or "",
            "retweet_of": str(tweet.retweet_of or ""),
            "start": span.start, "end": span.end, "label": span.label, "surface": span.surface, "score": span.score,
            "entity_label": span.entity_label, "entity": span.entity_name,
            "model_version": tweet.model_version_id,
            "text": tweet.text,
        }
        for tweet in found
        for span in tweet.spans
    ]  # fmt: skip


def test_parquet_in_duckdb_and_pyarrow(exported: Exported) -> None:
    import pandas
    from pyarrow import parquet

    run, found = exported
    file = written(run, "annotations.parquet", "parquet")
    assert [(str(one[0]), *one[1:]) for one in example("annotations.parquet")["spans"]] == flat(found)
    kept = pandas.read_parquet(file, dtype_backend="pyarrow")["retweet_of"]
    assert [None if pandas.isna(one) else one for one in kept] == [tweet.retweet_of for tweet in found]
    table = parquet.read_table(file)
    assert [
        ExportedTweet(*list(row.values())[:-1], tuple(map(_span, row["spans"]))) for row in table.to_pylist()
    ] == found
    beside = json.loads(Path(f"{file}.provenance.json").read_text(encoding="utf-8"))
    assert json.loads(table.schema.metadata[b"tweetspan"]).items() <= beside.items()


def _span(row: dict[str, Any]) -> ExportedSpan:
    *of_span, entity = row.values()
    return ExportedSpan(*of_span, entity["label"], entity["name"])


def test_conll_in_our_own_reader(exported: Exported) -> None:
    from tagging.words import words

    run, found = exported
    file = written(run, "annotations.conll", "conll")
    notes = json.loads(Path(f"{file}.provenance.json").read_text(encoding="utf-8"))["notes"]
    without_words = sum(not tweet.text.strip() for tweet in found)
    assert notes == ({"tweets without a word left out": without_words} if without_words else {})

    def apart(text: str) -> str:
        return " ".join(text[start:end] for start, end in words(text))

    if not found:
        assert file.read_text(encoding="utf-8") == ""
        return
    left = example("annotations.conll")
    assert [one.text for one in left["examples"]] == [apart(tweet.text) for tweet in found if tweet.text.strip()]
    assert left["spans"] == [(apart(span.surface), span.label) for tweet in found for span in tweet.spans]


def test_conll_counts_what_whole_words_cannot_hold() -> None:
    spans_ = [Span(0, 3, "PER"), Span(4, 5, "LOC"), Span(6, 7, "ORG"), Span(8, 9, "PER")]
    text = "Ann ab-cd e"  # the second begins a word, the third ends it
    tweet = ExportedTweet(1, text, None, None, None, None, 1, tuple(_exported(text, span) for span in spans_))
    sink = io.BytesIO()
    notes = writer("conll")([[tweet]], sink, {})
    assert sink.getvalue().decode() == "Ann\tB-PER\nab-cd\tB-LOC\ne\tO\n\n"
    assert notes == {"spans widened to whole words": 1, "spans within another's words left out": 2}


def test_spacy(exported: Exported) -> None:
    import spacy
    from spacy.tokens import DocBin

    run, found = exported
    file = written(run, "annotations.spacy.jsonl", "spacy")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    assert [(row["meta"]["id"], *one) for row in rows for one in row["entities"]] == flat(found)
    if not found:
        return
    nlp = example("annotations.spacy.jsonl")["nlp"]
    docs = list(DocBin().from_disk("annotations.spacy").get_docs(nlp.vocab))
    assert [doc.text for doc in docs] == [tweet.text for tweet in found]
    aligned = 0
    for doc, tweet in zip(docs, found, strict=True):
        assert len(doc.ents) == len(tweet.spans)
        for ent, span in zip(doc.ents, tweet.spans, strict=True):
            assert ent.label_ == span.label
            assert ent.start_char <= span.start < span.end <= ent.end_char
            aligned += ent.text == span.surface
        reference = spacy.training.Example.from_dict(
            nlp.make_doc(tweet.text), {"entities": [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]}
        ).reference
        assert [(ent.start, ent.end, ent.label_) for ent in reference.ents] == [
            (ent.start, ent.end, ent.label_) for ent in doc.ents
        ]
    strict = [nlp.make_doc(tweet.text).char_span(one.start, one.end) for tweet in found for one in tweet.spans]
    assert aligned == sum(one is not None for one in strict) > len(strict) / 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library's own, while it is imported
def test_label_studio(exported: Exported) -> None:
    from label_studio_sdk.label_interface import LabelInterface

    run, found = exported
    tasks = json.loads(written(run, "annotations.json", "label-studio").read_text(encoding="utf-8"))
    interface = LabelInterface(run("--label-config").stdout)
    interface.validate()
    for task in tasks:
        assert interface.validate_task({"data": task["data"]})
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction, return_errors=True) == []
            for region in prediction["result"]:
                value = region["value"]
                assert task["data"]["text"][value["start"] : value["end"]] == value["text"]
    assert [task["data"]["tweet_id"] for task in tasks] == [str(tweet.id) for tweet in found]
    assert [
        (task["data"]["tweet_id"], region["value"]["start"], region["value"]["end"], *region["value"]["labels"])
        for task in tasks
        for region in task["predictions"][0]["result"]
    ] == flat(found)


def test_ids_only(exported: Exported) -> None:
    run, found = exported
    assert run("--ids-only").stdout == "".join(f"{tweet.id}\n" for tweet in found)


def test_an_entity(run: Run, database: Database, world: World) -> None:
    with database.write_session() as session:
        model_versions.activate(session, 1)
    rows = [json.loads(line) for line in run("--entity", "London, UK", "--language", "en").stdout.split("\n") if line]
    chosen = expected(world, Filter(model_version_id=1, language="en"), ("london", "LOC"))
    assert [(row["id"], one["start"]) for row in rows for one in row["spans"]] == [one[:2] for one in flat(chosen)]
    assert rows
    refused = run("--entity", "nobody%_'\"")
    assert refused.exit_code == 1
    assert "no entity is called" in refused.output


def test_provenance_and_coverage(run: Run, database: Database, world: World) -> None:
    with database.write_session() as session:
        version = model_versions.find(session, "1")
        version.artifact_hash, version.corpus_fingerprint = "a" * 64, "c" * 64
    done = run("--model", "1", "--label", "PER", "--since", "2026-03-01", "--output", "spans.jsonl")
    found = expected(world, Filter(model_version_id=1, label="PER", since=datetime(2026, 3, 1, tzinfo=UTC)))
    number = sum(len(tweet.spans) for tweet in found)
    assert done.stdout == ""
    assert done.stderr.startswith(f"{len(found)} tweets with {number} spans, from ")
    beside = json.loads(Path("spans.jsonl.provenance.json").read_text(encoding="utf-8"))
    assert datetime.fromisoformat(beside.pop("exported_at")).tzinfo == UTC
    assert beside == {
        "model_version": 1, "base_model": "none", "artifact_hash": "a" * 64, "corpus": "none",
        "corpus_fingerprint": "c" * 64, "offsets": "Unicode code points into the text, end exclusive",
        "filter": {
            "language": None, "author": None, "since": "2026-03-01T00:00:00+00:00", "until": None, "text": None,
            "retweets": True, "label": "PER", "min_score": 0.0, "min_scores": {}, "kind": "all", "hidden": False,
            "query": None, "entity": None,
        },
        "format": "jsonl", "tweets": len(found), "spans": number, "notes": {},
    }  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestOutput:
    @pytest.mark.parametrize("file_format", FORMATS)
    def test_a_full_disk_is_told(self, run: Run, world: World, file_format: str) -> None:
        done = run("--model", "1", "--format", file_format, "--output", "/dev/full")
        assert done.exit_code == 1
        assert done.stderr.endswith(
            "Error: cannot write /dev/full: No space left on device; see to the path and the space there\n"
        )

    def test_a_path_that_is_none_is_told(self, run: Run, world: World) -> None:
        done = run("--model", "1", "--output", "no/such/folder")
        assert done.exit_code == 1
        assert "cannot write no/such/folder: No such file or directory" in done.stderr

    def test_the_provenance_of_an_earlier_export_does_not_stand_beside_a_failed_one(
        self, run: Run, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert run("--model", "1", "--output", "a").exit_code == 0
        assert Path("a.provenance.json").exists()

        def fail(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("commands.export.as_jsonl.write", fail)
        assert run("--model", "1", "--output", "a").exit_code == 1
        assert not Path("a.provenance.json").exists()

    def test_a_terminal_is_shown_clean_text_and_nothing_binary(
        self, run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version_id = add_version(database)
        store(database, World(), version_id, {StoredTweet(1, "a\x9b2J \u202eb", None, None, None, None): ()})
        monkeypatch.setattr("commands.export.output.shown_on_terminal", lambda _: True)
        assert "a 2J  b" in run("--model", "1", "--format", "spacy").stdout
        refused = run("--model", "1", "--format", "parquet")
        assert refused.exit_code == 1
        assert "give --output FILE" in refused.output

    def test_parquet_through_a_pipe(self, run: Run, world: World) -> None:
        import pyarrow
        from pyarrow import parquet

        piped = run("--model", "1", "--format", "parquet").stdout_bytes
        assert parquet.read_table(pyarrow.BufferReader(piped)).num_rows == 60


class Counter(io.RawIOBase):
    """A file that keeps nothing but its length."""

    length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.length += len(data)
        return len(data)


def _exported(text: str, span: Span) -> ExportedSpan:
    return ExportedSpan(span.start, span.end, span.label, span.surface(text), span.score, span.label, "name")


def _many_pages(number: int) -> Iterator[list[ExportedTweet]]:
    text = "Ann met Bob in London"
    found = tuple(_exported(text, span) for span in (Span(0, 3, "PER"), Span(8, 11, "PER"), Span(15, 21, "LOC")))
    for page in range(number):
        ids = range(page * 50, page * 50 + 50)
        yield [ExportedTweet(one, f"{text} {one}", None, "a", "en", None, 1, found) for one in ids]


@pytest.mark.parametrize("file_format", [*FORMATS, IDS])
def test_memory_does_not_grow_with_what_is_written(file_format: str) -> None:
    write = writer(file_format)

    def peak(pages: int) -> tuple[int, int]:
        tracemalloc.start()
        try:
            sink = Counter()
            write(_many_pages(pages), sink, {})
            return tracemalloc.get_traced_memory()[1], sink.length
        finally:
            tracemalloc.stop()

    peak(1)  # imports and caches
    (small, little), (large, much) = peak(25), peak(100)
    assert much > 2 * little
    assert large < 1.2 * small


def test_every_page_has_a_session_of_its_own(run: Run, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    version_id = add_version(database)
    made = {StoredTweet(number, "t", None, None, None, None): () for number in range(1, 6)}
    store(database, World(), version_id, made)
    seen: list[tuple[int, int]] = []
    original = exports.annotated_tweets

    def watched(session: Any, *arguments: Any, after: int) -> list[ExportedTweet]:
        page = original(session, *arguments, after=after, limit=2)
        seen.append((id(session.connection()), len(page)))
        sessions.append(session)
        return page

    sessions: list[Any] = []
    monkeypatch.setattr(exports, "annotated_tweets", watched)
    assert run("--model", "1", "--ids-only").stdout == "1\n2\n3\n4\n5\n"
    assert [one[1] for one in seen] == [2, 2, 1, 0]
    assert len({id(session) for session in sessions}) == 4
    assert not any(session.in_transaction() for session in sessions)
