"""`tweetspan models activate`, `rollback` and `history`: which version tags, and which did before."""

from __future__ import annotations

import click

_REANNOTATE = "to have it read what it has not read of the stored tweets: tweetspan reannotate"


@click.command("activate")
@click.argument("version")
@click.option("--force", is_flag=True, help="Even if it is significantly worse.")
def activate(version: str, force: bool) -> None:
    """Tag with a version from now on; workers pick it up with their next batch.

    Refused if it is significantly worse than the active one: if both were evaluated on the same texts, as two that were
    trained on one corpus are, and the 95 % interval of the difference in official, joined or plain F1 lies below zero.
    Nothing is tagged for that: the counts of each text are kept. Where they cannot be compared, that is said.

    \b
    Example: tweetspan models activate 2
    """
    from commands.guarding import activate_guarded
    from commands.opening import opened
    from db import model_versions

    with opened() as (_, database), database.write_session() as session:
        version_id = model_versions.find(session, version).id
        compared = activate_guarded(session, version_id, force)
    if compared:
        click.echo(compared)
    click.echo(f"model version {version_id} is active; what others have read stays under their --model")
    click.echo(_REANNOTATE)


@click.command("rollback")
def rollback() -> None:
    """Tag with the version that was active before; again, with the one before that.

    Workers pick it up with their next batch. What the other version has read stays under its --model.

    \b
    Example: tweetspan models rollback
    """
    from commands.opening import opened
    from db import model_versions

    with opened() as (_, database), database.write_session() as session:
        left = model_versions.lock_active(session)
        version_id = model_versions.rollback(session)
    click.echo(f"model version {version_id} is active again, instead of {left}")
    click.echo(_REANNOTATE)


@click.command("history")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def history(as_json: bool) -> None:
    """List when which version was activated, how it stood against the one before, and what was rolled back.

    \b
    Example: tweetspan models history
    """
    from commands.opening import opened
    from commands.rendering import print_json, print_table
    from db import model_versions

    with opened() as (_, database), database.read_session() as session:
        rows = model_versions.history(session)
    if as_json:
        print_json(rows)
    elif rows:
        headings = ("version", "activated (UTC)", "rolled back (UTC)", "compared with the one before")
        print_table(headings, [list(row.values()) for row in rows])
    else:
        click.echo("no model version was active yet; run `tweetspan train`")
