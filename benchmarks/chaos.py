"""Disturb workers, servers and connections at random, and compare what is stored with an undisturbed process.

Usage: python -m benchmarks.chaos --seed 1    (docs/delivery.md tells what is promised; exit code 1 if it was not kept)
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.delivery.building import Size, built
from benchmarks.delivery.comparison import Findings, compare, miscounted, read_stored, recorded_versions
from benchmarks.delivery.fake_tagger import FakeTagger
from benchmarks.delivery.faults import FAULTS
from benchmarks.delivery.reference import undisturbed
from benchmarks.delivery.report import Bars, Report, make_row, print_report, shortcomings
from benchmarks.delivery.scene import Scene
from benchmarks.delivery.schedule import Schedule
from tagging.quiet import hush_transformers
from worker.tasks import FindTagger

_LOOK_EVERY = 0.1  # seconds
_PAUSE = (0.2, 1.2)  # seconds between two faults
_PATIENCE = 3.0  # seconds for a fault to find a target
_TAKE_OVER = 5.0  # seconds after the end of a lease within which another worker has usually taken the batch


@dataclass(frozen=True)
class Options:
    """A run. `time_limit` is in seconds, for the faults and for the draining each."""

    seed: int
    bars: Bars
    size: Size = field(default_factory=Size)
    kinds: tuple[str, ...] = tuple(FAULTS)
    time_limit: float = 900.0
    real_model: bool = False
    keep: bool = False


def run(options: Options) -> Report:
    """Disturb, drain, compare."""
    began = time.monotonic()
    with _folder(options.keep) as folder, ExitStack() as stack:
        model = _save_model(folder) if options.real_model else None
        scene = stack.enter_context(built(options.seed, options.size, folder, model))
        schedule = Schedule(random.Random(options.seed), options.kinds)
        _disturb(scene, schedule, options)
        is_drained = _drain(scene, time.monotonic() + options.time_limit)
        for one in (*scene.enqueuers, *scene.members):
            one.stop()
        findings = _compare(scene, folder, _find_tagger(model))
        return _report(scene, schedule, findings, options, time.monotonic() - began, is_drained)


def _disturb(scene: Scene, schedule: Schedule, options: Options) -> None:
    """Inject fault after fault until every bar is reached and everything is proved, or the time is over."""
    deadline = time.monotonic() + options.time_limit
    due, give_up = time.monotonic(), time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and not _is_enough(scene, options):
        scene.look()
        kind = schedule.next
        if time.monotonic() >= due:
            began = time.monotonic()
            held = FAULTS[kind](scene)
            if held is not None:
                schedule.done()
                if held:
                    scene.watch.note(kind, held, began)
                due = time.monotonic() + scene.rng.uniform(*_PAUSE)
                give_up = due + _PATIENCE
            elif time.monotonic() > give_up:
                schedule.postpone()
                give_up = time.monotonic() + _PATIENCE
        time.sleep(_LOOK_EVERY)


def _is_enough(scene: Scene, options: Options) -> bool:
    kinds = [injection.kind for injection in scene.watch.injections]
    return (
        scene.batches >= options.bars.batches
        and len(kinds) >= options.bars.faults
        and all(kinds.count(kind) >= options.bars.per_kind for kind in options.kinds)
        and all(_proofs(scene, options).values())
    )


def _proofs(scene: Scene, options: Options) -> dict[str, int]:
    """Count what must have happened for the run to prove something."""
    proofs = {
        "finishes fenced off": sum(log.fenced for member in scene.members for log in member.logs),
        "messages lost": scene.lost_messages,
        "leases expired": len(scene.watch.expired),
        "leases renewed": len(scene.watch.renewed),
    }
    if "restart PostgreSQL" in options.kinds:
        proofs["restarts of PostgreSQL amid a transaction"] = scene.restarts_amid_writing
    if "delete tweets" in options.kinds:
        proofs["deleted tweets sent again and kept out"] = sum(one.kept_out for one in scene.enqueuers)
    return proofs


def _drain(scene: Scene, deadline: float) -> bool:
    """Disturb no more; wait until all is stored and the ledger is empty. False if the time was over before."""
    scene.is_enqueuing = False
    scene.look()
    while not scene.is_drained:
        if time.monotonic() > deadline:
            return False
        scene.look()
        time.sleep(_LOOK_EVERY)
    return True


def _compare(scene: Scene, folder: Path, find_tagger: FindTagger) -> Findings:
    with scene.database.read_session() as session:
        found, recorded = read_stored(session), recorded_versions(session)
    texts = {one: text for one, text in scene.stream.texts.items() if one not in scene.deleted}
    versions = {one: recorded.get(one, scene.versions[0]) for one in texts}  # no batch: its mark will be missing
    return compare(found, undisturbed(folder, texts, versions, find_tagger), scene.deleted)


def _save_model(folder: Path) -> Path:
    """Save a tiny random network; every version of the run points at it."""
    from tests.tiny import save_tiny_encoder, save_tiny_model  # noqa: PLC0415 (torch)

    hush_transformers()
    return save_tiny_model(folder / "model", save_tiny_encoder(folder / "encoder", "wordpiece"))


def _find_tagger(model: Path | None) -> FindTagger:
    if model is None:
        return FakeTagger
    from tagging.tagger import Tagger  # noqa: PLC0415 (torch)

    tagger = Tagger.load(model, "cpu")
    return lambda version_id: tagger


def _report(
    scene: Scene, schedule: Schedule, findings: Findings, options: Options, seconds: float, is_drained: bool
) -> Report:
    by_kind = {kind: [one for one in scene.watch.injections if one.kind == kind] for kind in options.kinds}
    rows = [make_row(kind, hits, schedule.without_target[kind], findings) for kind, hits in by_kind.items()]
    logs = [log for member in scene.members for log in member.logs]
    proofs = _proofs(scene, options)
    with scene.database.read_session() as session:
        wrong_counts = miscounted(session)
    notes = {
        "maintained counts that are wrong": wrong_counts,
        "tweets deleted": len(scene.deleted),
        "workers started": len(logs),
        "minutes that a worker took no work though there was some": sum(one.idle_minutes for one in scene.members),
        "workers that began anew": sum(log.begun_anew for log in logs),
        "tracebacks in their logs": sum(log.tracebacks for log in logs),
        "enqueues that failed and were run again": sum(one.failures for one in scene.enqueuers),
    }
    missing = list(shortcomings(rows, scene.batches, findings, proofs, options.bars))
    if wrong_counts:
        missing.append(f"{wrong_counts} maintained counts are wrong")
    missing.extend(f"too late: {what}" for what in scene.overdue)
    if unasked := sum(one.unasked_ends for one in scene.members):
        missing.append(f"{unasked} workers ended though nobody ended them")
    if not is_drained:
        missing.append(f"not drained within {options.time_limit:.0f} s: {scene.counts}")
    return Report(
        options.seed, seconds, len(scene.stream.texts), scene.batches, sum(row.injected for row in rows), rows,
        len(findings.lost), len(findings.doubled), len(findings.resurrected), proofs, notes, missing,
    )  # fmt: skip


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tweetspan-chaos-"))
    try:
        yield folder
    finally:
        if keep:
            print(f"all files are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _read_options() -> tuple[Options, bool]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=200, help="counted ones, at least")
    parser.add_argument("--minimum-per-kind", type=int, default=10)
    parser.add_argument("--batches", type=int, default=500, help="at least")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--lease", type=float, default=30.0, help="seconds")
    parser.add_argument(
        "--time-limit", type=float, default=900.0, help="seconds, of the faults and of the draining each"
    )
    parser.add_argument("--real-model", action="store_true", help="tag with a tiny network instead of the fake")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs, tweets and databases")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    bars = Bars(given.faults, given.minimum_per_kind, given.batches, given.lease + _TAKE_OVER)
    size = Size(workers=given.workers, lease=given.lease)
    options = Options(given.seed, bars, size, time_limit=given.time_limit, real_model=given.real_model, keep=given.keep)
    return options, given.json


def main() -> None:
    """Run and report."""
    options, as_json = _read_options()
    report = run(options)
    print_report(report, as_json)
    sys.exit(bool(report.shortcomings))


if __name__ == "__main__":
    main()
