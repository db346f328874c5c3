"""What `tweetspan worker` makes of its options before a worker starts: devices, threads, the runtime."""

import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import cli
from commands import several_workers
from commands.several_workers import places
from db.session import open_database
from tagging.errors import DeviceError
from tests.ledger_tools import new_version
from tests.processes import environment
from worker import cores

Run = Callable[..., Result]
WRITTEN = ("TWEETSPAN_DEVICE", "TWEETSPAN_RUNTIME", "TWEETSPAN_THREADS", "RAYON_NUM_THREADS")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command on eight cores, in a home with an active version; what would be started is shown instead."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in (*WRITTEN, "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # and so the command's own values are taken back, too
    database = open_database(f"sqlite:///{tmp_path / 'tweetspan.db'}")
    new_version(database)
    database.close()
    monkeypatch.setattr(cores, "usable_cores", lambda: 8)
    monkeypatch.setattr(several_workers, "run_several", _show)
    return lambda *arguments: CliRunner().invoke(cli.main, ["worker", *arguments])


def _show(devices: list[str], arguments: list[str]) -> int:
    click.echo(f"{devices} {arguments} " + " ".join(os.environ[name] for name in WRITTEN[1:]))
    return 0


@pytest.mark.parametrize(
    ("arguments", "threads"),
    [
        (["--processes", "4"], 2),
        (["--processes", "3"], 2),
        (["--processes", "20"], 1),
        (["--processes", "4", "--threads", "5"], 5),
    ],
)
def test_the_workers_of_one_command_share_the_cores(run: Run, arguments: list[str], threads: int) -> None:
    shown = run(*arguments, "--device", "cpu").output
    assert shown == f"{['cpu'] * int(arguments[1])} ['--log-level', 'info'] auto {threads} {threads}\n"


def test_what_the_command_is_told_the_workers_are_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several_workers, "_count_cards", lambda: 2)
    told = ("--until-empty", "--log-level", "error", "--runtime", "torch", "--device", "cuda:1")
    shown = run("--processes", "2", *told).output
    assert shown == "['cuda:1', 'cuda:1'] ['--until-empty', '--log-level', 'error'] torch 4 4\n"


def test_all_is_a_worker_for_each_card(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several_workers, "_count_cards", lambda: 4)
    assert run("--device", "all").output.startswith("['cuda:0', 'cuda:1', 'cuda:2', 'cuda:3'] ")
    monkeypatch.setenv("TWEETSPAN_DEVICE", "all")
    assert run().output.startswith("['cuda:0', 'cuda:1', 'cuda:2', 'cuda:3'] ")
    assert places("all", 2) == [f"cuda:{card}" for card in (0, 0, 1, 1, 2, 2, 3, 3)]


def test_all_without_a_card_is_an_error_that_names_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(DeviceError, match="use --device cpu"):
        places("all", 1)


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cuda", "device 'cuda' is not there: 0 CUDA devices seen; use --device cpu"),
        ("cuda:1", "device 'cuda:1' is not there"),
        ("gpu", "device 'gpu' is not known; use auto, cpu, cuda, cuda:N or all"),
    ],
)
def test_a_device_that_is_not_there_is_refused_before_a_worker_starts(
    run: Run, monkeypatch: pytest.MonkeyPatch, device: str, said: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    refused = run("--device", device)
    assert refused.exit_code == 1
    assert said in refused.output


def test_onnx_without_a_form_is_refused_before_a_batch_is_claimed(run: Run) -> None:
    refused = run("--runtime", "onnx", "--processes", "2")
    assert refused.exit_code == 1
    assert "run `tweetspan models optimize 1`" in refused.output
