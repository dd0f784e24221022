"""BERT as a graph of OpenVINO: token numbers in, unit sentence vectors out. The weights are read, never run.

Only what a sentence encoder of the MiniLM kind needs: post-norm layers, GELU, absolute positions, mean pooling over the
tokens that count. The architecture is that of Devlin et al. (arXiv 1810.04805), the pooling that of Reimers and
Gurevych (arXiv 1908.10084). The graph is written in operations and not converted from anything, so that neither torch
nor a converter is needed.
"""

import sys
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from holdfast.core.errors import InputError, MissingExtraError

Weights = Mapping[str, npt.NDArray[np.float32]]

# The layer norm of BERT and of sentence-transformers' Normalize; both are part of the trained model.
NORM_EPSILON = 1e-12
# Added to the attention score of padding: far below any real score, and still a number in bfloat16.
MASKED = -1e4
# A safetensors header is JSON of some hundred bytes a tensor; more than this is not a header.
LARGEST_HEADER = 10_000_000


class Shape(NamedTuple):
    """How large the network is: encoder layers and attention heads."""

    layers: int
    heads: int


def runtime() -> Any:
    """Return the module `openvino`, without its reporting of use to its makers.

    Importing it sends an event over the network unless the package `openvino_telemetry` cannot be imported; it has a
    silent stand-in for that case. Holdfast sends nothing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None means: not to be imported
    try:
        import openvino  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise MissingExtraError("openvino", "embed") from error
    return openvino


def has_bfloat16() -> bool:
    """Return whether the processor multiplies in bfloat16 (AVX512-BF16 or AMX)."""
    return "BF16" in runtime().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def read_weights(path: Path) -> Weights:
    """Return the float32 tensors of a safetensors file, mapped from it: name -> array.

    The format: eight bytes little-endian header length, JSON header, tensors at the offsets it names. An offset
    outside the file or a shape that does not fit is an `InputError`.
    """
    raw = np.memmap(path, np.uint8, "r")
    size = int(raw[:8].view("<u8")[0])
    if size > min(LARGEST_HEADER, len(raw) - 8):
        raise InputError(f"{path} is no safetensors file: its header would have {size:,} bytes.")
    header = orjson.loads(raw[8 : 8 + size].tobytes())
    tensors = {name: entry for name, entry in header.items() if entry.get("dtype") == "F32"}
    return {name: _tensor(path, raw[8 + size :], entry) for name, entry in tensors.items()}


def _tensor(path: Path, data: npt.NDArray[np.uint8], entry: Any) -> npt.NDArray[np.float32]:
    first, last = entry["data_offsets"]
    if not 0 <= first <= last <= len(data) or last - first != 4 * prod(entry["shape"]):
        raise InputError(f"{path} is damaged: a tensor of shape {entry['shape']} at bytes {first} to {last}.")
    tensor: npt.NDArray[np.float32] = np.ascontiguousarray(data[first:last]).view("<f4").reshape(entry["shape"])
    return tensor


def compiled(weights: Weights, shape: Shape, precision: str) -> Any:
    """Return the network ready to run: (token numbers int32[n, m], 1 or 0 float32[n, m]) -> float32[n, dimensions].

    `precision` is f32 or bf16, that of the matrix products; inputs, outputs and sums are float32 in both.
    """
    openvino = runtime()
    model = _Graph(openvino, weights, shape).model()
    return openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})


class _Graph:
    """Builds the graph; every method returns a node of shape (texts, tokens, width) unless it says otherwise."""

    def __init__(self, openvino: Any, weights: Weights, shape: Shape) -> None:
        self.openvino, self.op = openvino, openvino.opset13
        self.weights, self.shape = weights, shape

    def model(self) -> Any:
        op = self.op
        ids = op.parameter([-1, -1], np.int32, "ids")
        mask = op.parameter([-1, -1], np.float32, "mask")
        # (texts, 1, 1, tokens): 0 for a token, MASKED for padding, added to every row of scores.
        bias = op.unsqueeze(op.multiply(op.subtract(self._one(1.0), mask), self._one(MASKED)), self._axes(1, 2))
        hidden = self._embedded(ids)
        for layer in range(self.shape.layers):
            hidden = self._layer(hidden, bias, f"encoder.layer.{layer}")
        return self.openvino.Model([op.result(self._pooled(hidden, mask))], [ids, mask], "bert")

    def _embedded(self, ids: Any) -> Any:
        op, table = self.op, "embeddings.{}_embeddings.weight"
        length = op.convert(op.gather(op.shape_of(ids), op.constant(1), op.constant(0)), "i32")
        places = op.range(op.constant(0), length, op.constant(1), "i32")
        words = op.gather(self._weight(table.format("word")), ids, op.constant(0))
        position = op.gather(self._weight(table.format("position")), places, op.constant(0))
        segment = op.constant(self.weights[table.format("token_type")][0])
        return self._normed(op.add(op.add(words, position), segment), "embeddings.LayerNorm")

    def _layer(self, hidden: Any, bias: Any, name: str) -> Any:
        op = self.op
        query, key, value = (
            self._split(self._dense(hidden, f"{name}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        mixed = op.transpose(op.scaled_dot_product_attention(query, key, value, bias), self._axes(0, 2, 1, 3))
        mixed = op.reshape(mixed, self._axes(0, 0, -1), True)
        seen = op.add(self._dense(mixed, f"{name}.attention.output.dense"), hidden)
        seen = self._normed(seen, f"{name}.attention.output.LayerNorm")
        wide = op.gelu(self._dense(seen, f"{name}.intermediate.dense"), "erf")
        return self._normed(op.add(self._dense(wide, f"{name}.output.dense"), seen), f"{name}.output.LayerNorm")

    def _split(self, hidden: Any) -> Any:
        """Return shape (texts, heads, tokens, width / heads)."""
        parts = self.op.reshape(hidden, self._axes(0, 0, self.shape.heads, -1), True)
        return self.op.transpose(parts, self._axes(0, 2, 1, 3))

    def _pooled(self, hidden: Any, mask: Any) -> Any:
        """Return the mean over the tokens that count, at length one: shape (texts, width)."""
        op = self.op
        total = op.reduce_sum(op.multiply(hidden, op.unsqueeze(mask, self._axes(2))), self._axes(1))
        count = op.reduce_sum(mask, self._axes(1), True)
        return op.normalize_l2(op.divide(total, count), self._axes(1), NORM_EPSILON, "max")

    def _dense(self, hidden: Any, name: str) -> Any:
        product = self.op.matmul(hidden, self._weight(f"{name}.weight"), False, True)
        return self.op.add(product, self._weight(f"{name}.bias"))

    def _normed(self, hidden: Any, name: str) -> Any:
        centred = self.op.mvn(hidden, self._axes(-1), True, NORM_EPSILON, "inside_sqrt")
        return self.op.add(self.op.multiply(centred, self._weight(f"{name}.weight")), self._weight(f"{name}.bias"))

    def _weight(self, name: str) -> Any:
        return self.op.constant(self.weights[name])

    def _one(self, value: float) -> Any:
        return self.op.constant(np.float32(value))

    def _axes(self, *places: int) -> Any:
        return self.op.constant(np.array(places, np.int64))
