"""How the work stands, as programs get it: status, jobs, failures. Ids of tweets are texts, times are in UTC."""

from __future__ import annotations

from dataclasses import asdict

from typing_extensions import TypedDict

from answers.moments import moment_text
from db.failures import Failure, Reason
from db.jobs import Progress
from db.status import Status


class LatestFailureRow(TypedDict):
    """A tweet that could not be tagged."""

    tweet_id: str
    model_version_id: int
    error: str


class StatusRow(TypedDict):
    """Counts at one moment; times are in seconds, the rate in tweets a second over the last minute.

    `read` holds the done and the dead tweets of each version, always of the active one, `workers` the seconds since
    each heartbeat, `troubled` the errors of batches that wait after one.
    """

    tweets: int
    tweets_waiting: int
    active_version: int | None
    read: dict[int, dict[str, int]]
    spans: int
    batches: dict[str, int]
    oldest_waiting_seconds: float | None
    tweets_per_second: float
    workers: dict[str, float]
    failures: list[LatestFailureRow]
    troubled: dict[int, str]


class JobRow(TypedDict):
    """How far a job is, in tweets."""

    job_id: int
    name: str
    created_at: str
    state: str
    waiting: int
    leased: int
    done: int
    dead: int
    cancelled: int
    tweets: int


class ReasonRow(TypedDict):
    """How many tweets a version could not tag for a reason."""

    model_version_id: int
    error: str
    tweets: int
    latest: str


class FailureRow(TypedDict):
    """A tweet that could not be tagged, with its text."""

    tweet_id: str
    model_version_id: int
    error: str
    failed_at: str
    text: str


def status_row(status: Status) -> StatusRow:
    """Write how the work stands."""
    latest: list[LatestFailureRow] = [
        {"tweet_id": str(one.tweet_id), "model_version_id": one.model_version_id, "error": one.error}
        for one in status.failures
    ]
    return {
        "tweets": status.tweets,
        "tweets_waiting": status.tweets_waiting,
        "active_version": status.active_version,
        "read": status.read,
        "spans": status.spans,
        "batches": status.batches,
        "oldest_waiting_seconds": status.oldest_waiting_seconds,
        "tweets_per_second": status.tweets_per_second,
        "workers": status.workers,
        "failures": latest,
        "troubled": status.troubled,
    }


def job_row(one: Progress) -> JobRow:
    """Write how far a job is."""
    return {**asdict(one), "created_at": moment_text(one.created_at), "tweets": one.total}  # type: ignore[typeddict-item]


def reason_row(one: Reason) -> ReasonRow:
    """Write a reason of failures."""
    return {**asdict(one), "latest": moment_text(one.latest)}  # type: ignore[typeddict-item]


def failure_row(one: Failure) -> FailureRow:
    """Write a failure."""
    return {**asdict(one), "tweet_id": str(one.tweet_id), "failed_at": moment_text(one.failed_at)}  # type: ignore[typeddict-item]
