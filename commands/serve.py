"""`tweetspan serve`: the explorer."""

from __future__ import annotations

from pathlib import Path

import click

from commands.log_options import log_options
from tagging.errors import AccessError


@click.command("serve", short_help="Explore what is stored in a browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; elsewhere a token is needed.")
@click.option("--port", type=click.IntRange(1, 65535), default=8321, show_default=True)
@click.option("--token", help="Lets those write who have it.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that holds it: a list of processes shows options.",
)
@click.option("--host-name", "names", multiple=True, help="Another name under which browsers reach it, behind a proxy.")
@log_options(default="warning")
def serve_command(
    host: str,
    port: int,
    token: str | None,
    token_file: Path | None,
    names: tuple[str, ...],
    log_level: str,
    log_format: str | None,
) -> None:
    """Show entities, tweets, models and the queue in a browser, and the same as JSON, CSV and an API.

    It listens to this machine alone and only reads, unless a token is given. See docs/explorer.md. For monitors there
    are /metrics, /healthz and /readyz: see docs/operations.md. With --log-level info each request is a line.

    \b
    Examples:
      tweetspan serve
      tweetspan serve --host 0.0.0.0 --token-file token.txt
    """
    from commands.opening import opened
    from explorer.service import Service
    from explorer.serving import access_for, host_names, listen, serve
    from worker.log_lines import log_to_stderr

    access = access_for(host, _read(token_file) if token_file else token)
    with opened() as (settings, database), listen(host, port) as listener:
        log_format = log_format or settings.log_format
        log_to_stderr(log_format, log_level.upper())
        if log_format == "text":  # a program that reads lines of JSON is to find nothing else
            click.echo(f"http://{f'[{host}]' if ':' in host else host}:{port}/ (Ctrl-C ends it)", err=True)
        serve(Service(database, settings, access), host_names(host, names), listener)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"cannot read a token from {path}: {error}; name another file") from error
