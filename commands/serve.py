"""`tweetspan serve`: the explorer."""

from __future__ import annotations

from pathlib import Path

import click

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
def serve_command(host: str, port: int, token: str | None, token_file: Path | None, names: tuple[str, ...]) -> None:
    """Show entities, tweets, models and the queue in a browser, and the same as JSON, CSV and an API.

    It listens to this machine alone and only reads, unless a token is given. See docs/explorer.md.

    \b
    Examples:
      tweetspan serve
      tweetspan serve --host 0.0.0.0 --token-file token.txt
    """
    from commands.opening import opened
    from explorer.serving import serve

    with opened() as (settings, database):
        click.echo(f"http://{f'[{host}]' if ':' in host else host}:{port}/ (Ctrl-C ends it)", err=True)
        serve(settings, database, host, port, _read(token_file) if token_file else token, names)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"cannot read a token from {path}: {error}; name another file") from error
