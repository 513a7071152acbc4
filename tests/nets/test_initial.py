"""Initial values: what each option promises."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from unrolled.cells import TORCH, Initial, LSTMProjected
from unrolled.nets.recurrent import Recurrent


def _layer(
    initial: Initial, cell: str = "lstm", bias: bool = True, dtype: torch.dtype | None = None
) -> dict[str, Tensor]:
    torch.manual_seed(0)
    layer = Recurrent(cell, 40, 30, 2, bidirectional=True, initial=initial, bias=bias, dtype=dtype)
    return {name: weight.detach() for name, weight in layer.named_parameters()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_each_gates_recurrent_matrix_is_orthogonal(dtype: torch.dtype) -> None:
    weights = _layer(Initial(), dtype=dtype)
    blocks = [block for name in weights if "hh" in name and "weight" in name for block in weights[name].chunk(4)]
    assert len(blocks) == 16
    for block in blocks:
        torch.testing.assert_close(
            block.float() @ block.float().T, torch.eye(30), atol=1e-5 if dtype == torch.float32 else 3e-2, rtol=0
        )


def test_a_projected_recurrent_matrix_has_orthogonal_columns() -> None:
    weight = Recurrent(LSTMProjected(7), 4, 30).get_parameter("weight_hh_l0").detach()
    for block in weight.chunk(4):
        torch.testing.assert_close(block.T @ block, torch.eye(7), atol=1e-5, rtol=0)


def test_input_weights_fill_xaviers_bound() -> None:
    weights = _layer(Initial())
    for name, inputs in (("weight_ih_l0", 40), ("weight_ih_l1_reverse", 60)):
        bound = math.sqrt(6 / (inputs + 30))
        assert 0.99 * bound < weights[name].abs().max() <= bound


def test_the_forget_gate_starts_open_and_all_other_biases_at_zero() -> None:
    weights = _layer(Initial())
    i, f, g, o = weights["bias_ih_l1"].chunk(4)
    assert (f == 1).all() and not any(v.any() for v in (i, g, o, weights["bias_hh_l1"]))
    assert (_layer(Initial(forget=2.5))["bias_ih_l0_reverse"].chunk(4)[1] == 2.5).all()
    assert not _layer(Initial(), cell="gru")["bias_ih_l0"].any()


def test_without_biases_there_is_nothing_to_open() -> None:
    assert not any("bias" in name for name in _layer(Initial(forget=3.0), bias=False))


def test_torchs_values_are_uniform_and_the_same_under_a_seed() -> None:
    weights = _layer(TORCH)
    torch.manual_seed(0)
    theirs = torch.nn.LSTM(40, 30, 2, bidirectional=True)
    for name, weight in theirs.named_parameters():
        assert torch.equal(weights[name], weight)


@pytest.mark.parametrize(
    ("option", "touched"),
    [({"recurrent": "uniform"}, "weight_hh"), ({"input": "uniform"}, "weight_ih"), ({"bias": "uniform"}, "bias_hh")],
)
def test_each_option_changes_its_own_weights(option: dict[str, str], touched: str) -> None:
    values = _layer(Initial.model_validate(option))[f"{touched}_l0"]
    bound = 1 / math.sqrt(30)
    assert 0.9 * bound < values.abs().max() <= bound and abs(values.mean()) < 0.2 * bound


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ValidationError, match="recurent"):
        Initial.model_validate({"recurent": "uniform"})


def test_drawing_again_gives_other_weights() -> None:
    layer = Recurrent("gru", 3, 4)
    before = {name: weight.clone() for name, weight in layer.state_dict().items()}
    layer.reset_parameters()
    changed = {name for name, weight in layer.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed == {"weight_ih_l0", "weight_hh_l0"}
