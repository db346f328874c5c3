"""Jobs, failures, reannotate, prune and delete as a user runs them; a fake tagger reads, but for one real worker."""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli
from db import model_versions
from db.session import Database, open_database
from tagging.checkpoint import read_manifest
from tagging.errors import PoisonTweetError
from tests.fake_tagger import FakeTagger, drain
from tests.ledger_tools import VERSION, enqueue_tweets, marks_of, new_version
from tests.processes import TWEETSPAN, environment, running
from trainer.config import TrainingConfig
from trainer.corpus import load_named
from trainer.encoder import load_encoder
from trainer.finetune import TrainedModel
from worker.tasks import annotate_batch

Run = Callable[..., Result]
REASON = "the network's probabilities for this text are not numbers"


@pytest.fixture
def run(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a home of its own, on both databases."""
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    return lambda *arguments, **options: CliRunner().invoke(cli.main, arguments, **options)


@pytest.fixture
def stored(run: Run, database: Database) -> Database:
    """A database in which version 1 has read the tweets 1 to 6; 2, 4 and 5 are dead."""

    def trouble(texts: Sequence[str]) -> None:
        reasons = {"Ann 2": REASON, "Ann 4": REASON, "Ann 5": "a tweet \x1b[2J that\nbreaks lines"}
        if poison := {index: reasons[text] for index, text in enumerate(texts) if text in reasons}:
            raise PoisonTweetError(poison)

    new_version(database)
    enqueue_tweets(database, range(1, 7), batch_size=4)
    drain(database, FakeTagger(trouble))
    return database


def as_json(done: Result) -> Any:
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_jobs_are_listed_shown_and_awaited(run: Run, database: Database) -> None:
    assert run("jobs", "list").output == "no job yet; run `tweetspan enqueue FILE`\n"
    assert as_json(run("jobs", "list", "--json")) == []
    new_version(database)
    lines = '{"id": "1", "text": "Ann"}\n{"id": "2", "text": "Ann"}'
    queued = as_json(run("enqueue", "-", "--name", "monday", "--batch-size", "1", "--json", input=lines))
    assert queued["job_id"] == 1
    shown = as_json(run("jobs", "show", "monday"))
    assert (shown["job_id"], shown["state"], shown["tweets"], shown["waiting"]) == (1, "running", 2, 2)
    assert as_json(run("jobs", "list", "--json")) == [shown]
    assert "monday" in run("jobs", "list").output
    late = run("jobs", "wait", "1", "--timeout", "0")
    assert (late.exit_code, late.output) == (124, "job 1 is running: 0 done, 0 dead, 0 cancelled, 2 open\n")
    drain(database, FakeTagger())
    ended = run("jobs", "wait", "monday")
    assert (ended.exit_code, ended.output) == (0, "job 1 is done: 2 done, 0 dead, 0 cancelled, 0 open\n")


def test_wait_tells_by_its_exit_code_that_some_are_dead(run: Run, stored: Database) -> None:
    ended = run("jobs", "wait", "test")
    assert (ended.exit_code, ended.output) == (3, "job 1 is done: 3 done, 3 dead, 0 cancelled, 0 open\n")


def test_a_job_is_cancelled_while_a_worker_has_some_of_it(run: Run, database: Database) -> None:
    new_version(database)
    enqueue_tweets(database, range(1, 7), batch_size=2)
    said: list[Result] = []

    def cancel_and_wait(texts: Sequence[str]) -> None:
        said.extend([run("jobs", "cancel", "test"), run("jobs", "wait", "1", "--timeout", "0")])

    assert annotate_batch(database, 1, FakeTagger(cancel_and_wait).find)
    cancelled, waited = said
    assert cancelled.output.split("\n")[:2] == [
        "job 1 is cancelled: 2 batches taken out of the queue",
        "2 tweets in the hands of workers will be finished",
    ]
    assert (waited.exit_code, waited.output) == (124, "job 1 is cancelled: 0 done, 0 dead, 4 cancelled, 2 open\n")
    ended = run("jobs", "wait", "1")
    assert (ended.exit_code, ended.output) == (4, "job 1 is cancelled: 2 done, 0 dead, 4 cancelled, 0 open\n")
    again = run("jobs", "cancel", "1")
    assert again.exit_code == 1
    assert "job 1 is cancelled: nothing of it is left; see `tweetspan jobs show 1`" in again.output
    queued = run("reannotate", "--name", "the rest").output
    assert queued.startswith("4 tweets queued for version 1 in 1 batch as job 2\nthey wait for a worker")


def test_failures_are_listed_and_shown(run: Run, stored: Database) -> None:
    listed = as_json(run("failures", "list", "--json"))
    assert [(one["model_version_id"], one["tweets"]) for one in listed] == [(1, 2), (1, 1)]
    assert listed[0]["error"] == REASON
    assert as_json(run("failures", "list", "--json", "--model", "1")) == listed
    table = run("failures", "list").output
    assert REASON in table
    assert "\x1b[2J" not in table
    shown = as_json(run("failures", "show", "--reason", "the network", "--json"))
    found = {(one["tweet_id"], one["text"], one["error"]) for one in shown}
    assert found == {("2", "Ann 2", REASON), ("4", "Ann 4", REASON)}
    assert len(as_json(run("failures", "show", "--limit", "1", "--json"))) == 1
    text = run("failures", "show", "5").output
    assert "a tweet  [2J that breaks lines" in text
    assert "Ann 5" in text
    assert run("failures", "show", "1").output == "no such tweet is dead; see `tweetspan failures list`\n"


def test_failures_are_queued_again_and_forgotten(run: Run, stored: Database) -> None:
    queued = run("failures", "requeue", "--reason", REASON).output
    assert queued.startswith("2 tweets queued again in 1 batch as job 2\nthey wait for a worker")
    drain(stored, FakeTagger())
    assert run("jobs", "wait", "failures requeue").exit_code == 0
    assert run("failures", "requeue", "2", "4").output == "no such tweet is dead; see `tweetspan failures list`\n"
    assert run("failures", "forget", "--all").output == "1 tweet forgotten\n"
    assert run("failures", "list").output == "no tweet is dead\n"
    assert run("failures", "forget", "--all").output == "no such tweet is dead; see `tweetspan failures list`\n"
    assert marks_of(stored, 1) == dict.fromkeys(range(1, 7), "done") | {5: "forgotten"}
    assert "version 1 has read every stored tweet" in run("reannotate").output


def test_another_version_reads_a_selection_and_the_old_one_is_pruned(run: Run, stored: Database) -> None:
    second = new_version(stored)
    assert "is active; activate another one first" in run("annotations", "prune", "--model", "2").output
    first = run("reannotate", "--model", "2", "--where", "text=ANN 1", "--where", "until=2030-01-01").output
    assert first == "nothing to queue: version 2 has read every stored tweet that was asked for, if any\n", (
        "a tweet without a time is in no window"
    )
    assert "1 tweet queued for version 2" in run("reannotate", "--model", "2", "--where", "text=ANN 1").output
    assert "6 tweets queued for version 1" not in run("reannotate", "--model", "1").output
    run("models", "activate", "1")
    refused = run("annotations", "prune", "--model", "2")
    assert refused.exit_code == 1
    assert "tweets wait for version 2; let a worker finish them, or cancel their job" in refused.output
    drain(stored, FakeTagger())
    assert marks_of(stored, second) == {1: "done"}
    run("models", "activate", "2")
    pruned = run("annotations", "prune", "--model", "1").output
    assert pruned == "the annotations of 6 tweets by version 1 are removed\n"
    assert (marks_of(stored, 1), marks_of(stored, 2)) == ({}, {1: "done"})


def test_tweets_are_deleted_and_stay_away(run: Run, stored: Database, tmp_path: Path) -> None:
    told = run("tweets", "delete", "1", "https://twitter.com/ana/status/77").output
    assert told == "1 tweet deleted, 1 not stored; none of them can return\n"
    file = tmp_path / "deleted.txt"
    file.write_bytes(b"\xef\xbb\xbf2\n\nthree\n 4 \n\xff\n99999999999999999999\n")
    done = run("tweets", "delete", "--file", str(file))
    assert (done.exit_code, done.stdout) == (3, "2 tweets deleted, 0 not stored; none of them can return\n")
    assert "line 3: 'three' is not a tweet's id" in done.stderr
    assert [line.split(":")[0] for line in done.stderr.split("\n")] == [
        "line 3",
        "line 5",
        "line 6",
        "3 lines held no id",
        "",
    ]
    piped = run("tweets", "delete", "5", "--file", "-", input="6\n")
    assert (piped.exit_code, piped.output) == (0, "2 tweets deleted, 0 not stored; none of them can return\n")
    rows = "\n".join(json.dumps({"id": str(number), "text": "Ann"}) for number in (1, 2, 3, 77))
    assert (
        "0 tweets added in 0 batches, 1 already there, 3 deleted before and kept out"
        in run("enqueue", "-", input=rows).output
    )
    assert marks_of(stored, 1) == {3: "done"}
    assert as_json(run("status", "--json"))["tweets"] == 1
    assert "tweet 1 is not stored" in run("entities", "tweet", "1").output


ERRORS = [
    (("jobs", "show", "nothing"), "there is no job 'nothing'; see `tweetspan jobs list`"),
    (("jobs", "wait", "99"), "there is no job '99'; see `tweetspan jobs list`"),
    (("jobs", "cancel", "test"), "job 1 is done: nothing of it is left; see `tweetspan jobs show 1`"),
    (("failures", "requeue"), "or say --all; see `tweetspan failures list`"),
    (("failures", "requeue", "--reason", ""), "or say --all; see `tweetspan failures list`"),
    (("failures", "forget", "1", "--all"), "or say --all; see `tweetspan failures list`"),
    (("failures", "list", "--model", "9"), "there is no model version 9; see `tweetspan models list`"),
    (("reannotate", "--model", "9"), "there is no model version 9; see `tweetspan models list`"),
    (("reannotate", "--where", "colour=red"), "'colour=red' is not KEY=VALUE with one of language, author"),
    (("reannotate", "--where", "text="), "'text=' is not KEY=VALUE"),
    (("reannotate", "--where", "text=a", "--where", "text=b"), "--where text is given twice"),
    (("reannotate", "--where", "since=yesterday"), "'yesterday' is not a time; write 2024-03-05"),
    (("reannotate", "--where", "since=7d"), "no stored tweet has a time; give a date"),
    (("annotations", "prune", "--model", "1"), "version 1 is active; activate another one first"),
    (("tweets", "delete"), "no tweet is named; give ids, or --file with one id a line"),
]


def test_errors_name_the_value_and_the_next_step(run: Run, stored: Database) -> None:
    for arguments, said in ERRORS:
        done = run(*arguments)
        assert done.exit_code == 1, arguments
        assert said in done.output


def test_a_real_worker_reads_for_two_versions(
    tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    run: Run = lambda *arguments, **options: CliRunner().invoke(cli.main, arguments, **options)  # noqa: E731
    config = TrainingConfig(base_model=str(tiny_encoder), device="cpu")
    TrainedModel(load_encoder(config, load_named("sample")), config, {}).save(tmp_path / "model")
    model = {"artifact_uri": (tmp_path / "model").as_uri(), "artifact_hash": read_manifest(tmp_path / "model").hash}
    with closing(open_database(f"sqlite:///{tmp_path / 'tweetspan.db'}")) as database:
        with database.write_session() as session:
            model_versions.activate(session, model_versions.register(session, **VERSION | model).id)
            model_versions.register(session, **VERSION | model)
        enqueue_tweets(database, range(1, 6))
        assert "5 tweets queued for version 2" in run("reannotate", "--model", "2").output
        with running([*TWEETSPAN, "worker", "--until-empty"], environment(tmp_path), tmp_path / "log") as worker:
            assert run("jobs", "wait", "test", "--timeout", "120").exit_code == 0, worker.said
            assert run("jobs", "wait", "2", "--timeout", "120").exit_code == 0, worker.said
            assert worker.process.wait(60) == 0, worker.said
        assert marks_of(database, 1) == marks_of(database, 2) == dict.fromkeys(range(1, 6), "done")
