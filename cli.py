"""The `tweetspan` command. Each command is a file in commands/, imported only when it is needed."""

from importlib import import_module
from typing import Any

import click

from tagging.errors import TweetspanError

_COMMANDS = (
    "train", "corpus", "evaluate", "models", "tag", "enqueue", "worker", "status", "jobs", "failures", "reannotate",
    "entities", "digest", "annotations", "tweets", "export", "sample", "import-labels", "serve", "db", "health", "demo",
)  # fmt: skip


class _LazyGroup(click.Group):
    """Imports a command's file when it is asked for; shows every TweetspanError as `Error: ...` with exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"commands.{name}"), f"{name}_command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TweetspanError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tweetspan")
def main() -> None:
    """Turn a stream of tweets into a database of named entities.

    Everything is kept in TWEETSPAN_HOME (~/.tweetspan), in SQLite and an embedded Redis, unless TWEETSPAN_DATABASE_URL
    and TWEETSPAN_BROKER_URL name servers. `tweetspan demo` shows the whole way.
    """


if __name__ == "__main__":
    main()
