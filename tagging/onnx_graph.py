"""Build the graph that ONNX Runtime runs: a BERT-like network out of its fused operators, in float32 or in int8.

In int8 the weights have a scale for each output, and the inputs of each dense layer one fixed scale and zero point,
found beforehand on other texts. So a text's result does not depend on the texts beside it, as it would with scales
that are found anew for each batch. A few channels are much larger than the others and would leave them few steps: each
is made smaller by a factor, its weights larger (SmoothQuant, Xiao et al. 2023). The graph has no mask: all windows of
a batch have one length.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tagging.encoder_weights import EncoderWeights, Layer, Linear, Norm

Range = tuple[np.ndarray, np.ndarray]  # the lowest and the highest value of each channel

INPUT, LOGITS = "input_ids", "logits"
_FUSED = "com.microsoft"  # the domain of ONNX Runtime's own operators
_WEIGHT_STEPS = 63  # of 127: with the full range the sums of two products overflow on processors without VNNI
_INPUT_STEPS = 255
_SMOOTHNESS = 0.75  # how much of a channel's size moves from the input into the weights: by experiment


def build_graph(
    weights: EncoderWeights, ranges: Mapping[str, Range] | None = None, observed: bool = False
) -> onnx.ModelProto:
    """Build the graph: `input_ids` (texts, tokens) to `logits` (texts, tokens, labels).

    With `ranges`, by the name of each dense layer's input, it computes in int8. `observed` adds those inputs to the
    outputs, to find their ranges.
    """
    return _Builder(weights, ranges).model(observed)


def quantised(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round a weight (inputs, outputs) to int8; return it and the scale of each output.

    >>> quantised(np.array([[0.63], [-0.01]], dtype=np.float32))[0].tolist()
    [[63], [-1]]
    """
    scales = np.maximum(np.abs(weight).max(axis=0) / _WEIGHT_STEPS, 1e-12).astype(np.float32)
    return np.round(weight / scales).astype(np.int8), scales


def smoothing(weight: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return what to divide each channel of an input by, and multiply its weights (inputs, outputs) with; 1 on average.

    >>> smoothing(np.ones((2, 1)), np.array([-16.0, -1.0]), np.array([1.0, 1.0])).astype(float).round(2).tolist()
    [2.83, 0.35]
    """
    sizes = np.maximum(np.maximum(-low, high), 1e-5) ** _SMOOTHNESS
    factors = sizes / np.maximum(np.abs(weight).max(axis=1), 1e-5) ** (1 - _SMOOTHNESS)
    return np.asarray(factors / np.exp(np.log(factors).mean()), dtype=np.float32)


class _Builder:
    """Collects nodes and constants; every method returns the name of its result."""

    def __init__(self, weights: EncoderWeights, ranges: Mapping[str, Range] | None) -> None:
        self._weights = weights
        self._ranges = ranges
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[str] = []  # of dense layers, when they are to be observed

    def model(self, observed: bool) -> onnx.ModelProto:
        hidden = self._embedded()
        bias = self._attention_bias()
        for index, layer in enumerate(self._weights.layers):
            hidden = self._layer(f"layer{index}", layer, hidden, bias)
        self._plain_linear(self._weights.classifier, hidden, LOGITS)
        shape = ["texts", "tokens", len(self._weights.classifier.bias)]
        outputs = [helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, shape)]
        if observed:
            outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self._inputs]
        ids = helper.make_tensor_value_info(INPUT, TensorProto.INT64, ["texts", "tokens"])
        graph = helper.make_graph(self._nodes, "tweetspan", [ids], outputs, self._constants)
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid(_FUSED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="tweetspan")

    def _embedded(self) -> str:
        words = self._node("Gather", [self._constant(self._weights.words), INPUT])
        places = self._node("Slice", [self._constant(self._weights.positions), *self._bounds(1)])
        return self._norm(self._weights.embedding_norm, words, places)

    def _attention_bias(self) -> str | None:
        if self._weights.attention_bias is None:
            return None
        bias = self._constant(self._weights.attention_bias[None])
        return self._node("Slice", [bias, *self._bounds(2, first_axis=2)])

    def _bounds(self, axes: int, first_axis: int = 0) -> list[str]:
        """Return where a Slice begins and ends that takes as many places as the texts have tokens, and its axes."""
        length = self._node("Shape", [INPUT], start=1, end=2)
        ends = self._node("Concat", [length] * axes, axis=0)
        return [self._integers([0] * axes), ends, self._integers(range(first_axis, first_axis + axes))]

    def _layer(self, name: str, layer: Layer, hidden: str, bias: str | None) -> str:
        context = self._attention(f"{name}.hidden", layer.query_key_value, hidden, bias)
        attended = self._linear(f"{name}.attended", layer.attended, context, is_smooth=False)
        hidden = self._norm(layer.attention_norm, attended, hidden)
        wide = self._node("Gelu", [self._linear(f"{name}.intermediate", layer.intermediate, hidden)])
        return self._norm(layer.output_norm, self._linear(f"{name}.output", layer.output, wide), hidden)

    def _attention(self, name: str, linear: Linear, hidden: str, bias: str | None) -> str:
        """Not by the operators that hold the dense layer, too: they multiply more slowly, and take no bias in int8."""
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        sizes = self._integers([len(linear.bias) // 3] * 3)
        self._node("Split", [self._linear(name, linear, hidden), sizes], parts, axis=2)
        inputs = parts if bias is None else [*parts, "", "", bias]
        return self._node("MultiHeadAttention", inputs, domain=_FUSED, num_heads=self._weights.heads)

    def _linear(self, name: str, linear: Linear, inputs: str, is_smooth: bool = True) -> str:
        self._inputs.append(self._node("Identity", [inputs], [name]))
        if self._ranges is None:
            return self._plain_linear(linear, inputs)
        values, scale, zero, weight, scales, zeros = self._quantised(name, linear, inputs, is_smooth)
        parts = [values, weight, scale, scales, zero, zeros, self._constant(linear.bias)]
        return self._node("MatMulIntegerToFloat", parts, domain=_FUSED)

    def _plain_linear(self, linear: Linear, inputs: str, name: str = "") -> str:
        product = self._node("MatMul", [inputs, self._constant(linear.weight)])
        return self._node("Add", [product, self._constant(linear.bias)], [name] if name else None)

    def _norm(self, norm: Norm, one: str, other: str) -> str:
        """Add two inputs and normalise their sum; the operator that does both is slower on a CPU."""
        parts = [self._node("Add", [one, other]), self._constant(norm.weight), self._constant(norm.bias)]
        return self._node("LayerNormalization", parts, epsilon=self._weights.epsilon)

    def _quantised(self, name: str, linear: Linear, inputs: str, is_smooth: bool) -> list[str]:
        """Round an input and its weight: return values, scale and zero point of each."""
        assert self._ranges is not None
        low, high = self._ranges[name]
        weight = linear.weight
        if is_smooth:
            factors = smoothing(weight, low, high)
            inputs = self._node("Mul", [inputs, self._constant(1 / factors)])
            weight, low, high = weight * factors[:, None], low / factors, high / factors
        lowest, highest = min(float(low.min()), 0.0), max(float(high.max()), 0.0)
        scale = np.float32(max(highest - lowest, 1e-12) / _INPUT_STEPS)
        zero = np.uint8(np.clip(round(-lowest / scale), 0, _INPUT_STEPS))
        names = [self._constant(scale), self._constant(zero)]
        values, scales = quantised(weight)
        rounded = self._node("QuantizeLinear", [inputs, *names])
        zeros = np.zeros_like(scales, dtype=np.int8)
        return [rounded, *names, *map(self._constant, (values, scales, zeros))]

    def _integers(self, values: Iterable[int]) -> str:
        return self._constant(np.array(list(values), dtype=np.int64))

    def _constant(self, array: Any) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(np.shape(array)), name))
        return name

    def _node(
        self, operator: str, inputs: list[str], outputs: list[str] | None = None, domain: str = "", **attributes: Any
    ) -> str:
        outputs = outputs or [f"{operator}{len(self._nodes)}"]
        self._nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))
        return outputs[0]
