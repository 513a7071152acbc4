"""The torch operations are the NumPy operations under the same names, with the same arguments."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from unrolled.nets import Net, ops
from unrolled.nets.ops import dense, layout, time, window
from unrolled.nets.trace import Trace
from unrolled.program.ops import OPS
from unrolled.program.shapes import Inputs, Outputs

OF_TRAINING = {"dropout", "noise"}
BY_MODULE = {"batch_norm": dense._batch_norm, "recurrent": None}


def arguments(function: Any) -> list[tuple[str, Any]]:
    return [(p.name, p.kind) for p in inspect.signature(function).parameters.values()]


def test_the_two_vocabularies_are_one() -> None:
    assert set(ops.__all__) - OF_TRAINING == set(OPS)


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
