"""`tweetspan worker`: tag what is queued."""

import sys

import click


@click.command("worker", short_help="Tag what is queued.")
@click.option("--until-empty", is_flag=True, help="Stop when no batch waits or is being tagged.")
@click.option("--device", help="auto, cpu, cuda or cuda:N.  [default: TWEETSPAN_DEVICE, or auto]")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def worker_command(until_empty: bool, device: str | None, log_level: str) -> None:
    """Claim batches, tag their tweets, store the spans; any number of workers may run.

    SIGTERM or Ctrl-C lets it finish its batch. Start one worker for each GPU: --device cuda:0, --device cuda:1, ...

    \b
    Example: tweetspan worker --until-empty
    """
    from dataclasses import replace

    from commands.opening import opened
    from db import model_versions
    from settings import apply

    with opened() as (settings, database), database.read_session() as session:
        model_versions.find(session)  # an error now is better than batches that go back and forth
    apply(replace(settings, device=device or settings.device))

    from worker.app import run_worker  # reads the settings

    sys.exit(run_worker(until_empty, log_level))
