"""Which device and precision to compute with."""

import torch

from tagging.errors import DeviceError

PRECISIONS = ("auto", "fp32", "bf16", "fp16")


def find_device(name: str) -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda` or `cuda:N`. Raises DeviceError where there is no such device."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"device {name!r} is not known; use auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"device {name!r} is not there: {torch.cuda.device_count()} CUDA devices seen; use --device cpu"
        )
    if device.type not in ("cpu", "cuda"):
        raise DeviceError(f"device {name!r} is not supported; use auto, cpu, cuda or cuda:N")
    return device


def find_precision(name: str, device: torch.device) -> str:
    """Resolve `auto` for a device: bf16 where the card has it (not merely emulates it), fp16 on older cards, fp32 on
    a CPU. Raises DeviceError for half precision that the device does not have."""
    if name not in PRECISIONS:
        raise DeviceError(f"precision {name!r} is not known; use one of {', '.join(PRECISIONS)}")
    has_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if name == "auto":
        return "fp32" if device.type == "cpu" else "bf16" if has_bf16 else "fp16"
    if name == "bf16" and device.type == "cuda" and not has_bf16:
        raise DeviceError("this card has no bf16 (a T4, say); use --precision fp16 or auto")
    if name == "fp16" and device.type == "cpu":
        raise DeviceError("fp16 does not train on a CPU; use --precision fp32 or bf16")
    return name
