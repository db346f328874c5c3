"""What tags for a version: its checkpoint by torch, or a fast form by ONNX Runtime on a CPU. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.tables import ModelVersion, OptimizedForm
from tagging.errors import DeviceError, OptimizeError


@dataclass(frozen=True)
class Choice:
    """A model folder that can tag for a version."""

    name: str
    artifact_uri: str
    artifact_hash: str
    is_form: bool


def refuse_contradiction(runtime: str, device: str) -> None:
    """Raise DeviceError where a card is asked to run a fast form."""
    if runtime == "onnx" and device not in ("auto", "cpu"):
        raise DeviceError(f"fast forms compute on a CPU, not on {device}; use --device cpu or --runtime auto")


def choices_for(version: ModelVersion, forms: Sequence[OptimizedForm], runtime: str) -> list[Choice]:
    """Return what to load, the best first; `forms` come with the fastest first.

    "auto" takes the forms that were measured to be faster than torch, then torch; "onnx" the fastest form and nothing
    else, so that all workers read alike. Raises OptimizeError where there is none.
    """
    checkpoint = Choice("checkpoint", version.artifact_uri, version.artifact_hash, is_form=False)
    if runtime == "torch":
        return [checkpoint]
    fast = [
        Choice(f"{form.precision} form", form.artifact_uri, form.artifact_hash, is_form=True)
        for form in forms
        if runtime == "onnx" or form.speed > 1
    ]
    if runtime == "auto":
        return [*fast, checkpoint]
    if not fast:
        raise OptimizeError(
            f"model version {version.id} has no fast form for --runtime onnx; run `tweetspan models optimize "
            f"{version.id}`, or use --runtime auto"
        )
    return fast[:1]
