"""What does not fit is refused before any kernel reads memory by it, called directly, compiled, or as an operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import unrolled
from unrolled import cells, engine
from unrolled.core.errors import ConfigError
from unrolled.engine import operators

B, T, D, H = 2, 5, 3, 4


def _arguments(cell: Any) -> dict[str, Any]:
    weights = {name: torch.zeros(shape) for name, shape in cell.shapes(D, H).items()}
    return {"cell": cell, "x": torch.zeros(B, T, D), "weights": weights}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int32])
@pytest.mark.parametrize("name", ["weight_hh", "bias_ih", "bias_hh"])
def test_a_weight_of_another_dtype_is_named(name: str, dtype: torch.dtype) -> None:
    arguments = _arguments(cells.LSTM())
    arguments["weights"][name] = arguments["weights"][name].to(dtype)
    with pytest.raises(ConfigError, match=rf"'{name}' is {dtype}, the weights are torch\.float32"):
        engine.run(**arguments)


@pytest.mark.parametrize("name", ["x", "weight_ih", "weight_hh", "state"])
def test_a_tensor_on_another_device_is_named(name: str) -> None:
    arguments = _arguments(cells.GRU())
    if name == "x":
        arguments["x"] = arguments["x"].to("meta")
    elif name == "state":
        arguments["hx"] = (torch.zeros(B, H, device="meta"),)
    else:
        arguments["weights"][name] = arguments["weights"][name].to("meta")
    with pytest.raises(ConfigError, match=r"on meta, x is on cpu|on cpu, x is on meta"):
        engine.run(**arguments)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float64])
def test_a_mask_of_another_dtype_is_named(dtype: torch.dtype) -> None:
    arguments = _arguments(cells.LSTMDropout())
    noise = {name: torch.ones(B, T, H, dtype=dtype) for name in cells.LSTMDropout().noise}
    with pytest.raises(ConfigError, match=rf"noise .* is {dtype}"):
        engine.run(**arguments, noise=noise)


def test_what_is_no_tensor_is_said() -> None:
    arguments = _arguments(cells.GRU())
    with pytest.raises(ConfigError, match="x must be a tensor, it is a ndarray"):
        engine.run(**arguments | {"x": np.zeros((B, T, D), np.float32)})
    with pytest.raises(ConfigError, match="input must be a tensor, it is a ndarray"):
        unrolled.LSTM(D, H)(np.zeros((B, T, D)))
    with pytest.raises(ConfigError, match="input must be a tensor, it is a list"):
        unrolled.GRUCell(D, H)([0.0] * D)
    with pytest.raises(ConfigError, match="the state must be a tuple of 2"):
        unrolled.LSTM(D, H)(torch.zeros(T, B, D), (None, torch.zeros(1, B, H)))


def test_a_wrong_number_of_columns_is_said_of_x() -> None:
    with pytest.raises(ConfigError, match="x has 7 columns, 'weight_ih' takes 3"):
        unrolled.LSTM(D, H)(torch.zeros(T, B, 7))


def _state(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    return torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)


_WRONG: list[tuple[dict[str, Any], str]] = [
    ({"input": torch.zeros(B, T, 7)}, "x has 7 columns"),
    ({"input": torch.zeros(B, T, D, dtype=torch.float64)}, "x is torch.float64"),
    ({"hx": _state(1, 3, H)}, "the state has shapes"),
    ({"hx": _state(1, B, 9)}, "the state has shapes"),
    ({"hx": _state(1, B, H, dtype=torch.float64)}, "the state 'h' is torch.float64"),
    ({"lengths": torch.tensor([5])}, "must be 2 whole numbers"),
    ({"lengths": torch.tensor([5.0, 2.0])}, "must be 2 whole numbers"),
    ({"lengths": torch.tensor([5, 600])}, r"within 0 \.\. 5"),
    ({"lengths": torch.tensor([5, -1])}, r"within 0 \.\. 5"),
]


@pytest.mark.parametrize(("change", "message"), _WRONG)
def test_compiled_calls_refuse_what_direct_ones_refuse(change: dict[str, Any], message: str) -> None:
    layer = unrolled.LSTM(D, H, batch_first=True)
    torch._dynamo.reset()
    compiled: Callable[..., Any] = torch.compile(layer, backend="eager", fullgraph=True)
    given = {"input": torch.zeros(B, T, D)} | change
    with pytest.raises(ConfigError, match=message):
        layer(**given)
    with pytest.raises((ConfigError, RuntimeError), match=message):
        compiled(**given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state": [torch.zeros(B, 3)]}, "the state has shapes"),
        ({"state": [torch.zeros(B, H, dtype=torch.float64)]}, "the state 'h' is torch.float64"),
        ({"lengths": torch.tensor([5, 1 << 40])}, r"within 0 \.\. 5"),
    ],
)
def test_the_operator_itself_refuses(change: dict[str, Any], message: str) -> None:
    cell = cells.GRU()
    given = {"x": torch.zeros(B, T, D), "state": [torch.zeros(B, H)], "noise": [], "lengths": None}
    given["weights"] = list(_arguments(cell)["weights"].values())
    options = {"cell": operators.key_of(cell), "reverse": False, "keep": False}
    with pytest.raises(ConfigError, match=message):
        torch.ops.unrolled.forward(**given | change | options)
