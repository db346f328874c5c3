"""`tweetspan demo`: the main job on the sample data, with the commands that a user would type."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from settings import changed_environment
from tagging.errors import DemoError

if TYPE_CHECKING:
    from db.exports import ExportedTweet

_MARKER = ".tweetspan-demo"  # only a folder that we made is thrown away
_TRAIN = "train --dataset sample --base-model starter --epochs 8 --batch-size 16 --calibration-folds 0 --activate"
_SHOWN = 3  # tweets with their spans marked
_NEXT = (
    "tag 'Greetings from Lisbon, says @ana'",
    "entities top --label PER --since 3d",
    "entities search galway",
    "models show",
    "export > annotations.jsonl",
)


@click.command("demo", short_help="Show the whole way on the sample data.")
@click.option("--home", type=click.Path(path_type=Path), default=Path("demo-data"), show_default=True)
def demo_command(home: Path) -> None:
    """Train on the sample corpus, enqueue the sample tweets, tag them, ask: every command is shown before it runs.

    All of it happens in the folder --home, on SQLite and the embedded Redis; an earlier demo in it is thrown away.

    \b
    Example: tweetspan demo
    """
    from trainer.sample import sample_folder

    started = time.monotonic()
    _make_folder(home)
    _run(home, *_TRAIN.split())
    _run(home, "enqueue", str(sample_folder() / "stream.jsonl"))
    _run(home, "worker", "--until-empty", "--log-level", "warning")
    _run(home, "status")
    _run(home, "entities", "top")
    for tweet_id in _telling_tweets(home):
        _run(home, "entities", "tweet", tweet_id)
    click.secho(f"\nThat took {time.monotonic() - started:.0f} s. To go on, in this folder's database:", bold=True)
    click.echo(f"  export TWEETSPAN_HOME={home}")
    for command in _NEXT:
        click.echo(f"  {_program()} {command}")
    click.secho("To look at it in a browser:", bold=True)
    click.echo(f"  TWEETSPAN_HOME={home} {_program()} serve")


def _run(home: Path, *arguments: str) -> None:
    """Show a command as a user would type it, then run it in the demo's home, on the embedded defaults."""
    click.secho(f"\n$ tweetspan {shlex.join(arguments)}", bold=True, fg="yellow")
    said = {"TWEETSPAN_HOME": str(home), "TWEETSPAN_DATABASE_URL": "", "TWEETSPAN_BROKER_URL": ""}
    program = [sys.executable, str(Path(__file__).resolve().parent.parent / "cli.py")]
    done = subprocess.run([*program, *arguments], env=changed_environment(said), check=False)  # noqa: S603 (our own)
    if done.returncode:
        raise DemoError(f"`tweetspan {shlex.join(arguments)}` ended with exit code {done.returncode}; see above")


def _make_folder(home: Path) -> None:
    if home.exists() and (home.is_file() or any(home.iterdir())):
        if not (home / _MARKER).exists():
            raise DemoError(f"{home} holds something that no demo made; give another folder: --home FOLDER")
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARKER).touch()


def _telling_tweets(home: Path) -> list[str]:
    """Choose tweets to show: those with most kinds of entities, then those whose least sure span is surest."""
    from db import exports
    from db.filters import Filter
    from db.session import open_database

    database = open_database(f"sqlite:///{home.absolute() / 'tweetspan.db'}")
    with database.read_session() as session:
        tweets = exports.annotated_tweets(session, Filter(model_version_id=1))
    database.close()
    found = [tweet for tweet in tweets if tweet.spans]
    found.sort(key=lambda tweet: (-len({span.label for span in tweet.spans}), -_least_sure(tweet), str(tweet.id)))
    return [str(tweet.id) for tweet in found[:_SHOWN]]


def _least_sure(tweet: ExportedTweet) -> float:
    return min(span.score for span in tweet.spans)


def _program() -> str:
    return "tweetspan" if shutil.which("tweetspan") else f"{shlex.quote(sys.executable)} cli.py"
