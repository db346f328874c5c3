"""Audits: what is drawn, reading what a person judged, and what the figures of a judged sample hold."""

import json
from collections import Counter
from math import sqrt
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import spans, tweets
from db.coverage import Coverage
from db.filters import Filter
from db.questions.audit import Audit, AuditTweet, draw_audit
from db.questions.audit_file import JudgedAudit, audit_rows, read_judged
from db.questions.audit_report import report
from db.questions.corrected_counts import (
    Counts,
    Estimate,
    corrected_count,
    count_from_sample_alone,
    rate,
    tuned_lambda,
)
from db.session import Database
from tagging.errors import QueryError
from tests.questions.world import LABELS, NOON, World, add_version, filters, random_tweet

few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
TWEETS = 20_000
KNOWN = sorted({*LABELS, "MISC"})
AUDITS = 1000  # so that luck plays no part: among 100 of 95 %, fewer than 93 hold in one run of four


def counts(*values: float) -> Counts:
    return np.array(values, dtype=np.float64)


# --- statistics


class Tagger:
    """Skewed numbers of mentions in many tweets, and what a tagger of this precision and recall finds of them."""

    def __init__(self, mean: float, precision: float, recall: float, seed: int = 1) -> None:
        self.random = np.random.default_rng(seed)
        self.truth = self.random.poisson(self.random.gamma(0.7, mean / 0.7, TWEETS)).astype(float)
        self.correct = self.random.binomial(self.truth.astype(int), recall).astype(float)
        noise = mean * recall * (1 - precision) / precision
        self.found = self.correct + self.random.poisson(noise, TWEETS)

    def sample(self, size: int) -> Any:
        return self.random.choice(TWEETS, size, replace=False, shuffle=False)

    def count(self, drawn: Any) -> Estimate:
        return corrected_count(self.truth[drawn], self.found[drawn], TWEETS, int(self.found.sum()))


def holds(estimate: Estimate | None, truth: float) -> bool:
    assert estimate is not None
    return estimate.low <= truth <= estimate.high


def width(estimate: Estimate) -> float:
    return estimate.high - estimate.low


TAGGERS = [  # mentions of the label in a tweet, precision, recall, tweets judged
    (0.6, 0.85, 0.75, 200),
    (0.6, 0.85, 0.75, 60),
    (0.6, 0.99, 0.98, 60),  # most samples show no error at all
    (0.3, 0.6, 0.9, 200),
    (0.3, 1.0, 0.5, 200),
    (0.1, 0.8, 0.6, 200),
    (0.02, 0.7, 0.7, 200),  # a rare label: some samples hold none
    (1.5, 0.9, 0.85, 200),
]


@pytest.mark.parametrize(("mean", "precision", "recall", "size"), TAGGERS)
def test_95_percent_intervals_of_corrected_counts_hold_the_truth(
    mean: float, precision: float, recall: float, size: int
) -> None:
    tagger = Tagger(mean, precision, recall)
    held, widths, alone = 0, 0.0, 0.0
    for _ in range(AUDITS):
        drawn = tagger.sample(size)
        held += holds(tagger.count(drawn), tagger.truth.sum())
        widths += width(tagger.count(drawn))
        alone += width(count_from_sample_alone(tagger.truth[drawn], TWEETS))
    assert held / AUDITS >= 0.95
    assert widths < alone


@pytest.mark.parametrize(("mean", "precision", "recall", "size"), TAGGERS)
def test_95_percent_intervals_of_precision_and_recall_hold_the_truth(
    mean: float, precision: float, recall: float, size: int
) -> None:
    tagger = Tagger(mean, precision, recall)
    held: Counter[str] = Counter()
    for _ in range(AUDITS):
        drawn = tagger.sample(size)
        for name, cases in (("precision", tagger.found), ("recall", tagger.truth)):
            estimate = rate(tagger.correct[drawn], cases[drawn], TWEETS)
            held[name] += estimate is None or holds(estimate, tagger.correct.sum() / cases.sum())
    assert min(held.values()) / AUDITS >= 0.93


def test_a_useless_tagger_costs_next_to_nothing() -> None:
    tagger = Tagger(0.5, 0.9, 0.9)
    tagger.found = tagger.random.poisson(0.5, TWEETS).astype(float)
    drawn = tagger.sample(500)
    alone = count_from_sample_alone(tagger.truth[drawn], TWEETS)
    assert width(tagger.count(drawn)) == pytest.approx(width(alone), rel=0.02)


def test_a_sample_of_all_tweets_is_the_count() -> None:
    truth, found = counts(1, 0, 2, 0), counts(1, 1, 0, 0)
    for estimate in (corrected_count(truth, found, 4, 2), count_from_sample_alone(truth, 4)):
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((3, 3, 3))
    told = rate(counts(1, 0, 0, 0), truth, 4)
    assert told is not None
    assert (told.value, told.low, told.high) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_a_sample_without_errors_is_not_certain() -> None:
    truth = counts(*[1, 0, 0, 2] * 25)
    estimate = corrected_count(truth, truth, 10_000, 7_600)
    assert estimate.value == pytest.approx(7_600)
    assert estimate.high - estimate.value > 10_000 / 100 / 2, "an error in 200 tweets would pass unseen"
    told = rate(truth, truth, 10_000)
    assert told is not None
    assert told.high == told.value == 1 > told.low > 0.9


def test_no_interval_falls_below_the_mentions_that_were_seen() -> None:
    estimate = corrected_count(counts(1, 1, 0, 0), counts(0, 3, 0, 0), 5, 3)
    assert estimate.low == 2 <= estimate.value <= estimate.high


def test_a_rate_without_cases_is_unknown() -> None:
    assert rate(counts(0, 0), counts(0, 0), 10) is None


def test_a_rate_from_single_cases_is_wilsons_interval() -> None:
    told = rate(counts(*[1] * 80, *[0] * 20), counts(*[1] * 100), 10**9)
    assert told is not None
    z = 1.959964
    half = z / (1 + z * z / 100) * sqrt(0.8 * 0.2 / 99 + z * z / 40000)
    assert told.value == 0.8
    assert (told.high - told.low) / 2 == pytest.approx(half, rel=0.01)


def test_mentions_of_one_tweet_count_for_less_than_those_of_several() -> None:
    apart = rate(counts(*[1] * 10, *[0] * 10), counts(*[1] * 20), 1000)
    together = rate(counts(10, 0), counts(10, 10), 1000)
    assert apart is not None
    assert together is not None
    assert width(together) > width(apart)


def test_lambda() -> None:
    truth = counts(0, 1, 2, 3)
    assert tuned_lambda(truth, truth) == pytest.approx(1)
    assert tuned_lambda(truth, 2 * truth) == pytest.approx(0.5)
    assert tuned_lambda(truth, 3 - truth) == 0
    assert tuned_lambda(truth, truth / 2) == 1
    assert tuned_lambda(truth, counts(0, 0, 0, 0)) == 1


# --- drawing


@few
@given(chosen=filters(), size=st.integers(1, 70), seed=st.integers(0, 5))
def test_what_is_drawn(database: Database, world: World, chosen: Filter, size: int, seed: int) -> None:
    read = {tweet.id for tweet in world.read(chosen)}
    with database.read_session() as session:
        if not read:
            with pytest.raises(QueryError, match="has read no tweet that the filter takes"):
                draw_audit(session, chosen, size, seed)
            return
        audit = draw_audit(session, chosen, size, seed)
        fewer = draw_audit(session, chosen, max(1, size // 2), seed)
    expected = world.mentions(chosen)
    ids = [one.tweet_id for one in audit.tweets]
    assert len(ids) == len(set(ids)) == min(size, len(read))
    assert read >= set(ids)
    assert fewer.tweets == audit.tweets[: len(fewer.tweets)]
    for tweet in audit.tweets:
        mine = [(one.span.start, one.span.end, one.key[1]) for one in expected if one.tweet.id == tweet.tweet_id]
        assert [(one.start, one.end, one.label) for one in tweet.spans] == mine
        assert tweet.text == world.tweets[tweet.tweet_id].text
    found = Counter(one.key[1] for one in expected)
    labels = [chosen.label] if chosen.label else sorted({*KNOWN, *found})
    assert audit.mentions == {label: found[label] for label in labels}
    assert audit.coverage.tweets == len(read)


def test_both_databases_draw_the_same_tweets(database: Database, world: World) -> None:
    with database.read_session() as session:
        drawn = [one.tweet_id for one in draw_audit(session, Filter(model_version_id=1), 5, 42).tweets]
    assert drawn == DRAWN


DRAWN = [407, 549, 75, 585, 382]


def test_every_tweet_and_pair_of_tweets_is_as_likely(database: Database) -> None:
    version_id, size = add_version(database), 40
    ids = [10**18 + number * 2**22 for number in range(size)]  # as Twitter makes them: the low bits are alike
    with database.write_session() as session:
        tweets.add(session, [(tweet_id, "t", NOON, None, None, None) for tweet_id in ids])
        spans.store(session, version_id, {tweet_id: ("t", ()) for tweet_id in ids}, {})
    drawn: Counter[int] = Counter()
    neighbours = 0
    with database.read_session() as session:
        for seed in range(300):
            audit = draw_audit(session, Filter(model_version_id=version_id), 10, seed)
            mine = {one.tweet_id for one in audit.tweets}
            drawn.update(mine)
            neighbours += sum(tweet_id + 2**22 in mine for tweet_id in mine)
    expected = 300 * 10 / size
    assert sum((drawn[one] - expected) ** 2 / expected for one in ids) < 62.4, "chi-squared, one in a hundred"
    assert neighbours / 300 == pytest.approx((size - 1) * (10 / 40) * (9 / 39), abs=0.3)


# --- the file


def judged(audit_lines: list[dict[str, Any]]) -> JudgedAudit:
    return read_judged([json.dumps(one, ensure_ascii=False) + "\n" for one in audit_lines])


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """An audit of ten tweets that a person judged: every span correct, nothing missed."""
    made = [random_tweet(Random(number), number) for number in range(1, 11)]
    labels = Counter(span.label for _, found in made for span in found)
    audited = [AuditTweet(tweet.id, tweet.text, found) for tweet, found in made]
    coverage = Coverage(1, 60, 70, 120, 150)
    audit = Audit(Filter(model_version_id=1, since=NOON), 1, coverage, {one: 6 * labels[one] for one in KNOWN}, audited)
    drawn = json.loads(json.dumps([*audit_rows(audit)]))
    assert all(one["correct"] is None for row in drawn[1:] for one in row["spans"])
    for row in drawn[1:]:
        row["missed"] = []
        for span in row["spans"]:
            span["correct"] = True
    return drawn


def with_spans(rows: list[dict[str, Any]], at_least: int = 1) -> tuple[int, dict[str, Any]]:
    return next((number, row) for number, row in enumerate(rows) if number and len(row["spans"]) >= at_least)


def test_a_judged_file_is_counted(rows: list[dict[str, Any]]) -> None:
    _, row = with_spans(rows, 2)
    row["spans"][0]["correct"] = False
    row["missed"] = [{"start": row["spans"][0]["start"], "end": row["spans"][0]["end"], "label": "MISC"}]
    read = judged(rows)
    labels = [span["label"] for one in rows[1:] for span in one["spans"]]
    expected = {label: labels.count(label) for label in KNOWN}
    assert Counter(label for one in read.tweets for label in (*one.correct, *one.wrong)) == Counter(labels)
    assert [one.missed for one in read.tweets if one.missed] == [("MISC",)]
    by_label = {one.label: one for one in report(read)}
    assert by_label.keys() == expected.keys()
    wrong = by_label[row["spans"][0]["label"]]
    assert wrong.precision is not None
    assert wrong.precision.value == pytest.approx(1 - 1 / expected[wrong.label])
    assert wrong.found == rows[0]["audit"]["mentions"][wrong.label]
    assert by_label["MISC"].precision is None
    assert by_label["MISC"].recall is not None
    assert by_label["MISC"].recall.value == 0
    assert by_label["MISC"].corrected.value == pytest.approx(read.coverage.tweets / 10)


def test_a_missed_mention_by_its_surface(rows: list[dict[str, Any]]) -> None:
    rows[1]["text"] += " in Rome 🎉"
    rows[1]["missed"] = [{"surface": "Rome", "label": "LOC"}]
    assert judged(rows).tweets[0].missed == ("LOC",)


FAULTS: dict[str, Any] = {
    "write true or false": lambda row: row["spans"][0].update(correct=None),
    '"yes"; write true or false': lambda row: row["spans"][0].update(correct="yes"),
    "no longer fit; copy the line anew": lambda row: row["spans"][0].update(start=0, end=1),
    '"missed" is null': lambda row: row.update(missed=None),
    "is not a list of objects": lambda row: row.update(missed={}),
    'no object with "id" and "text"': lambda row: row.pop("text"),
    "needs a label that the audit is about": lambda row: row.update(missed=[{"surface": "x", "label": "Per"}]),
    "does not stand in the text": lambda row: row.update(missed=[{"surface": "nowhere", "label": "PER"}]),
    "has no place": lambda row: row.update(missed=[{"label": "PER"}]),
    "stands several times": lambda row: row.update(
        text=row["text"] + " xyz xyz", missed=[{"surface": "xyz", "label": "PER"}]
    ),
    "count code points": lambda row: row.update(missed=[{"start": 0, "end": 10_000, "label": "PER"}]),
    "overlap": lambda row: row.update(missed=[{**row["spans"][0], "label": "PER"}]),
}


@pytest.mark.parametrize("said", FAULTS)
def test_faults_name_their_line_and_how_to_mend_it(rows: list[dict[str, Any]], said: str) -> None:
    number, row = with_spans(rows)
    FAULTS[said](row)
    with pytest.raises(QueryError) as caught:
        judged(rows)
    [_, told] = str(caught.value).split("\n")
    assert told.startswith(f"line {number + 1}: ")
    assert said in told


def test_many_faults_are_told_at_once_but_not_all_of_them(rows: list[dict[str, Any]]) -> None:
    for row in rows[1:]:
        row["missed"] = None
    with pytest.raises(QueryError) as caught:
        judged([*rows, *rows[1:], *rows[1:]])
    assert str(caught.value).count("\nline ") == 20
    assert str(caught.value).endswith("and 10 more")


@pytest.mark.parametrize("first", ["", "{}", "[]", "1", '{"audit": 1}', '{"id": "1", "text": "a"}', "{"])
def test_a_file_that_is_no_audit(first: str) -> None:
    with pytest.raises(QueryError, match="the first line is not that of an audit"):
        read_judged([first, "{}"])


def test_what_was_left_out_is_missed(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(QueryError, match="10 tweets were drawn and 9 are there"):
        judged(rows[:-1])
    with pytest.raises(QueryError, match=rf"line 12: tweet {rows[1]['id']} stands in the file twice"):
        judged([*rows, rows[1]])
    with pytest.raises(QueryError, match="line 3: broken JSON"):
        read_judged([json.dumps(rows[0]), json.dumps(rows[1]), '{"id": "1"'])
    _, row = with_spans(rows)
    label = row["spans"][0]["label"]
    row["spans"][0]["label"] = "PER" if label != "PER" else "LOC"
    with pytest.raises(QueryError, match=f"spans were found as {label} and"):
        judged(rows)


def test_only_the_kind_that_is_asked_about_can_be_missed(rows: list[dict[str, Any]]) -> None:
    rows[1]["text"] += " and @zoe"
    rows[0]["audit"]["filter"]["kind"] = "plain"
    rows[1]["missed"] = [{"surface": "@zoe", "label": "PER"}]
    with pytest.raises(QueryError, match="'@zoe' is not of the kind 'plain'"):
        judged(rows)
