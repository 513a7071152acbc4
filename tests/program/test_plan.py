"""The interpreter, and what a plan is held against before it runs."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import BundleError
from unrolled.program.check import check
from unrolled.program.plan import Op, Plan, run
from unrolled.program.shapes import Inputs, Outputs

WEIGHTS = {"w": np.eye(2, 3), "b": np.array([1.0, 2.0])}


def plan(*ops: dict[str, Any], result: str = "y", inputs: Inputs | None = None, outputs: Outputs | None = None) -> Plan:
    return Plan(
        inputs=inputs or Inputs(numbers=3),
        outputs=outputs or Outputs(values=2),
        ops=tuple(Op.model_validate(op) for op in ops),
        result=result,
    )


LAST = {"op": "pool", "inputs": ("x", "lengths"), "outputs": ("p",), "options": {"kind": "last", "backward": 0}}
LINEAR = {"op": "linear", "inputs": ("p",), "outputs": ("l",), "weights": {"weight": "w", "bias": "b"}}
SHAPE = {"op": "reshape", "inputs": ("l",), "outputs": ("y",), "options": {"shape": (1, 1, 2)}}


def test_run() -> None:
    good = check(plan(LAST, LINEAR, SHAPE), WEIGHTS)
    x = np.random.default_rng(0).normal(size=(4, 5, 3))
    y = run(good, WEIGHTS, x, np.array([5, 2, 1, 3]))
    np.testing.assert_allclose(y[:, 0, 0], x[range(4), [4, 1, 0, 2], :2] + [1, 2])
    assert good.weights == ("w", "b")
    again = Plan.model_validate_json(good.model_dump_json())
    assert check(again, WEIGHTS) == good


def test_values_are_dropped_after_their_last_use() -> None:
    held: list[int] = []
    steps = [
        {**LINEAR, "inputs": (f"v{k}",), "outputs": (f"v{k + 1}",), "weights": {"weight": "square"}} for k in range(9)
    ]
    long = plan({**LAST, "outputs": ("v0",)}, *steps, {**SHAPE, "inputs": ("v9",), "options": {"shape": (1, 1, 3)}},
                outputs=Outputs(values=3))  # fmt: skip
    alive: list[weakref.ref[Any]] = []

    def watch(op: Op, inputs: tuple[Any, ...], weights: Any) -> None:
        held.append(sum(reference() is not None for reference in alive))
        alive.append(weakref.ref(inputs[0]))

    run(long, {"square": np.eye(3)}, np.zeros((2, 4, 3)), watch=watch)
    assert max(held) <= 3


@pytest.mark.parametrize(
    ("ops", "says"),
    [
        (({**LAST, "op": "eval"},), "'eval'.*does not know"),
        (({**LAST, "op": "__import__"},), "does not know"),
        (({**LAST, "inputs": ("nothing", "lengths")},), "'nothing', which nothing computes"),
        ((LAST, {**LINEAR, "weights": {"weight": "absent"}}), "weight 'absent', which is not in the file"),
        ((LAST, {**LINEAR, "weights": {"scale": "w"}}), "does not take these arguments"),
        ((LAST, {**LINEAR, "inputs": ("p", "p", "p", "p")}), "does not take these arguments"),
        (({**LAST, "options": {"kind": "last"}},), "does not take these arguments"),
        (({**LAST, "options": {"kind": "sum", "backward": 0}},), "option 'kind' is wrong"),
        (({**LAST, "options": {"kind": "last", "backward": -1}},), "option 'backward' is wrong"),
        (({**LAST, "options": {"kind": "last", "backward": 0, "os": 1}},), "does not take these arguments"),
        ((LAST, LINEAR), "nothing computes its result"),
        ((LAST, LINEAR, {**SHAPE, "options": {"shape": (1, 2, 1)}}), r"gives the shape \(1, 1, 2, 1\)"),
        ((LAST, LINEAR, {**SHAPE, "options": {"shape": (1, 1, 7)}}), "operation 3.*does not fit"),
        ((LAST, {**LINEAR, "weights": {"weight": "b"}}, SHAPE), "operation 2.*does not fit"),
        (({"op": "patch", "inputs": ("x", "lengths"), "outputs": ("p",), "options": {"length": 2, "align": "end"}},
          LINEAR, SHAPE), "does not fit"),
        (({"op": "recurrent", "inputs": ("x", "lengths"), "outputs": ("p", "h"), "weights": {"weight_ih": "w"},
           "options": {"cell": "no_such_cell", "reverse": False}}, LINEAR, SHAPE), "option 'cell' is wrong"),
    ],
)  # fmt: skip
def test_plans_that_mean_nothing(ops: tuple[dict[str, Any], ...], says: str) -> None:
    with pytest.raises(BundleError, match=says):
        check(plan(*ops), WEIGHTS)


GREEDY: dict[str, dict[str, Any]] = {
    "repeat": {"options": {"times": 1_000_000}},
    "linear": {"weights": {"weight": "tall"}},
    "patch": {"options": {"length": 1_000_000, "align": "end"}},
    "conv1d": {"weights": {"weight": "wide"}, "options": {"stride": 1, "left": 1_000_000, "right": 1_000_000}},
}


@pytest.mark.parametrize("name", GREEDY)
def test_plans_that_ask_for_too_much_memory(name: str) -> None:
    across_time = name in ("patch", "conv1d")
    ops: list[dict[str, Any]] = []
    for k in range(2):
        value, result = (f"v{k}", f"v{k + 1}") if k else ("x", "v1")
        inputs = (value, None) if across_time else (value,)
        outputs = (result, f"lengths{k}") if across_time else (result,)
        ops.append({"op": name, "inputs": inputs, "outputs": outputs, **GREEDY[name]})
        if name == "linear":
            ops[-1]["outputs"] = (f"flat{k}",)
            ops.append({"op": "reshape", "inputs": (f"flat{k}",), "outputs": (result,), "options": {"shape": (1,)}})
    weights = {"tall": np.zeros((200_000, 1)), "wide": np.zeros((1000, 1, 3))}
    with pytest.raises(BundleError, match="more numbers than any real net"):
        check(plan(*ops, result="v2", inputs=Inputs(numbers=1)), weights)


def test_a_value_is_computed_once() -> None:
    with pytest.raises(BundleError, match="there already"):
        check(plan(LAST, {**LAST, "inputs": ("x", None)}, LINEAR, SHAPE), WEIGHTS)


@pytest.mark.parametrize(
    "sizes",
    [
        {"inputs": Inputs(numbers=10**12)},
        {"inputs": Inputs(numbers=-1)},
        {"inputs": Inputs(numbers=3, length=0)},
        {"outputs": Outputs(steps=10**6, targets=10**6)},
        {"outputs": Outputs(steps=0)},
    ],
    ids=str,
)
def test_sizes_beyond_reason(sizes: Any) -> None:
    with pytest.raises(BundleError, match=r"impossible|larger than any"):
        check(plan(LAST, LINEAR, SHAPE, **sizes), WEIGHTS)


def test_a_plan_of_many_operations() -> None:
    with pytest.raises(BundleError, match="impossible"):
        check(plan(*[{**LAST, "outputs": ("y",)}] * 3000), WEIGHTS)
