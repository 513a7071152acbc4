"""The torch operations are the NumPy operations under the same names, with the same arguments."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.core.errors import ConfigError
from unrolled.nets import Net, ops
from unrolled.nets.ops import dense, layout, time, window
from unrolled.nets.trace import Trace
from unrolled.program.ops import OPS
from unrolled.program.shapes import Inputs, Outputs

OF_TRAINING = {"dropout", "noise", "scaling", "time_warp"}
LOOKED_AT = {"self_weights", "random_weights"}  # maps for a person; no plan computes them
BY_MODULE = {"batch_norm": dense._batch_norm, "recurrent": None}


def arguments(function: Any) -> list[tuple[str, Any]]:
    return [(p.name, p.kind) for p in inspect.signature(function).parameters.values()]


def test_the_two_vocabularies_are_one() -> None:
    assert set(ops.__all__) - OF_TRAINING - LOOKED_AT == set(OPS)


@pytest.mark.parametrize("name", sorted(set(OPS) - {"recurrent"}))
def test_signatures_agree(name: str) -> None:
    torch_side = BY_MODULE.get(name) or getattr(ops, name)
    assert arguments(torch_side) == arguments(OPS[name])


def test_each_torch_operation_stands_in_the_file_of_its_counterpart() -> None:
    for module in (dense, layout, time, window):
        for name in set(ops.__all__) & set(vars(module)) & set(OPS) - {"batch_norm"}:
            if getattr(module, name).__module__ == module.__name__:
                assert OPS[name].__module__.rsplit(".", 1)[1] == module.__name__.rsplit(".", 1)[1]


def test_a_trace_names_values_weights_and_options() -> None:
    net = Net(["gru"], Inputs(numbers=2), Outputs())
    trace = Trace(net)
    x, weight = trace.symbol("x"), net.get_parameter("layers.0.rnn.weight_ih_l0")
    y = ops.activation(ops.linear(x, weight=weight), kind="tanh")
    assert [(op.op, op.inputs, op.outputs, op.weights, op.options) for op in trace.ops] == [
        ("linear", ("x",), ("v0",), {"weight": "layers.0.rnn.weight_ih_l0"}, {}),
        ("activation", ("v0",), ("v1",), {}, {"kind": "tanh"}),
    ]
    assert trace.name(y) == "v1"


def test_a_plan_is_traced_without_running_anything() -> None:
    net = Net(["conv", {"gru": {"layers": 2, "dropout": 0.5}}, "dropout"], Inputs(numbers=2), Outputs()).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.random.get_rng_state()
    plan = net.plan()
    assert torch.equal(torch.random.get_rng_state(), state) and net.training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert "dropout" not in {op.op for op in plan.ops}
    assert set(plan.weights) == {name for name in before if "num_batches" not in name}


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 30), st.floats(0.05, 1.0), st.integers(0, 99))
def test_time_warping_keeps_both_ends_and_reads_only_what_is_there(
    count: int, steps: int, strength: float, seed: int
) -> None:
    torch.manual_seed(seed)
    lengths = torch.randint(1, steps + 1, (count,))
    ramp = torch.arange(steps, dtype=torch.float64)[None, :, None].repeat(count, 1, 2)
    ramp[torch.arange(steps) >= lengths[:, None]] = torch.nan
    warped = ops.time_warp(ramp, lengths, strength, True)
    assert warped.shape == ramp.shape and warped.isfinite().all()
    ends = (lengths - 1)[:, None, None].expand(-1, 1, 2)
    torch.testing.assert_close(warped[:, :1], ramp[:, :1])
    torch.testing.assert_close(warped.gather(1, ends), ramp.gather(1, ends))
    assert (warped >= 0).all() and (warped <= ends.expand_as(warped)).all()


def test_the_speed_of_a_warped_sequence_has_the_size_asked_for() -> None:
    """The derivative of the time map is one plus three cosines, each of the deviation ``strength``."""
    torch.manual_seed(0)
    ramp = torch.arange(401, dtype=torch.float64)[None, :, None].repeat(4000, 1, 1)
    speed = ops.time_warp(ramp, None, 0.1, True)[:, :, 0].diff(dim=1)
    assert abs(speed[:, 0].std().item() - 0.1 * 3**0.5) < 0.01
    assert abs(speed.mean().item() - 1) < 1e-9


def test_scaling_is_one_factor_a_sequence() -> None:
    torch.manual_seed(0)
    x = torch.randn(5000, 3, 2, dtype=torch.float64)
    factors = ops.scaling(x, 0.2, True) / x
    torch.testing.assert_close(factors, factors[:, :1, :1].expand_as(factors))
    assert abs(factors.mean().item() - 1) < 0.02 and abs(factors[:, 0, 0].std().item() - 0.2) < 0.02


def test_whole_columns_are_dropped_at_all_steps_or_at_none() -> None:
    torch.manual_seed(0)
    x = torch.rand(50, 7, 8) + 1
    scale = ops.dropout(x, 0.25, training=True, whole=True) / x
    torch.testing.assert_close(scale, scale[:, :1].expand_as(scale))
    dropped = scale[:, 0] == 0
    torch.testing.assert_close(scale[:, 0][~dropped], torch.full_like(scale[:, 0][~dropped], 4 / 3))
    assert 0.15 < float(dropped.float().mean()) < 0.35
    assert ops.dropout(x, 0.25, training=False, whole=True) is x
    net = Net([{"dropout": {"rate": 0.5, "whole": True}}, "gru"], Inputs(numbers=2), Outputs())
    assert "dropout" not in {op.op for op in net.plan().ops}
    with pytest.raises(ConfigError, match="whole columns"):
        Net(["gru", "pool", {"dropout": {"whole": True}}], Inputs(numbers=2), Outputs())
