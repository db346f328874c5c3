"""Run the ONNX form of a network on the CPU."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tagging.errors import CheckpointError
from tagging.silent_onnxruntime import onnxruntime

_TOKEN_BUDGET = 1024  # in one run


class OnnxRuntime:
    """A graph of `tagging.onnx_graph`, in ONNX Runtime. It reads windows of one length at a time, without padding.

    Each thread reads batches of its own: threads that share one wait for each other after every operator.
    """

    equal_lengths = True
    device = "cpu (ONNX Runtime)"
    token_budget = _TOKEN_BUDGET

    def __init__(self, file: Path, labels: list[str], threads: int | None = None) -> None:
        self.labels = labels
        self.batches_at_once = threads or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self.batches_at_once, "onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common class
            raise CheckpointError(f"cannot load {file}: {error}; make it anew: tweetspan models optimize") from error

    def start(self, windows: Sequence[Sequence[int]]) -> Callable[[], np.ndarray]:
        """Begin to read windows of one length; return the function that waits for the logits.

        They are float32, (tokens in order, labels). As many as `batches_at_once` are read side by side.
        """
        return self._threads.submit(self._read, np.array(windows, dtype=np.int64)).result

    def _read(self, ids: np.ndarray) -> np.ndarray:
        try:
            [logits] = self._session.run(None, {"input_ids": ids})
        except Exception as error:
            if "allocat" in str(error):
                raise MemoryError(str(error)) from error
            raise
        return np.asarray(logits).reshape(-1, len(self.labels))
