"""`tweetspan entities merge|rename|hide|undo|edits`: what people say about entities."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from answers.wording import legible
from tagging.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from db.entity_lookup import EntityRef
    from db.tables import EntityEdit


def _said(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--why", callback=_legible, help="The reason, for those who come after.")(command)
    return _who(command)


def _who(command: Callable[..., None]) -> Callable[..., None]:
    said = click.option("--who", default=_user, show_default="the user", callback=_legible, help="Who says so.")
    return said(command)


def _legible(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    return legible(text)


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


@click.command("merge", short_help="Say that two entities are one.")
@click.argument("entity")
@click.argument("into")
@_said
def merge(entity: str, into: str, who: str, why: str | None) -> None:
    """Count the mentions of ENTITY for INTO from now on, in what is stored and in what will be.

    An entity is written as its name, or with its label where several have that name: "PER:jane doe".

    \b
    Example: tweetspan entities merge PER:@bbc ORG:bbc --why "the tagger took the handle for a person"
    """
    from db import entity_edits

    with _edited() as (session, look_up):
        one, other = look_up(entity), look_up(into)
        edit = entity_edits.merge(session, one.id, other.id, who, why)
        click.echo(f"edit {edit.id}: {_called(one)} counts for {_called(other)}")


@click.command("rename", short_help="Show an entity under another name.")
@click.argument("entity")
@click.argument("name", callback=_legible)
@_said
def rename(entity: str, name: str, who: str, why: str | None) -> None:
    """Show ENTITY as NAME. Where an ENTITY is asked for, both names mean it.

    \b
    Example: tweetspan entities rename @potus "President of the United States"
    """
    from answers.wording import clean
    from db import entity_edits

    with _edited() as (session, look_up):
        one = look_up(entity)
        edit = entity_edits.rename(session, one.id, name, who, why)
        click.echo(f"edit {edit.id}: {_called(one)} is shown as {clean(edit.name or '')}")


@click.command("hide", short_help="Leave entities out of the answers.")
@click.argument("entities", nargs=-1, metavar="[ENTITY]...")
@click.option("--file", type=click.File(encoding="utf-8-sig"), help="A stop list: an entity a line; # begins a remark.")
@_said
def hide(entities: tuple[str, ...], file: TextIO | None, who: str, why: str | None) -> None:
    """Leave entities out of all answers, unless these are asked with --hidden.

    A stop list may hold names that nothing has mentioned yet: they are hidden when they come, under every label or
    under the one that is written before them ("ORG:rt").

    \b
    Examples:
      tweetspan entities hide PER:lol
      tweetspan entities hide --file stop-list.txt
    """
    from answers.wording import counted
    from db import entity_edits, spans
    from db.entity_lookup import keys_for

    listed = _lines(file) if file else []
    if not entities and not listed:
        raise QueryError("no entity is named; give names, or --file with one a line")
    with _edited() as (session, look_up):
        found = [look_up(one).id for one in entities]
        found += spans.look_up_entities(session, keys_for(session, listed)).values()
        hidden = entity_edits.hide_all(session, found, who, why)
        if hidden:
            click.echo(f"{_numbers(hidden)}: {counted(len(hidden), 'entity', 'entities')} hidden")
        else:
            click.echo("all of them are hidden already")


@click.command("undo", short_help="Take an edit back.")
@click.argument("edit", type=click.IntRange(1, 2**63 - 1), metavar="EDIT")
@_who
def undo(edit: int, who: str) -> None:
    """Let an edit count no longer; the others stay. `tweetspan entities edits` has the numbers.

    \b
    Example: tweetspan entities undo 12
    """
    from db import entity_edits

    with _edited() as (session, _):
        undone = entity_edits.undo(session, edit, who)
        click.echo(f"edit {undone.id} ({undone.kind}) is undone")


@click.command("edits", short_help="List what was merged, renamed and hidden.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def edits(as_json: bool) -> None:
    """List every edit, newest first, with who made it and why, and whether it was undone.

    \b
    Example: tweetspan entities edits
    """
    from answers.rows import edit_row
    from commands.opening import opened
    from commands.rendering import print_json, print_table
    from db import entity_edits

    with opened() as (_, database), database.read_session() as session:
        rows = [edit_row(one) for one in entity_edits.all_edits(session)]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        click.echo("nothing was merged, renamed or hidden yet")


@contextmanager
def _edited() -> Iterator[tuple[Session, Callable[[str], EntityRef]]]:
    """Open the database for an edit; yields the session, and what finds an entity by its name."""
    from commands.opening import opened
    from db import entity_lookup, model_versions

    with opened() as (_, database), database.write_session() as session:
        active = model_versions.active_id(session)
        yield session, lambda text: entity_lookup.look_up(session, text, active or 0)


def _lines(file: TextIO) -> list[str]:
    try:
        lines = [line.strip() for line in file]
    except UnicodeDecodeError:
        raise QueryError(f"{file.name} is not UTF-8 text; save it as that") from None
    return [line for line in lines if line and not line.startswith("#")]


def _called(entity: EntityRef) -> str:
    from answers.wording import clean

    return clean(f"{entity.label}:{entity.name}")


def _numbers(made: list[EntityEdit]) -> str:
    first, last = made[0].id, made[-1].id
    return f"edit {first}" if first == last else f"edits {first} to {last}"
