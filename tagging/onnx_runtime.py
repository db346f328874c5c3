"""Run the ONNX form of a network on the CPU."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tagging.errors import CheckpointError
from tagging.silent_onnxruntime import onnxruntime

_TOKEN_BUDGET = 4096  # in one run


class OnnxRuntime:
    """A graph of `tagging.onnx_graph`, in ONNX Runtime. It reads windows of one length at a time, without padding."""

    equal_lengths = True
    device = "cpu (ONNX Runtime)"
    token_budget = _TOKEN_BUDGET

    def __init__(self, file: Path, labels: list[str], threads: int | None = None) -> None:
        self.labels = labels
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0  # 0: all cores
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common class
            raise CheckpointError(f"cannot load {file}: {error}; make it anew: tweetspan models optimize") from error

    def start(self, windows: Sequence[Sequence[int]]) -> Callable[[], np.ndarray]:
        """Read windows of one length; return a function that gives the logits: float32, (tokens in order, labels)."""
        try:
            [logits] = self._session.run(None, {"input_ids": np.array(windows, dtype=np.int64)})
        except Exception as error:
            if "allocat" in str(error):
                raise MemoryError(str(error)) from error
            raise
        flat = logits.reshape(-1, len(self.labels))
        return lambda: flat
