"""`tweetspan tweets`: find tweets, and delete what must not be kept. One file a command."""

import click

from commands.tweets.delete import delete
from commands.tweets.find import find
from commands.tweets.similar import similar


@click.group("tweets")
def tweets_command() -> None:
    """Find tweets by their words and entities; delete tweets."""


for _command in (find, similar, delete):
    tweets_command.add_command(_command)
