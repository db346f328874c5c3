"""`tweetspan sample`: tweets that are worth a person's time, to be corrected and taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO, Unpack

import click

from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.questions.review import ReviewTweet


@click.command("sample", short_help="Pick the tweets most worth correcting.")
@click.option("--for-review", "limit", type=click.IntRange(1, 5000), required=True, metavar="N", help="So many tweets.")
@click.option(
    "--format", "file_format", type=click.Choice(["jsonl", "label-studio"]), default="jsonl", show_default=True
)
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-", help="[default: standard output]")
@filter_options
def sample_command(limit: int, file_format: str, output: TextIO, **asked: Unpack[Asked]) -> None:
    """Pick the N tweets most worth a person's time, with the spans that were found in them.

    In turn: tweets with the lowest scores, tweets on which the latest other version disagrees, tweets with rare
    entities; each says why. Correct them in an editor (code points, end exclusive), or in Label Studio with
    <Labels name="label" toName="text"> and <Text name="text" value="$text"/>; `tweetspan import-labels` takes both
    back. They are no random sample: for figures, see `tweetspan entities audit`.

    \b
    Example: tweetspan sample --for-review 100 --format label-studio > tasks.json
    """
    from answers.asked import chosen_filter
    from answers.wording import counted, covered
    from commands.opening import opened
    from db.coverage import cover
    from db.questions.review import for_review

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        found, coverage = for_review(session, chosen, limit), cover(session, chosen)
    if file_format == "jsonl":
        output.writelines(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in found)
    else:
        tasks = [_task(one, coverage.model_version_id) for one in found]
        output.write(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n")
    click.secho(f"{counted(len(found), 'tweet')} to review, {covered(coverage)}", dim=True, err=True)


def _row(tweet: ReviewTweet) -> dict[str, Any]:
    spans = [
        {"start": one.start, "end": one.end, "label": one.label, "surface": one.surface(tweet.text),
         "score": round(one.score, 4)}
        for one in tweet.spans
    ]  # fmt: skip
    return {"id": str(tweet.tweet_id), "text": tweet.text, "spans": spans, "reasons": list(tweet.reasons)}


def _task(tweet: ReviewTweet, model_version_id: int) -> dict[str, Any]:
    """Write a tweet as a task with predictions, from which Label Studio prefills the annotation."""
    from commands.export.as_label_studio import region

    result = [
        region(one.start, one.end, one.label, one.surface(tweet.text), round(one.score, 4)) for one in tweet.spans
    ]
    data = {"id": str(tweet.tweet_id), "text": tweet.text, "reasons": "; ".join(tweet.reasons)}
    return {"data": data, "predictions": [{"model_version": f"tweetspan {model_version_id}", "result": result}]}
