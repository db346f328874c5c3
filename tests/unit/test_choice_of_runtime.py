"""Which form of a version is loaded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.tables import ModelVersion, OptimizedForm
from tagging.errors import OptimizeError
from worker.runtimes import choices_for

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
def test_onnx_takes_any_form_and_never_the_checkpoint(speeds: list[float]) -> None:
    chosen = choices_for(VERSION, forms(speeds), "onnx")
    assert [one.artifact_uri for one in chosen] == [f"file:///{at}" for at in range(len(speeds))]


def test_onnx_without_a_form_is_an_error_that_names_the_command() -> None:
    with pytest.raises(OptimizeError, match="`tweetspan models optimize 7`"):
        choices_for(VERSION, [], "onnx")
