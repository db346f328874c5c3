"""`tweetspan worker`: tag what is queued."""

import sys

import click

from commands.log_options import log_options
from settings import RUNTIMES

_COUNT = click.IntRange(min=1)


@click.command("worker", short_help="Tag what is queued.")
@click.option("--until-empty", is_flag=True, help="Stop when no batch waits or is being tagged.")
@click.option("--device", help="auto, cpu, cuda, cuda:N, or all (cards).  [default: TWEETSPAN_DEVICE, or auto]")
@click.option(
    "--processes", type=_COUNT, default=1, show_default=True, help="Workers; with --device all, on each card."
)
@click.option("--threads", type=_COUNT, help="Of each worker.  [default: TWEETSPAN_THREADS, or cores / workers]")
@click.option(
    "--runtime", type=click.Choice(RUNTIMES), help="See `models optimize`.  [default: TWEETSPAN_RUNTIME, or auto]"
)
@log_options(default="info")
def worker_command(
    until_empty: bool,
    device: str | None,
    processes: int,
    threads: int | None,
    runtime: str | None,
    log_level: str,
    log_format: str | None,
) -> None:
    """Claim batches, tag their tweets, store the spans; any number of workers may run.

    SIGTERM or Ctrl-C lets it finish its batches. With --processes or --device all, this process starts the workers,
    passes signals on to them, waits, and ends with the first exit code that is not 0.

    The runtime auto is torch on a card, and on a CPU the fastest form of the version that is there. A running worker
    keeps what it has loaded: restart it to have a form that was made meanwhile.

    \b
    Examples:
      tweetspan worker --until-empty
      tweetspan worker --device all         one worker for each GPU
      tweetspan worker --processes 4        four that share the cores
    """
    from dataclasses import replace

    from commands.opening import opened
    from commands.several_workers import places, run_several
    from db import model_versions, optimized_forms
    from settings import apply
    from worker.cores import usable_cores
    from worker.runtimes import choices_for, refuse_contradiction

    with opened() as (settings, database), database.read_session() as session:
        settings = replace(
            settings,
            device=device or settings.device,
            runtime=runtime or settings.runtime,
            log_format=log_format or settings.log_format,
        )
        version = model_versions.find(session)  # an error now is better than batches that go back and forth
        choices_for(version, optimized_forms.forms_of(session, version.id), settings.runtime)
        refuse_contradiction(settings.runtime, settings.device)
    devices = places(settings.device, processes)
    threads = threads or settings.threads or max(1, usable_cores() // len(devices))
    apply(replace(settings, device=devices[0], threads=threads))
    if len(devices) > 1:
        sys.exit(run_several(devices, [*(["--until-empty"] if until_empty else []), "--log-level", log_level]))

    from worker.app import run_worker  # reads the settings

    sys.exit(run_worker(until_empty, log_level))
