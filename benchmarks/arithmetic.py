"""How fast a processor could tag if it did nothing but the network's matrix products, without padding.

The bound is the floating-point operations of the real tokens, attention included, over the best rate at which this
machine was seen to multiply matrices of the network's own shapes, in the same run.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

from benchmarks.operations import Operations, Shape
from tagging.silent_onnxruntime import onnxruntime

_ROWS = 2048  # tokens of one product
_TIMES = 20


def bounds(needed: Operations, threads: int, rounds: int) -> dict[str, float]:
    """Return texts a second at the best rates seen in some rounds, in fp32 and in int8 (attention in fp32)."""
    torch.set_num_threads(threads)
    fp32 = {shape: _best(_products(shape, threads), rounds, shape) for shape in needed.dense}
    int8 = {shape: _best(_integer_products(shape, threads), rounds, shape) for shape in needed.dense}
    attention = needed.attention / max(fp32.values())
    return {
        name: 1 / (attention + sum(count / rates[shape] for shape, count in needed.dense.items()))
        for name, rates in (("fp32", fp32), ("int8", int8))
    }


def _best(products: list[Callable[[], object]], rounds: int, shape: Shape) -> float:
    """Return the best rate in operations a second of several ways to the same product."""
    seconds = min(_seconds(product) for _ in range(rounds) for product in products)
    return 2.0 * _ROWS * shape[0] * shape[1] / seconds


def _seconds(product: Callable[[], object]) -> float:
    product()
    started = time.perf_counter()
    for _ in range(_TIMES):
        product()
    return (time.perf_counter() - started) / _TIMES


def _products(shape: Shape, threads: int) -> list[Callable[[], object]]:
    left, right = torch.randn(_ROWS, shape[0]), torch.randn(*shape)
    return [lambda: left @ right, _in_onnx_runtime("MatMul", left.numpy(), right.numpy(), threads)]


def _integer_products(shape: Shape, threads: int) -> list[Callable[[], object]]:
    chance = np.random.default_rng(1)
    left = chance.integers(0, 100, (_ROWS, shape[0]), dtype=np.uint8)
    right = chance.integers(-60, 60, shape, dtype=np.int8)
    signed = torch.from_numpy(left.astype(np.int8)), torch.from_numpy(right)
    return [lambda: torch._int_mm(*signed), _in_onnx_runtime("MatMulInteger", left, right, threads)]


def _in_onnx_runtime(operator: str, left: np.ndarray, right: np.ndarray, threads: int) -> Callable[[], object]:
    kind = helper.np_dtype_to_tensor_dtype(left.dtype)
    result = TensorProto.FLOAT if left.dtype == np.float32 else TensorProto.INT32
    graph = helper.make_graph(
        [helper.make_node(operator, ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", kind, left.shape)],
        [helper.make_tensor_value_info("product", result, [left.shape[0], right.shape[1]])],
        [numpy_helper.from_array(right, "right")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"left": left})
