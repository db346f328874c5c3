"""How good is a version, and how many mentions are there really? The answers of a judged audit, by label."""

from dataclasses import dataclass

import numpy as np

from db.questions.audit_file import JudgedAudit
from db.questions.corrected_counts import Counts, Estimate, corrected_count, count_from_sample_alone, rate


@dataclass(frozen=True)
class LabelReport:
    """A label's figures over all tweets that the audit's filter takes. Rates are None where the sample shows no case.

    `found` is the raw count; `corrected` the one to publish; `sample_alone` the one without the tagger's help.
    """

    label: str
    precision: Estimate | None
    recall: Estimate | None
    found: int
    corrected: Estimate
    sample_alone: Estimate


def report(judged: JudgedAudit) -> list[LabelReport]:
    """Return precision, recall and the corrected count of each label, in their order."""
    return [_of_label(judged, label, found) for label, found in judged.mentions.items()]


def _of_label(judged: JudgedAudit, label: str, found_in_all: int) -> LabelReport:
    tweets = judged.coverage.tweets
    correct = _counts([one.correct.count(label) for one in judged.tweets])
    found = correct + _counts([one.wrong.count(label) for one in judged.tweets])
    truth = correct + _counts([one.missed.count(label) for one in judged.tweets])
    return LabelReport(
        label,
        rate(correct, found, tweets),
        rate(correct, truth, tweets),
        found_in_all,
        corrected_count(truth, found, tweets, found_in_all),
        count_from_sample_alone(truth, tweets),
    )


def _counts(values: list[int]) -> Counts:
    return np.array(values, dtype=np.float64)
