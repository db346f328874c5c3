"""`tweetspan entities tweet`."""

from __future__ import annotations

import click

from commands.tweet_ids import parse_tweet_id


@click.command("tweet")
@click.argument("tweet_id", metavar="ID", callback=lambda context, option, value: parse_tweet_id(value))
@click.option("--model", default="active", show_default=True, help="A version's number.")
@click.option("--json", "as_json", is_flag=True, help="For machines; ids are strings.")
def tweet(tweet_id: int, model: str, as_json: bool) -> None:
    """Show one tweet with its spans marked.

    \b
    Example: tweetspan entities tweet 153928603371978755
    """
    from answers.rows import read_tweet_row
    from answers.wording import clean
    from commands.opening import opened
    from commands.rendering import marked, print_json, print_table
    from db import model_versions
    from db.questions.reading import read_tweet

    with opened() as (_, database), database.read_session() as session:
        version_id = model_versions.find(session, model).id
        found = read_tweet(session, tweet_id, version_id)
    if as_json:
        print_json(read_tweet_row(found, version_id))
        return
    click.echo(marked(found.text, found.mentions))
    if found.status != "done":
        click.echo(
            f"{found.status}: {clean(found.error or '')}"
            if found.status
            else "not read yet by this version; see `tweetspan status`"
        )
    elif found.mentions:
        rows = [[one.surface, one.label, one.start, one.end, one.score] for one in found.mentions]
        print_table(["surface", "label", "start", "end", "score"], rows)
