"""`tweetspan entities`: ask what was found. One file a question, and one for what people say about entities."""

import click

from commands.entities.compare import compare
from commands.entities.edits import edits, hide, merge, rename, undo
from commands.entities.search import search
from commands.entities.timeline import timeline
from commands.entities.top import top
from commands.entities.trending import trending
from commands.entities.tweet import tweet


@click.group("entities")
def entities_command() -> None:
    """Ask which entities the tweets mention, and where; say which are the same, or noise."""


for _command in (top, search, timeline, trending, compare, tweet, merge, rename, hide, undo, edits):
    entities_command.add_command(_command)
