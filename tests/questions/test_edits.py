"""What people say about entities, and how an entity is found by what it is called."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from db import entity_edits, spans
from db.entity_lookup import keys_for, look_up
from db.filters import Filter
from db.questions.top import top
from db.session import Database, open_database
from tagging.errors import QueryError
from tests.questions.test_search import store_names
from tests.questions.world import Key, World, add_version, entity_id, hide, merge, rename, undo

A, B, C = [(name, "PER") for name in ("ann", "bob", "cem")]


@pytest.fixture
def world(database: Database) -> World:
    """Three persons that version 1 has read of: ann once, bob twice, cem three times."""
    version_id = add_version(database)
    for number, name in enumerate(["ann", "bob", "bob", "cem", "cem", "cem"], start=1):
        store_names(database, version_id, number, None, (name, "PER"))
    return World()


@pytest.fixture
def session(database: Database, world: World) -> Iterator[Session]:
    with database.read_session() as session:
        yield session


def counted(database: Database, version_id: int = 1) -> dict[str, int]:
    with database.read_session() as session:
        found = top(session, Filter(model_version_id=version_id))
        assert found == top(session, Filter(model_version_id=version_id, min_score=0.01)), "by the spans"
        return {one.name: one.mentions for one in found}


def shown(database: Database, name: str) -> str:
    with database.read_session() as session:
        [one] = [one for one in top(session, Filter(model_version_id=1)) if one.name == name]
        return one.shown


def found(database: Database, text: str) -> Key:
    with database.read_session() as session:
        one = look_up(session, text, 1)
        return one.name, one.label


def test_chains_and_what_is_left_of_them_after_an_undo(database: Database, world: World) -> None:
    first = merge(database, world, A, B)
    second = merge(database, world, B, C)
    assert counted(database) == {"cem": 6}
    undo(database, world, first)
    assert counted(database) == {"cem": 5, "ann": 1}
    third = merge(database, world, C, A)  # the other way round
    assert counted(database) == {"ann": 6}
    undo(database, world, second)
    assert counted(database) == {"ann": 4, "bob": 2}
    undo(database, world, third)
    assert counted(database) == {"ann": 1, "bob": 2, "cem": 3}


def test_what_is_merged_is_not_merged_again(database: Database, world: World) -> None:
    merge(database, world, A, B)
    for source, target in ((A, B), (B, A), (A, A)):
        with pytest.raises(QueryError, match="are one entity already; see `tweetspan entities edits`"):
            merge(database, world, source, target)
    assert counted(database) == {"bob": 3, "cem": 3}


def test_names(database: Database, world: World) -> None:
    rename(database, world, A, " The Boss ")
    last = rename(database, world, A, "Ann 😀")
    assert shown(database, "ann") == "Ann 😀"
    assert found(database, "ANN") == found(database, "ann 😀") == found(database, "per:Ann 😀") == A
    with pytest.raises(QueryError, match="no entity is called 'the boss'"):
        found(database, "the boss")
    undo(database, world, last)
    assert found(database, "the boss") == A
    with pytest.raises(QueryError, match="the name '  ' is empty"):
        rename(database, world, A, "  ")


def test_hidden_once(database: Database, world: World) -> None:
    edit_id = hide(database, world, A)
    assert edit_id is not None
    assert hide(database, world, A) is None
    assert counted(database) == {"cem": 3, "bob": 2}
    undo(database, world, edit_id)
    assert counted(database) == {"cem": 3, "bob": 2, "ann": 1}
    with pytest.raises(QueryError, match=f"edit {edit_id} was undone before, by bob"):
        undo(database, world, edit_id)
    with pytest.raises(QueryError, match="there is no edit 99; see `tweetspan entities edits`"):
        undo(database, world, 99)


def test_many_are_hidden_at_once_each_by_an_edit_of_its_own(database: Database, world: World) -> None:
    ids = {name: entity_id(database, (name, "PER")) for name in [*"abcdefgh", "ann", "bob"]}
    merge(database, world, A, B)
    hide(database, world, ("c", "PER"))
    with database.write_session() as session:
        made = entity_edits.hide_all(session, [*ids.values(), ids["a"]], "ann")
        assert len(made) == 8, "ann and bob are one, and c was hidden"
        assert entity_edits.hide_all(session, list(ids.values()), "ann") == []
        last = made[-1].id
    assert counted(database) == {"cem": 3}
    with database.write_session() as session:
        entity_edits.undo(session, last, "ann")
    assert counted(database) == {"bob": 3, "cem": 3}


def test_edits_outlive_a_new_reading(database: Database, world: World) -> None:
    merge(database, world, A, B)
    rename(database, world, B, "Bob & Ann")
    hide(database, world, C)
    second = add_version(database)
    store_names(database, second, 11, None, ("Ann", "PER"), ("@bob", "PER"), ("Cem", "PER"), ("Dee", "PER"))
    assert counted(database, second) == {"bob": 2, "dee": 1}
    assert counted(database) == {"bob": 3}
    assert shown(database, "bob") == "Bob & Ann"


def test_the_history(database: Database, world: World) -> None:
    first = merge(database, world, A, B)
    rename(database, world, B, "Bobby")
    undo(database, world, first)
    with database.read_session() as session:
        renamed, merged = entity_edits.all_edits(session)
    assert (renamed.kind, renamed.entity, renamed.to, renamed.undone_by) == ("rename", "PER:bob", "Bobby", None)
    assert (merged.kind, merged.entity, merged.to, merged.who) == ("merge", "PER:ann", "PER:bob", "ann")
    assert (merged.why, merged.undone_by) == ("same person", "bob")
    assert merged.undone_at is not None
    assert merged.undone_at >= merged.made_at


def test_an_entity_is_found_by_its_name_its_label_and_its_alias(database: Database, world: World) -> None:
    store_names(database, 1, 20, None, ("Ann", "LOC"), ("ann", "LOC"), ("Re: Zero", "MISC"))
    assert found(database, "@Ann!") == ("ann", "LOC"), "more mentions than the person"
    assert found(database, "per:ann") == found(database, " Per : ANN ") == A
    assert found(database, "re: zero") == found(database, "MISC:Re: Zero") == ("re: zero", "MISC")
    merge(database, world, ("ann", "LOC"), B)
    assert found(database, "LOC:ann") == B, "an alias, by its own label"
    assert found(database, "PER:ann") == A
    assert found(database, "ann") == B, "with the mentions of both"
    with pytest.raises(QueryError, match="no entity is called 'ORG:ann'; there is"):
        found(database, "ORG:ann")


@pytest.mark.parametrize("name", ["100% real", "a_b", "it's", 'say "hi" x', "back\\slash", "1); drop table spans; x"])
def test_names_are_taken_literally(database: Database, world: World, name: str) -> None:
    store_names(database, 1, 20, None, *((one, "PER") for one in ("1000 real", "axb", "its", "backslash", name)))
    assert found(database, name) == (name, "PER")
    with pytest.raises(QueryError, match="no entity is called"):
        found(database, name + " and more")


@pytest.mark.parametrize("text", ["nobody", "%", "_", "x" * 1000, "\udcff", "\0", "PER:%", "' OR 1=1 --", "🙈"])
def test_what_nothing_is_called(session: Session, text: str) -> None:
    with pytest.raises(QueryError) as raised:
        look_up(session, text, 1)
    assert len(str(raised.value)) < 200
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("text", ["", " \t", "PER:", "PER: "])
def test_what_is_no_name(session: Session, text: str) -> None:
    with pytest.raises(QueryError, match="empty once normalised"):
        look_up(session, text, 1)


def test_a_long_name_is_the_entity_that_its_beginning_names(database: Database, world: World) -> None:
    store_names(database, 1, 20, None, ("y" * 1000, "ORG"))
    assert found(database, "Y" * 1000) == ("y" * 200, "ORG")


@pytest.mark.parametrize("sign", [" ", "!", "_"])
def test_a_name_that_was_cut_behind_a_sign_is_found_as_it_is_stored(
    database: Database, world: World, sign: str
) -> None:
    name = "y" * 199 + sign
    store_names(database, 1, 20, None, (name + "y", "ORG"))
    assert found(database, f"ORG:{name}") == (name, "ORG")
    assert found(database, name) == (name, "ORG")


def test_like_names_are_told_in_a_form_that_harms_no_terminal(database: Database, world: World) -> None:
    store_names(database, 1, 20, None, ("big \x1b[2J ben", "LOC"), ("big ben", "LOC"), ("big bend park", "LOC"))
    with pytest.raises(QueryError) as raised:
        found(database, "big ben clock")
    assert str(raised.value) == "no entity is called 'big ben clock'; there is 'LOC:big ben'"
    with pytest.raises(QueryError, match="there is 'LOC:big bend park', "):
        found(database, "big bend par")
    with pytest.raises(QueryError) as raised:
        found(database, "big ")
    assert str(raised.value).endswith(r"there is 'LOC:big ben', 'LOC:big \x1b[2j ben', 'LOC:big bend park'")


def test_a_stop_list_means_every_label_or_the_one_that_is_written(session: Session) -> None:
    labels = ("LOC", "MISC", "ORG", "PER")
    assert keys_for(session, ["@RT", "org:Via", "", "PER:", "re: it"]) == {
        *(("rt", label) for label in labels), ("via", "ORG"), *(("re: it", label) for label in labels),
    }  # fmt: skip


def test_what_was_hidden_before_it_came_stays_hidden(database: Database, world: World) -> None:
    with database.write_session() as session:
        ids = spans.look_up_entities(session, keys_for(session, ["RT"]))
        assert len(entity_edits.hide_all(session, list(ids.values()), "ann")) == 4
    store_names(database, 1, 20, None, ("RT", "ORG"), ("rt", "PER"), ("Dee", "PER"))
    assert counted(database) == {"cem": 3, "bob": 2, "ann": 1, "dee": 1}


def test_two_edit_at_once(database_url: str, database: Database, world: World) -> None:
    """Two people merge the same entities, each the other way round: one of the two is told that they are one."""
    pairs = [[entity_id(database, (f"{side} {number}", "PER")) for side in ("left", "right")] for number in range(12)]

    def merge_all(is_reversed: bool) -> int:
        own, refused = open_database(database_url), 0
        for pair in pairs:
            try:
                with own.write_session() as session:
                    entity_edits.merge(session, *(pair[::-1] if is_reversed else pair), "ann")
            except QueryError:
                refused += 1
        own.close()
        return refused

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(merge_all, [False, True])) == len(pairs)
    with database.read_session() as session:
        both = [entity_edits.roots(session, pair) for pair in pairs]
        assert all(one == other and one in pair for (one, other), pair in zip(both, pairs, strict=True))
