"""Which form of a version is loaded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.tables import ModelVersion, OptimizedForm
from tagging.errors import DeviceError, OptimizeError
from worker.runtimes import choices_for, refuse_contradiction

VERSION = ModelVersion(id=7, artifact_uri="file:///checkpoint", artifact_hash="c")
SPEEDS = st.lists(st.floats(0.1, 10), max_size=4).map(lambda speeds: sorted(speeds, reverse=True))


def forms(speeds: list[float]) -> list[OptimizedForm]:
    return [
        OptimizedForm(precision=f"p{number}", artifact_uri=f"file:///{number}", artifact_hash=str(number), speed=speed)
        for number, speed in enumerate(speeds)
    ]


@given(SPEEDS)
def test_auto_tries_what_is_faster_than_the_checkpoint_and_the_checkpoint_last(speeds: list[float]) -> None:
    *fast, last = choices_for(VERSION, forms(speeds), "auto")
    assert not last.is_form
    assert [one.artifact_hash for one in fast] == [str(at) for at, speed in enumerate(speeds) if speed > 1]
    assert all(one.is_form for one in fast)


@given(SPEEDS)
def test_torch_takes_the_checkpoint_alone(speeds: list[float]) -> None:
    [only] = choices_for(VERSION, forms(speeds), "torch")
    assert (only.artifact_uri, only.artifact_hash, only.is_form) == ("file:///checkpoint", "c", False)


@given(SPEEDS.filter(bool))
def test_onnx_takes_the_first_form_and_nothing_else(speeds: list[float]) -> None:
    chosen = choices_for(VERSION, forms(speeds), "onnx")
    assert [one.artifact_uri for one in chosen] == ["file:///0"]


def test_onnx_without_a_form_is_an_error_that_names_the_command() -> None:
    with pytest.raises(OptimizeError, match="`tweetspan models optimize 7`"):
        choices_for(VERSION, [], "onnx")


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "all"])
def test_a_card_is_not_asked_to_run_a_fast_form(device: str) -> None:
    refuse_contradiction("auto", device)
    refuse_contradiction("onnx", "auto")
    with pytest.raises(DeviceError, match=f"not on {device}; use --device cpu or --runtime auto"):
        refuse_contradiction("onnx", device)
