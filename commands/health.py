"""`tweetspan health`: for the health check of a container."""

import socket

import click

_LATELY = 30.0  # seconds; a worker beats every two


@click.command("health", short_help="Tell whether a worker lives here.")
def health_command() -> None:
    """Exit with 0 if a worker of this machine was seen in the ledger lately, with 1 if not; also while it is busy.

    \b
    Example: tweetspan health
    """
    from commands.opening import opened
    from db import workers

    host = socket.gethostname()
    with opened() as (_, database), database.read_session() as session:
        alive = [one.name for one in workers.seen_within(session, _LATELY) if one.name.startswith(f"{host}:")]
    if not alive:
        raise click.ClickException(
            f"no worker of {host} was seen in the last {_LATELY:.0f} s; start one: tweetspan worker"
        )
    click.echo(f"alive: {', '.join(alive)}")
