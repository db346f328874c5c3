"""`tweetspan annotations`: what versions have read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tagging.errors import QueryError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_CHUNK = 5000  # marks of one transaction


@click.group("annotations")
def annotations_command() -> None:
    """Remove what a version has read."""


@annotations_command.command("prune")
@click.option("--model", required=True, help="The version's number.")
def prune(model: str) -> None:
    """Remove all marks and spans of an old version, also its dead tweets. The version itself stays registered.

    The active version, and one that tweets still wait for, are refused.

    \b
    Example: tweetspan annotations prune --model 1
    """
    from answers.wording import counted
    from commands.opening import opened
    from commands.rendering import progress_bar
    from db import model_versions, spans

    count, last = 0, -1
    with opened() as (_, database), progress_bar() as progress:
        with database.read_session() as session:
            version_id = model_versions.find(session, model).id
            _refuse_if_awaited(session, version_id)
        bar = progress.add_task("removing", total=None)
        while True:
            with database.write_session() as session:
                _refuse_if_active(session, version_id)
                removed = spans.prune(session, version_id, last, _CHUNK)
            if removed is None:
                break
            count, last = count + removed[0], removed[1]
            progress.advance(bar, removed[0])
    click.echo(f"the annotations of {counted(count, 'tweet')} by version {version_id} are removed")


def _refuse_if_active(session: Session, version_id: int) -> None:
    from db import model_versions

    if version_id == model_versions.active_id(session):
        raise QueryError(f"version {version_id} is active; activate another one first")


def _refuse_if_awaited(session: Session, version_id: int) -> None:
    from db import ledger

    if not ledger.is_empty(session, version_id=version_id):
        raise QueryError(
            f"tweets wait for version {version_id}; let a worker finish them, or cancel their job "
            "(see `tweetspan jobs list`)"
        )
