"""`tweetspan entities`: ask what was found. One file a question, and one for what people say about entities."""

import click

from commands.entities.audit import audit
from commands.entities.compare import compare
from commands.entities.context import context
from commands.entities.edits import edits, hide, merge, rename, undo
from commands.entities.related import related
from commands.entities.search import search
from commands.entities.show import show
from commands.entities.suggest import suggest_merges
from commands.entities.timeline import timeline
from commands.entities.top import top
from commands.entities.trending import trending
from commands.entities.tweet import tweet


@click.group("entities")
def entities_command() -> None:
    """Ask which entities the tweets mention, and where; say which are the same, or noise."""


_QUESTIONS = (top, search, show, timeline, trending, compare, related, context, tweet)
for _command in (*_QUESTIONS, audit, suggest_merges, merge, rename, hide, undo, edits):
    entities_command.add_command(_command)
