"""`tweetspan entities`: ask what was found. One file a question, and one for what people say about entities."""

import click

from commands.entities.audit import audit
from commands.entities.edits import edits, hide, merge, rename, undo
from commands.entities.search import search
from commands.entities.top import top
from commands.entities.tweet import tweet


@click.group("entities")
def entities_command() -> None:
    """Ask which entities the tweets mention, and where; say which are the same, or noise."""


for _command in (top, search, tweet, audit, merge, rename, hide, undo, edits):
    entities_command.add_command(_command)
