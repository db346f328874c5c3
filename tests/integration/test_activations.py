"""Which version is active, and was before: the history, going back, and a worse version that is kept out."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from commands.guarding import activate_guarded
from db import evaluations, model_versions
from db.session import Database
from tagging.errors import ModelVersionError, WorseModelError
from tests.ledger_tools import VERSION, claim, enqueue_tweets
from tests.processes import environment
from trainer.entity_counts import FIGURES, EntityCounts
from trainer.kept_counts import pack

Run = Callable[..., Result]


def counted(right: int, texts: int = 40, gold: int = 1) -> dict[str, Any]:
    """Counts of a version that finds an entity in each of the first `right` texts, in every figure."""
    table = np.zeros((texts, 1, 3), dtype=int)
    table[:, 0, 2] = gold
    table[:right, 0, :2] = 1
    return pack(dict.fromkeys(FIGURES, EntityCounts(("PER",), table)))


def register(database: Database, counts: dict[str, Any] | None = None, **evaluation: Any) -> int:
    """Register a version, and an evaluation of it."""
    told = {"texts_fingerprint": "f", "corpus": "small", "split": "validation", "texts": 40, **evaluation}
    with database.write_session() as session:
        version_id = model_versions.register(session, **VERSION).id
        session.flush()
        results = {"counts": counts} if counts else {"of": "before counts were kept"}
        evaluations.record(session, model_version_id=version_id, results=results, **told)
        return version_id


def activate(database: Database, version_id: int) -> None:
    with database.write_session() as session:
        model_versions.activate(session, version_id)


def rollback(database: Database) -> int:
    with database.write_session() as session:
        return model_versions.rollback(session)


def active(database: Database) -> int | None:
    with database.read_session() as session:
        return model_versions.active_id(session)


def test_rollback_goes_back_one_activation_at_a_time(database: Database) -> None:
    one, two, three = (register(database) for _ in range(3))
    for version_id in (one, two, one, three, three):  # the last changes nothing
        activate(database, version_id)
    assert [rollback(database) for _ in range(3)] == [one, two, one]
    assert active(database) == one
    with pytest.raises(ModelVersionError, match="no other version was active before; see `tweetspan models history`"):
        rollback(database)
    assert active(database) == one


def test_an_activation_after_a_rollback_can_itself_be_rolled_back(database: Database) -> None:
    one, two, three = (register(database) for _ in range(3))
    activate(database, one)
    activate(database, two)
    assert rollback(database) == one
    activate(database, three)
    assert rollback(database) == one
    with database.read_session() as session:
        stands = {row["version"]: row["rolled_back_at"] is None for row in model_versions.history(session)}
    assert stands == {three: False, two: False, one: True}


def test_nothing_can_be_rolled_back_where_nothing_was_active(database: Database) -> None:
    register(database)
    with pytest.raises(ModelVersionError):
        rollback(database)
    assert active(database) is None


def test_a_batch_that_is_claimed_after_a_rollback_is_tagged_with_the_version_before(database: Database) -> None:
    one, two = register(database), register(database)
    activate(database, one)
    activate(database, two)
    enqueue_tweets(database, range(4), batch_size=2)
    with database.write_session() as session:
        before = claim(session, 1)
    rollback(database)
    with database.write_session() as session:
        after = claim(session, 2)
    assert before is not None
    assert after is not None
    assert (before.model_version_id, after.model_version_id) == (two, one)


def test_who_would_be_the_first_waits_for_another_who_would(database: Database) -> None:
    one = register(database)

    def seen_by_another() -> int | None:
        with database.write_session() as session:
            return model_versions.lock_active(session)

    with ThreadPoolExecutor(1) as thread:
        with database.write_session() as session:
            assert model_versions.lock_active(session) is None
            seen = thread.submit(seen_by_another)
            with pytest.raises(TimeoutError):
                seen.result(timeout=0.5)
            model_versions.activate(session, one)
        assert seen.result(timeout=30) == one


def test_a_significantly_worse_version_is_refused_unless_forced(database: Database) -> None:
    good = register(database, counted(36))
    bad = register(database, counted(10))
    with database.write_session() as session:
        assert activate_guarded(session, good) is None, "the first has nothing to be compared with"
    figures = r"official F1 0\.9474 to 0\.4000 \(-0\.5474, 95 % interval -"
    with pytest.raises(WorseModelError, match=figures), database.write_session() as session:
        activate_guarded(session, bad)
    assert active(database) == good
    with database.write_session() as session:
        forced = activate_guarded(session, bad, force=True)
    assert forced
    assert forced.startswith(
        f"forced: compared with version {good} on 40 texts (validation): official F1 0.9474 to 0.4000"
    )
    assert active(database) == bad
    with database.write_session() as session:
        assert activate_guarded(session, good), "a better one may always come"
    with database.read_session() as session:
        assert [row["compared"] for row in model_versions.history(session)][1:] == [forced, None]


def test_a_version_that_may_be_worse_by_chance_is_activated(database: Database) -> None:
    good, other = (register(database, counted(right)) for right in (36, 35))
    activate(database, good)
    with database.write_session() as session:
        activate_guarded(session, other)
    assert active(database) == other


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"counts": counted(1), "texts_fingerprint": "other"}, id="other texts"),
        pytest.param({"counts": counted(1), "split": "train"}, id="a training split"),
        pytest.param({"counts": None}, id="no counts were kept"),
        pytest.param({"counts": counted(1, gold=2)}, id="counted in another way"),
    ],
)
def test_what_cannot_be_compared_is_activated_and_told(database: Database, told: dict[str, Any]) -> None:
    activate(database, register(database, counted(36)))
    other = register(database, **told)
    with database.write_session() as session:
        compared = activate_guarded(session, other)
    assert compared
    assert compared.startswith("not compared with version 1: the two were not evaluated on the same texts; `tweetspan")
    assert active(database) == other


def test_of_several_common_texts_the_validation_split_counts(database: Database) -> None:
    one, other = (register(database, counted(36)) for _ in range(2))
    for version_id in (one, other):
        for fingerprint, split, texts in (("g", "all", 99), ("h", "validation", 60), ("i", "test", 99)):
            told = {"model_version_id": version_id, "texts_fingerprint": fingerprint, "split": split, "texts": texts}
            with database.write_session() as session:
                evaluations.record(session, corpus="small", results={"counts": counted(36)}, **told)
    with database.read_session() as session:
        pair = evaluations.on_common_texts(session, one, other)
        assert pair is not None
        assert [(found.model_version_id, found.texts_fingerprint) for found in pair] == [(one, "h"), (other, "h")]


@pytest.mark.parametrize("trained", [0, 1])
def test_a_file_that_one_of_the_two_was_trained_on_does_not_count(database: Database, trained: int) -> None:
    numbers = [register(database, counted(36), texts_fingerprint="train.conll", split="all") for _ in range(2)]
    with database.read_session() as session:
        assert evaluations.on_common_texts(session, *numbers)
    with database.write_session() as session:
        version = model_versions.find(session, str(numbers[trained]))
        version.config = {**version.config, "train_fingerprint": "train.conll"}
    with database.read_session() as session:
        assert evaluations.on_common_texts(session, *numbers) is None


@pytest.fixture
def run(tmp_path: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on each database."""
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def test_the_commands(run: Run, database: Database) -> None:
    assert run("models", "history").output == "no model version was active yet; run `tweetspan train`\n"
    for right in (36, 10):
        register(database, counted(right))
    assert run("models", "activate", "1").output.startswith("model version 1 is active;")
    refused = run("models", "activate", "2")
    assert refused.exit_code == 1
    assert "Error: model version 2 is significantly worse than version 1" in refused.output
    assert "`tweetspan models compare 1 2`" in refused.output
    assert "`tweetspan models activate 2 --force`" in refused.output
    forced = run("models", "activate", "2", "--force")
    assert "forced: compared with version 1 on 40 texts (validation)" in forced.output
    left, read = run("models", "rollback").output.splitlines()
    assert left == "model version 1 is active again, instead of 2"
    assert "tweetspan reannotate" in read
    assert run("models", "rollback").exit_code == 1
    told = json.loads(run("models", "history", "--json").output)
    assert [(row["version"], bool(row["rolled_back_at"])) for row in told] == [(2, True), (1, False)]
    assert "forced: compared with version 1" in run("models", "history").output
