"""`tweetspan tweets similar`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options
from commands.tweet_ids import parse_tweet_id

if TYPE_CHECKING:
    from answers.asked import Asked


@click.command("similar", short_help="Find the tweets that share entities with one.")
@click.argument("tweet_id", metavar="ID", callback=lambda context, option, value: parse_tweet_id(value))
@click.option("--limit", type=LIMIT, default=10, show_default=True)
@filter_options
@form_options
def similar(tweet_id: int, limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]) -> None:
    """Find the tweets that share entities with the tweet ID, the best first. Rare entities weigh more.

    A tweet's score is the sum, over the entities it shares, of log(tweets that were read / tweets that mention it).
    Retweets and copies of a text are shown once. The filters narrow down what is found, whatever the tweet ID itself
    is. At most 5,000 tweets are looked at, those of the rarest entities first.

    \b
    Example: tweetspan tweets similar 153928603371978755
    """
    from answers.asked import chosen_filter
    from answers.rows import similar_tweet_row
    from answers.wording import clean
    from commands.opening import opened
    from db.coverage import cover
    from db.questions.similar import similar, weighed_entities

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        has_entities = bool(weighed_entities(session, tweet_id, chosen))
        found, coverage = similar(session, tweet_id, chosen, limit), cover(session, chosen)

    def show() -> None:
        for one in found:
            when = one.created_at.strftime("%Y-%m-%d %H:%M") if one.created_at else "-"
            shared = ", ".join(f"{entity.shown} ({entity.label})" for entity in one.shared)
            click.secho(f"{one.tweet_id}  {when}  score {one.score:.2f}  {clean(shared)}", dim=True)
            click.echo(f"  {clean(one.text)}")

    none = "no other tweet shares an entity with it" if has_entities else "the tweet mentions no entity"
    print_answer([similar_tweet_row(one) for one in found], coverage, as_json, as_csv, show, none)
