"""Initial values: what each option promises."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from unrolled import cells
from unrolled.cells import LRU, TORCH, Initial, LSTMProjected
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


def _own(cell: str, **options: object) -> dict[str, Tensor]:
    torch.manual_seed(0)
    layer = Recurrent(cells.cell(cell, **options), 40, 32)
    return {name.removesuffix("_l0"): weight.detach() for name, weight in layer.named_parameters()}


def test_norms_start_with_gain_one_and_bias_zero_and_the_forget_gate_open() -> None:
    weights = _own("lstm_layer_norm")
    assert all((weights[name] == 1).all() for name in ("s_i", "r_o", "s_c", "d_f"))
    assert not any(weights[name].any() for name in ("d_i", "d_g", "d_o", "d_c", "bias_ih", "bias_hh"))
    assert not _own("gru_layer_norm")["e_n"].any()


def test_the_forget_option_acts_on_a_bias_vector_too() -> None:
    for cell in ("lstm_layer_norm", "lstm_separable"):
        layer = Recurrent(cell, 3, 4, initial=Initial(forget=2.5))
        assert (layer.get_parameter("d_f_l0") == 2.5).all()


def test_each_gates_product_of_a_separable_lstm_is_orthogonal() -> None:
    weights = _own("lstm_separable")
    for gate in "ifgo":
        product = weights[f"v_{gate}"][:, None] * weights["weight_hh"]
        torch.testing.assert_close(product @ product.T, torch.eye(32), atol=1e-5, rtol=0)
    assert not torch.equal(weights["v_i"], weights["v_f"])


def test_recurrent_weights_of_indrnn_fill_their_bound() -> None:
    u = _own("indrnn", steps=10)["u"]
    assert 0 <= u.min() and 0.9 * 2**0.1 < u.max() <= 2**0.1


def test_what_an_lru_keeps_fills_its_ring_and_its_variance_is_one() -> None:
    weights = _own("lru", fastest=0.5, slowest=0.9)
    kept = torch.exp(-torch.exp(weights["nu"]))
    assert 0.5 <= kept.min() < 0.6 and 0.85 < kept.max() <= 0.9
    torch.testing.assert_close(weights["gamma"] ** 2 + kept**2, torch.ones(32))
    layer = Recurrent(LRU(), 1, 1, bias=False)
    torch.nn.init.ones_(layer.get_parameter("weight_ih_l0"))
    y, _ = layer(torch.randn(4, 40_000, 1))
    assert y[:, 5000:].std().item() == pytest.approx(1.0, abs=0.15)


def test_slstm_starts_without_recurrence_and_with_forget_gates_from_open_to_shut_in_each_head() -> None:
    weights = _own("slstm", heads=2)
    i, f, z, o = weights["bias_ih"].chunk(4)
    assert not weights["weight_hh"].any() and not any(v.any() for v in (i, z, o))
    assert torch.equal(f[:16], f[16:]) and f[0] == 5 and f[15] == -7 and (f[:16].diff() < 0).all()


def test_values_of_the_paper_come_in_every_dtype_and_after_the_same_draws() -> None:
    assert Recurrent("slstm", 3, 8, dtype=torch.bfloat16).get_parameter("bias_ih_l0")[8] == 5
    torch.manual_seed(0)
    lstm = Recurrent("lstm", 3, 8).state_dict()
    torch.manual_seed(0)
    dropped = Recurrent("lstm_dropout", 3, 8).state_dict()
    assert all(torch.equal(lstm[name], dropped[name]) for name in lstm)
