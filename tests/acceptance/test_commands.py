"""The commands as a user runs them, in this process; workers are real processes."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

import cli
from commands.annotated_texts import texts_fingerprint
from db import ledger, model_versions
from db.session import Database, open_database
from db.tables import Batch, Tweet
from tests.ledger_tools import VERSION, claim
from tests.processes import TWEETSPAN, environment, read_jsonl, running, tweetspan
from trainer.corpus import load_texts
from trainer.sample import sample_folder

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a home of its own, on the embedded defaults."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return lambda *arguments, **options: CliRunner().invoke(cli.main, arguments, **options)


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a version was trained by the command, the stream enqueued, and a worker has run."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(home).items():
            patch.setenv(name, value)
        source = ("--dataset", "sample", "--base-model", "starter")
        done = CliRunner().invoke(cli.main, ["train", *source, "--epochs", "3", "--calibration-folds", "0"])
        assert done.exit_code == 0, done.output
        assert "registered as model version 1, active" in done.output
        (home / "train.txt").write_text(done.output, encoding="utf-8")
        done = CliRunner().invoke(cli.main, ["enqueue", str(sample_folder() / "stream.jsonl")])
        assert "360 tweets added in 1 batch, 0 already there, 0 bad rows" in done.output
        with running([*TWEETSPAN, "worker", "--until-empty"], environment(home), home / "worker.log") as worker:
            assert worker.process.wait(120) == 0, worker.said
    return home


@pytest.fixture
def run_trained(trained_home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in the trained home."""
    monkeypatch.setenv("TWEETSPAN_HOME", str(trained_home))
    return run


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(_commands(cli.main)), ids=" ".join)
def test_every_command_is_documented_with_an_example(run: Run, path: tuple[str, ...]) -> None:
    shown = run(*path, "--help").output
    assert f"tweetspan {' '.join(path)}" in shown.split("Options:")[0].split("\n", 1)[1]


def test_train_shows_what_it_loaded_and_how_it_went(trained_home: Path) -> None:
    shown = (trained_home / "train.txt").read_text(encoding="utf-8")
    assert f"its report: {trained_home / 'reports' / 'version-1.html'}" in shown
    assert (trained_home / "reports" / "version-1.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    for said in (
        "validation",
        "660",
        "sub-words",
        "untrained: entity F1",
        "epoch 3: entity F1",
        "kept epoch",
        "trained:",
    ):
        assert said in shown


def test_models(run_trained: Run) -> None:
    listed = json.loads(run_trained("models", "list", "--json").output)
    assert [(one["version"], one["active"], one["corpus"]) for one in listed] == [(1, True, "sample")]
    shown = json.loads(run_trained("models", "show").output)
    assert shown["config"]["learning_rate"] == 0.0002
    assert shown["config"]["train_fingerprint"] == texts_fingerprint(load_texts(sample_folder() / "train.jsonl"))
    assert shown["split_sizes"] == {"train": 660, "validation": 100, "test": 100}
    assert {"torch", "transformers", "datasets"} <= shown["libraries"].keys()
    assert len(shown["corpus_fingerprint"]) == len(shown["artifact_hash"]) == 64
    assert len(shown["scores"]["epochs"]) == 3
    [evaluation] = shown["evaluations"]
    kept = shown["scores"]["epochs"][shown["scores"]["best_epoch"] - 1]
    assert evaluation["f1"]["official"]["value"] == pytest.approx(kept["overall_f1"])
    assert run_trained("models", "activate", "1").output.startswith("model version 1 is active;")
    refused = run_trained("models", "activate", "7")
    assert refused.exit_code == 1
    assert "there is no model version 7; see `tweetspan models list`" in refused.output


def test_a_version_is_uploaded_and_tags_from_there(
    run_trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads(run_trained("models", "show").output)
    uri = (tmp_path / "mount" / "1").as_uri()
    uploaded = run_trained("models", "upload", "active", uri)
    assert uploaded.output.startswith(f"model version 1 lies at {uri} now;")
    after = json.loads(run_trained("models", "show").output)
    assert after == {**before, "artifact_uri": uri}
    monkeypatch.setattr("worker.active_model._loaded", {})
    assert run_trained("tag", "Ann met Bob").exit_code == 0
    refused = run_trained("models", "upload", "1", "s3://key:hunter2@bucket/1")
    assert refused.exit_code == 1
    assert "would be kept in the database" in refused.output
    assert "hunter2" not in refused.output
    assert run_trained("models", "upload", "1", before["artifact_uri"]).exit_code == 0


def test_every_question_gives_what_the_export_holds(run_trained: Run) -> None:
    rows = [json.loads(line) for line in run_trained("export").stdout.split("\n") if line]
    assert len(rows) == 360
    assert [int(row["id"]) for row in rows] == sorted(int(row["id"]) for row in rows)
    for row in rows:
        for span in row["spans"]:
            assert row["text"][span["start"] : span["end"]] == span["surface"] != "@"
    best = json.loads(run_trained("entities", "top", "--json").output)["rows"][0]
    surfaces = [span["surface"] for row in rows for span in row["spans"] if span["label"] == best["label"]]
    assert best["mentions"] >= surfaces.count(best["entity"]) > 0
    answer = json.loads(run_trained("entities", "search", best["entity"], "--label", best["label"], "--json").output)
    found = answer["rows"]
    assert all(one["text"][one["start"] : one["end"]] == one["surface"] for one in found)
    richest = max(rows, key=lambda row: len(row["spans"]))
    shown = json.loads(run_trained("entities", "tweet", richest["id"], "--json").output)
    assert [(one["start"], one["end"]) for one in shown["spans"]] == [
        (one["start"], one["end"]) for one in richest["spans"]
    ]
    assert f"({richest['spans'][0]['label']})" in run_trained("entities", "tweet", richest["id"]).output


def test_windows_count_back_from_the_newest_tweet(run_trained: Run) -> None:
    def mentions(*window: str) -> int:
        found = json.loads(run_trained("entities", "top", "--limit", "100000", "--json", *window).output)["rows"]
        return sum(one["mentions"] for one in found)

    whole, week, day = mentions(), mentions("--since", "7d"), mentions("--since", "24h")
    assert whole > week > day > 0
    assert mentions("--until", "2024-03-10") + mentions("--since", "2024-03-10") == whole


def test_status(run_trained: Run) -> None:
    status = json.loads(run_trained("status", "--json").output)
    assert (status["tweets"], status["tweets_waiting"], status["read"]) == (360, 0, {"1": {"done": 360, "dead": 0}})
    assert status["batches"] == {"done": 1}
    assert "360 stored, 0 waiting" in run_trained("status").output
    assert run_trained("health").exit_code == 1  # the worker has gone


def test_tag_reads_arguments_or_lines(run_trained: Run) -> None:
    text = "Ana 😀 met Bob in Paris"
    told = json.loads(run_trained("tag", "--json", text).output)
    assert told["text"] == text
    assert all(text[one["start"] : one["end"]] == one["surface"] for one in told["spans"])
    lines = run_trained("tag", "--json", input=f"{text}\nhello\n").output.split("\n")
    assert json.loads(lines[0])["spans"] == told["spans"]
    assert json.loads(lines[1])["text"] == "hello"
    for limit in ("0.5", "1"):
        kept = [one for one in told["spans"] if one["score"] >= float(limit)]
        assert json.loads(run_trained("tag", "--json", "--min-score", limit, text).output)["spans"] == kept
    others = [one for one in told["spans"] if one["label"] != "PER"]
    assert others != told["spans"]
    assert json.loads(run_trained("tag", "--json", "--min-score", "per=1", text).output)["spans"] == others
    hostile = run_trained("tag", "clear \x1b[2J screen").output
    assert "\x1b[2J" not in hostile


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("entities", "top", "--since", "yesterday"), "'yesterday' is not a time; write 2024-03-05"),
        (("entities", "tweet", "12345"), "tweet 12345 is not stored"),
        (("entities", "tweet", "https://twitter.com/ana/status/12345"), "tweet 12345 is not stored"),
        (("entities", "search", "  "), "is empty once normalised"),
        (("entities", "top", "--label", "GPE"), "no model version has the label 'GPE'; there is: LOC, ORG, PER"),
        (("entities", "hide", "nobody of this name"), "no entity is called 'nobody of this name'"),
        (("entities", "hide"), "no entity is named"),
        (("entities", "undo", "99"), "there is no edit 99"),
        (("entities", "top", "--model", "x"), "model version 'x' is not a number"),
        (("tag", "--model", "9", "hi"), "there is no model version 9"),
        (("enqueue", "no-such-file.jsonl"), "cannot read no-such-file.jsonl: No such file or directory"),
        (("train", "--dataset", "sample", "--base-model", "no/such-model"), "--base-model starter"),
        (("train", "--dataset", "no/such-dataset", "--base-model", "starter"), "--dataset sample"),
        (("train", "--recipe", "best"), "recipe 'best' is not known; use one of default, tutorial"),
        (("train", "--epochs", "0"), "epochs 0 is out of range"),
        (("tag", "--min-score", "GPE=0.5", "hi"), "no model version has the label 'GPE'; there is: LOC, ORG, PER"),
        (("train", "--dataset", "sample", "--base-model", "starter", "--device", "tpu"), "device 'tpu'"),
    ],
)
def test_errors_name_the_value_and_the_next_step(run_trained: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run_trained(*arguments)
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "--calibration-folds", "1"), "1 is not possible; give 2 to 20, or 0"),
        (("entities", "top", "--min-score", "=0.5"), "'=0.5' names no label; write 0.7, or ORG=0.7"),
        (("entities", "top", "--min-score", "ORG=2"), "'2' is not a score from 0 to 1"),
    ],
)
def test_options_out_of_their_range_are_named(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_an_empty_answer_says_what_it_covers(run_trained: Run) -> None:
    told = run_trained("entities", "top", "--since", "2030-01-01").output
    assert re.fullmatch(
        r"no entity matches\nfrom 0 of 360 tweets that version 1 has read, and 0 of \d+ mentions in them\n", told
    )
    assert run_trained("entities", "top", "--label", "per").output.count("PER") == 10
    assert "'ten' is not a tweet's id" in run_trained("entities", "tweet", "ten").output


def test_nothing_works_without_an_active_version_but_says_so(run: Run) -> None:
    for arguments in (("worker", "--until-empty"), ("tag", "hi"), ("entities", "top"), ("export",)):
        done = run(*arguments)
        assert done.exit_code == 1
        assert "no model version is active; run `tweetspan train`" in done.output


def test_a_worse_version_is_registered_and_not_activated(
    run: Run, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commands import registering
    from tagging.errors import WorseModelError

    train = ("train", "--dataset", "sample", "--base-model", str(tiny_encoder), "--epochs", "1")
    assert "registered as model version 1, active" in run(*train).output

    def refuse(session: object, version_id: int) -> None:
        raise WorseModelError(f"model version {version_id} is worse")

    monkeypatch.setattr(registering, "activate_guarded", refuse)
    done = run(*train, "--seed", "2", "--activate")
    assert done.exit_code == 0, done.output
    assert "registered as model version 2\n" in done.output
    assert "model version 2 is worse" in done.output
    assert [row["active"] for row in json.loads(run("models", "list", "--json").output)] == [True, False]


def test_interrupted_training_leaves_no_half_version(
    run: Run, tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.finetune import TrainedModel

    def interrupted(self: TrainedModel, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainedModel, "save", interrupted)
    done = run("train", "--dataset", "sample", "--base-model", str(tiny_encoder), "--epochs", "1")
    assert done.exit_code == 1
    assert "Aborted!" in done.output
    assert list((tmp_path / "models").iterdir()) == []
    assert json.loads(run("models", "list", "--json").output) == []


def test_enqueue_is_idempotent_and_works_while_redis_is_down(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWEETSPAN_BROKER_URL", "redis://:hush-hush@127.0.0.1:1/0")
    stream = str(sample_folder() / "stream.jsonl")
    first = run("enqueue", stream)
    assert first.exit_code == 0
    assert "360 tweets added" in first.output
    assert "Redis does not answer; they wait in the database" in first.output
    assert "hush-hush" not in first.output
    again = json.loads(run("enqueue", stream, stream, "--json").output)
    assert (again["added"], again["known"], again["batches"]) == (0, 720, 0)


def test_secrets_never_show(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWEETSPAN_DATABASE_URL", "postgresql://me:hush-hush@127.0.0.1:1/none")
    done = run("status")
    assert done.exit_code == 1
    assert "cannot open postgresql://127.0.0.1:1/none" in done.output
    assert "hush-hush" not in done.output
    monkeypatch.setenv("TWEETSPAN_DATABASE_URL", "mysql://me:hush-hush@host/none")
    assert "hush-hush" not in run("status").output


def test_a_long_stream_is_piped_through_a_bounded_backlog(tmp_path: Path) -> None:
    lines = b"".join(b'{"id": "%d", "text": "a tweet"}\n' % number for number in range(1, 301))
    database = open_database(f"sqlite:///{tmp_path / 'tweetspan.db'}")
    with database.write_session() as session:
        model_versions.activate(session, model_versions.register(session, **VERSION).id)
    arguments = ["enqueue", "--max-waiting", "2", "--batch-size", "10", "-"]
    backlogs: list[int] = []
    with ThreadPoolExecutor(1) as pipe:
        enqueuing = pipe.submit(tweetspan, environment(tmp_path), *arguments, stdin=lines)
        while not enqueuing.done():
            backlogs.append(_finish_a_full_backlog(database))
    database.close()
    done = enqueuing.result()
    assert done.returncode == 0, done.stderr
    assert "300 tweets added in 30 batches, 0 already there, 0 bad rows" in done.stdout
    assert done.stderr == "waiting for workers, and none was seen lately; start one: tweetspan worker\n"
    assert max(backlogs) == 2


def test_a_stream_from_a_named_pipe_that_is_stopped_keeps_what_was_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [*TWEETSPAN, "enqueue", "--max-waiting", "1", "--batch-size", "10", str(pipe)]
    database = open_database(f"sqlite:///{tmp_path / 'tweetspan.db'}")
    stream = subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with pipe.open("wb") as writer:
        writer.write(b"".join(b'{"id": "%d", "text": "a tweet"}\n' % number for number in range(1, 26)))
        writer.flush()
        assert stream.stderr is not None
        assert stream.stderr.readline().startswith(b"waiting for workers"), "one batch is stored, another is read"
        stream.send_signal(signal.SIGTERM)
        _, said = stream.communicate(timeout=60)
    assert stream.returncode == 1, said
    assert b"Traceback" not in said
    assert _count_tweets(database) == 20
    database.close()


def _count_tweets(database: Database) -> int:
    with database.read_session() as session:
        return session.scalars(select(func.count()).select_from(Tweet)).one()


def _finish_a_full_backlog(database: Database) -> int:
    """Do as a worker does once two batches wait; return how many did."""
    time.sleep(0.1)
    with database.write_session() as session:
        waiting = session.scalars(select(Batch.id).where(Batch.status == ledger.WAITING)).all()
        for claimed in [claim(session, batch_id) for batch_id in waiting if len(waiting) >= 2]:
            assert claimed is not None
            assert ledger.finish(session, claimed)
    return len(waiting)


MALFORMED = [  # each line, and a part of the reason it is refused with; None for a good one
    (b'{"id": "101", "text": "fine"}', None),
    (b'{"id": "102", "text": "torn', "JSON"),
    (b'{"text": "no id"}', "id"),
    (b'{"id": "103", "text": "bad \xff byte"}', "UTF-8"),
    (b'{"id": "104", "text": "lone \\ud83d surrogate"}', "surrogate"),
    (b'{"id": "105", "text": "pair \\ud83d\\ude00 fine"}', None),
    (b'{"id": "106", "text": "nul \\u0000 inside"}', "NUL"),
    (b'{"id": "107", "text": ""}', "empty"),
    (b'{"id": "108", "text": "' + b"long " * 20_000 + b'"}', None),
    (b'{"id": "one hundred", "text": "word for an id"}', "one hundred"),
    (b'{"id": 1.2e+18, "text": "lost digits"}', "1.2e+18"),
    (b'{"id": "101", "text": "fine"}', None),  # a duplicate: already there
    (b'["no", "object"]', "object"),
    (b"", None),  # a blank line is no row
    (b'{"id": "9223372036854775807", "text": "the largest id"}', None),
    (b'{"id": "9223372036854775808", "text": "one too many"}', "9223372036854775808"),
]


def test_malformed_file_costs_only_its_bad_rows(
    run: Run, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWEETSPAN_DATABASE_URL", database_url)
    file = tmp_path / "malformed.jsonl"
    file.write_bytes(b"\n".join(line for line, _ in MALFORMED))
    done = run("enqueue", str(file))
    assert done.exit_code == 3
    assert "4 tweets added in 1 batch, 1 already there, 10 bad rows" in done.output
    for number, (_, reason) in enumerate(MALFORMED, start=1):
        told = [line for line in done.stderr.split("\n") if line.startswith(f"{file}:{number}: ")]
        assert len(told) == (reason is not None)
        assert reason is None or reason in told[0]
    assert json.loads(run("status", "--json").output)["tweets"] == 4
    strict = run("enqueue", "--strict", str(file))
    assert strict.exit_code == 1
    assert f"{file}:2: " in strict.output


def test_other_formats_and_standard_input(run: Run, tmp_path: Path) -> None:
    page = {
        "data": [{"id": "1", "text": "a &amp; b", "author_id": "5"}],
        "includes": {"users": [{"id": "5", "username": "ana"}]},
    }
    v1 = {
        "id": 2**60 + 1,
        "id_str": str(2**60 + 1),
        "full_text": "whole",
        "text": "who…",
        "user": {"screen_name": "bob"},
    }
    lines = "\n".join([json.dumps(page), json.dumps(v1)])
    assert "2 tweets added" in run("enqueue", "-", input=lines).output
    sheet = tmp_path / "tweets.csv"
    sheet.write_text('id,text,lang\n3,"two\nlines",en\n', encoding="utf-8")
    assert "1 tweet added" in run("enqueue", str(sheet)).output


def test_demo_goes_the_whole_way(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    env = environment(tmp_path)
    del env["OMP_NUM_THREADS"]  # it trains, on all cores, as a user has it
    demo = [*TWEETSPAN, "demo", "--home", str(home)]
    done = subprocess.run(demo, env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split("kept epoch")
    assert "[Zachary Raicik](PER) works for [Corvus](ORG) and lives in [San Diego](LOC)" not in before
    assert "[Zachary Raicik](PER) works for [Corvus](ORG) and lives in [San Diego](LOC)" in after
    assert "360 stored, 0 waiting or being tagged" in after
    assert after.count("$ tweetspan entities tweet") == 3
    refused = subprocess.run(
        [*TWEETSPAN, "demo", "--home", str(home / "models")], env=environment(tmp_path), capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "holds something that no demo made" in refused.stderr
    assert read_jsonl(sample_folder() / "stream.jsonl")  # the sample itself is left alone
