"""`tweetspan entities audit`: how far the counts can be trusted, and counts corrected for the tagger's errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO, Unpack

import click

from commands.answers import Row, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.questions.audit_report import LabelReport
    from db.questions.corrected_counts import Estimate


@click.group("audit")
def audit() -> None:
    """Measure how often the tagger errs, and correct the counts for it.

    \b
    Example:
      tweetspan entities audit sample --tweets 200 > audit.jsonl
      (judge each line in an editor)
      tweetspan entities audit report audit.jsonl
    """


@audit.command("sample", short_help="Draw tweets for a person to judge.")
@click.option("--tweets", type=click.IntRange(2, 20_000), default=200, show_default=True, help="To be judged.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another one draws others.")
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-", help="[default: standard output]")
@filter_options
def sample(tweets: int, seed: int, output: TextIO, **asked: Unpack[Asked]) -> None:
    """Draw tweets at random, with and without mentions, one JSON object a line, to be judged in an editor.

    For each span write "correct": true or false; it is false, too, if its label or its bounds are wrong. Write what was
    not found into "missed", as {"surface": "...", "label": "..."} or with "start" and "end" (code points, end
    exclusive), and [] where nothing was missed. Leave the first line as it is.

    \b
    Example: tweetspan entities audit sample --tweets 200 --seed 1 > audit.jsonl
    """
    from answers.asked import chosen_filter
    from answers.wording import counted, covered
    from commands.opening import opened
    from db.questions.audit import draw_audit
    from db.questions.audit_file import audit_rows

    with opened() as (_, database), database.read_session() as session:
        drawn = draw_audit(session, chosen_filter(session, asked), tweets, seed)
    output.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in audit_rows(drawn))
    spans = sum(len(one.spans) for one in drawn.tweets)
    told = f"{counted(len(drawn.tweets), 'tweet')} and {counted(spans, 'span')} to judge, {covered(drawn.coverage)}"
    click.secho(told, dim=True, err=True)


@audit.command("report", short_help="Precision, recall and corrected counts.")
@click.argument("file", type=click.File(encoding="utf-8-sig", errors="replace"), metavar="FILE")
@form_options
def report(file: TextIO, as_json: bool, as_csv: bool) -> None:
    """Report, from a judged FILE, each label's precision, recall and number of mentions, with 95 % intervals.

    The corrected count is what the tagger found, put right by how it erred in the judged tweets (prediction-powered
    inference); beside it stands what the judged tweets alone would say. Both are of the tweets that the sample was
    drawn from, as they were then.

    \b
    Example: tweetspan entities audit report audit.jsonl
    """
    from commands.rendering import print_table
    from db.questions import audit_report
    from db.questions.audit_file import read_judged

    judged = read_judged(file)
    found = audit_report.report(judged)

    def show() -> None:
        columns = ["label", "precision", "recall", "found", "corrected count", "by the sample alone"]
        rows = [
            [one.label, _share(one.precision), _share(one.recall), f"{one.found:,}", _count(one.corrected),
             _count(one.sample_alone)]
            for one in found
        ]  # fmt: skip
        print_table(columns, rows)
        click.secho(f"in brackets 95 % intervals, from {len(judged.tweets):,} judged tweets", dim=True)

    print_answer(list(map(_row, found)), judged.coverage, as_json, as_csv, show, "the audit is about no label")


def _row(one: LabelReport) -> Row:
    return {
        "label": one.label,
        **_columns("precision", one.precision, 4),
        **_columns("recall", one.recall, 4),
        "found": one.found,
        **_columns("corrected", one.corrected, 1),
        **_columns("sample_alone", one.sample_alone, 1),
    }


def _columns(name: str, estimate: Estimate | None, digits: int) -> dict[str, Any]:
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    values = (estimate.value, estimate.low, estimate.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), (round(one, digits) for one in values), strict=True))


def _share(estimate: Estimate | None) -> str | None:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})" if estimate else None


def _count(estimate: Estimate) -> str:
    return f"{estimate.value:,.0f} ({estimate.low:,.0f} to {estimate.high:,.0f})"
