"""The same layer in onnxruntime: an ONNX node built by hand, so that no exporter stands between.

Letters: T time, B batch, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import nn

_ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
"""torch's gates in the order of ONNX: i o f c, z r h."""


def session(kind: str, layer: Any, threads: int) -> Callable[[Any, Any], Any]:
    """A function ``(x (T, B, D), state or None) -> outputs`` on onnxruntime with so many threads."""
    onnx, onnxruntime = import_module("onnx"), import_module("onnxruntime")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    hidden = layer.hidden_size
    parts = ("h", "c") if kind == "LSTM" else ("h",)
    tensors = {
        "W": _gates(kind, layer.weight_ih_l0)[None],
        "R": _gates(kind, layer.weight_hh_l0)[None],
        "B": np.concatenate([_gates(kind, layer.bias_ih_l0), _gates(kind, layer.bias_hh_l0)])[None],
    }
    options = {"linear_before_reset": 1} if kind == "GRU" else {}
    names = ["x", "W", "R", "B", "", *(f"{part}0" for part in parts)]
    node = helper.make_node(kind, names, ["y", *parts], hidden_size=hidden, **options)
    inputs = [helper.make_tensor_value_info("x", number, ["T", "B", layer.input_size])]
    inputs += [helper.make_tensor_value_info(f"{part}0", number, [1, "B", hidden]) for part in parts]
    outputs = [helper.make_tensor_value_info("y", number, ["T", 1, "B", hidden])]
    outputs += [helper.make_tensor_value_info(part, number, [1, "B", hidden]) for part in parts]
    weights = [onnx.numpy_helper.from_array(np.ascontiguousarray(v), name) for name, v in tensors.items()]
    graph = helper.make_graph([node], kind, inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    made = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])

    def run(x: Any, state: Any = None) -> Any:
        state = state or tuple(np.zeros((1, x.shape[1], hidden), np.float32) for _ in parts)
        return made.run(None, {"x": x, **{f"{part}0": value for part, value in zip(parts, state, strict=True)}})

    return run


def _gates(kind: str, weight: nn.Parameter) -> Any:
    blocks = torch.chunk(weight.detach(), len(_ORDER[kind]))
    return torch.cat([blocks[index] for index in _ORDER[kind]]).numpy()
