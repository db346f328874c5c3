"""How the work stands, in sentences: what is the matter, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from answers.wording import counted
from db.failures import Reason
from db.leases import Lease
from db.status import Status
from db.workers import SILENT

_LONG = 600.0  # seconds that a batch waits before it is said


def condition(
    status: Status, heartbeats: Mapping[str, float], held: Sequence[Lease], dead: Sequence[Reason]
) -> list[str]:
    """Say how the work stands, the most pressing first.

    `heartbeats` are seconds since each worker that did not stop was seen last. Where nothing is the matter, one
    sentence says so.
    """
    said = [
        *_workers(status, heartbeats),
        *_lost(heartbeats, held),
        *_waiting(status),
        *_troubled(status),
        *_dead(dead),
    ]
    return said or [_well(status)]


def _workers(status: Status, heartbeats: Mapping[str, float]) -> Iterator[str]:
    batches = status.batches.get("waiting", 0)
    if not batches or any(seconds < SILENT for seconds in heartbeats.values()):
        return
    seen = f"none has been seen for {_time(min(heartbeats.values()))}" if heartbeats else "no worker runs"
    told = f"{counted(batches, 'batch', 'batches')} {_are(batches)} waiting and {seen}"
    yield f"{told}: start one with `tweetspan worker`."


def _lost(heartbeats: Mapping[str, float], held: Sequence[Lease]) -> Iterator[str]:
    for name, seconds in heartbeats.items():
        mine = [one for one in held if one.worker == name]
        if seconds < SILENT:
            continue
        told = f"The worker {name} has not been seen for {_time(seconds)}"
        if mine:
            soon = max(0.0, *(one.seconds_left for one in mine))
            what, end = "its batch goes", "its lease has"
            if len(mine) > 1:
                what, end = f"its {len(mine)} batches go", "their leases have"
            yield f"{told}: {what} back to the queue in {_time(soon)}, when {end} run out."
        else:
            yield f"{told}; it holds no batch. If it was stopped, that is all; if it hangs, start it again."
    orphans = [one for one in held if one.worker not in heartbeats]
    if orphans:
        number = counted(len(orphans), "batch", "batches")
        yield f"{number} {_are(len(orphans))} held by workers that are gone, and will be taken over by any other."


def _waiting(status: Status) -> Iterator[str]:
    oldest = status.oldest_waiting_seconds
    if oldest is None or oldest < _LONG or not status.workers:
        return
    rate = status.tweets_per_second
    ends = f"at this rate they end in {_time(status.tweets_waiting / rate)}" if rate else "nothing ended last minute"
    yield (
        f"The oldest batch has been open for {_time(oldest)}; {status.tweets_waiting:,} tweets are ahead, and {ends}. "
        "More workers make it shorter."
    )


def _troubled(status: Status) -> Iterator[str]:
    for batch_id, error in status.troubled.items():
        yield f"Batch {batch_id} is tried again after an error: {error}"


def _dead(dead: Sequence[Reason]) -> Iterator[str]:
    tweets = sum(one.tweets for one in dead)
    if tweets:
        yield (
            f"{counted(tweets, 'tweet')} could not be tagged, for {counted(len(dead), 'reason')}: see below; queue "
            "them again once the reason is mended, or leave them."
        )


def _well(status: Status) -> str:
    waiting, rate = f"{counted(status.tweets_waiting, 'tweet')} waiting or being tagged", status.tweets_per_second
    if status.tweets_waiting and not rate:
        return f"{waiting}; no batch ended within the last minute, as while a worker loads its model."
    if status.tweets_waiting:
        return f"All is well: {waiting}, {rate:.1f} a second over the last minute."
    if not status.tweets:
        return "Nothing is stored yet: `tweetspan enqueue FILE` stores tweets and queues them."
    return f"All is well: nothing is waiting.{_unread(status)}"


def _unread(status: Status) -> str:
    if status.active_version is None:
        return ""
    read = sum(status.read[status.active_version].values())
    if read >= status.tweets:
        return ""
    told = f" Of {status.tweets:,} stored tweets version {status.active_version}, which is active, has read {read:,}"
    return f"{told}: `tweetspan reannotate` queues the others."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _time(seconds: float) -> str:
    """Write a length of time in its largest unit."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return counted(round(seconds / length), unit)
    return counted(round(max(0.0, seconds)), "second")
