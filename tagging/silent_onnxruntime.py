"""ONNX Runtime without its reports: since 1.29 it writes an identifier of the machine into the home folder, and sends
what it runs to its makers, unless it is told not to before it is loaded."""

import os

os.putenv("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

__all__ = ["onnxruntime"]
